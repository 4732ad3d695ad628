"""How fast films are made, by size and look, beside PyAV that only encodes the same frames.

    python -m bench.film [--seconds 4] [--rounds 2] [--looks paper,neon] [--sizes 1280x720] [--against DIR]

The rival is given the finished frames, as the painter left them, and writes the same kind of file with the same
settings: nothing that encodes with PyAV can be faster. Films and the rival take turns; the medians count. A share of 1
is as fast as the rival; the size of our file is beside that of the rival's, which has no sound. `--against` films with
another checkout in turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from visualizer import paths
from visualizer.dancer.pack import Pack, find_pack, load_pack
from visualizer.film.render import make_film
from visualizer.film.video import H264
from visualizer.music.analysis.song import hear_song
from visualizer.options import FilmOptions
from visualizer.stage.looks import shipped_looks
from visualizer.values import parse_size

ROOT = Path(__file__).parents[1]
FPS = 30
SIZES = "1280x720,1920x1080,3840x2160"
GOALS = {"1280x720": 0.70, "1920x1080": 0.65}  # share of the rival's speed
MEMORY = 1_500_000_000  # bytes of frames that are kept for the rival


@dataclass(frozen=True)
class Case:
    """What is filmed."""

    size: tuple[int, int]
    look: str
    seconds: float


@dataclass(frozen=True)
class Took:
    """Seconds that a film took, of the clock and of the processor."""

    seconds: float
    busy: float


class Probe:
    """A program, warm, that makes one film after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def film(self, case: Case, folder: Path) -> Took:
        """Make one. RuntimeError if that fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*case.size, case.look, case.seconds, folder, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the film failed; what it said is above")
        return Took(**json.loads(answer))


@contextmanager
def open_probe(root: Path, pack: str | None) -> Iterator[Probe]:
    """The program of the checkout `root`."""
    words = [sys.executable, str(ROOT / "bench" / "film_probe.py"), *([pack] if pack else [])]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
    ) as process:
        yield Probe(process)
        assert process.stdin is not None
        process.stdin.close()


def encode(frames: list[np.ndarray], size: tuple[int, int], path: Path) -> float:
    """Seconds that PyAV alone takes for frames (height, width, 4) BGRX."""
    began = time.perf_counter()
    with av.open(str(path), "w") as file:
        stream = file.add_stream(H264.video[0], rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size, H264.pixels  # type: ignore[attr-defined]
        stream.options = dict(H264.options)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_numpy_buffer(pixels, format="bgra")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(frame))  # type: ignore[attr-defined]
        file.mux(stream.encode(None))  # type: ignore[attr-defined]
    return time.perf_counter() - began


def paint_frames(pack: Pack, song: Path, case: Case, folder: Path) -> list[np.ndarray]:
    """The frames of that film (height, width, 4) BGRX. To keep them takes time: this film does not count."""
    frames: list[np.ndarray] = []
    make_film(
        song,
        pack,
        FilmOptions(
            out=str(folder / "kept.mp4"), size=case.size, fps=Fraction(FPS), seconds=case.seconds, look=case.look,
            force=True,
        ),
        progress=False,
        on_frame=lambda _, pixels: frames.append(np.asarray(pixels)),
    )  # fmt: skip
    return frames


def row(case: Case, frames: list[np.ndarray], probes: list[Probe], rounds: int, folder: Path) -> list[str]:
    """One line of the table."""
    films: list[list[Took]] = [[] for _ in probes]
    alone = []
    for _ in range(rounds):
        for probe, taken in zip(probes, films, strict=True):
            taken.append(probe.film(case, folder))
        alone.append(encode(frames, case.size, folder / "alone.mp4"))
    rival, size = median(alone), "x".join(map(str, case.size))
    cells = [size, case.look, f"{case.seconds / rival:.2f}"]
    for taken in films:
        wall, busy = median(each.seconds for each in taken), median(each.busy for each in taken)
        cells += [f"{case.seconds / wall:.2f}", f"{rival / wall:.2f}", f"{busy / case.seconds:.2f}"]
    goal = GOALS.get(size)
    return [*cells, f">= {goal:.2f}" if goal else ""]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of film")
    parser.add_argument("--rounds", type=int, default=2, help="of each film")
    parser.add_argument("--looks", default=",".join(look.name for look in shipped_looks()))
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--pack", default=None)
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    words = parser.parse_args()
    pack, song = load_pack(find_pack(words.pack), "cpu"), paths.assets() / "own_music.ogg"
    hear_song(song)
    names = ["before", "now"] if words.against else ["now"]
    table = Table(title=f"films, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {pack.provider}")
    headings = [f"{name}: {what}" for name in names for what in ("x real time", "of PyAV", "processor s a s")]
    for heading in ("size", "look", "PyAV alone, x real time", *headings, "goal, of PyAV"):
        table.add_column(heading, justify="left" if heading in ("size", "look") else "right")
    looks = words.looks.split(",")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        roots = [words.against.resolve(), ROOT] if words.against else [ROOT]
        probes = [stack.enter_context(open_probe(root, words.pack)) for root in roots]
        for size in map(parse_size, words.sizes.split(",")):
            seconds = min(words.seconds, MEMORY / (size[0] * size[1] * 4 * FPS))
            for look in looks if size[0] < 3840 else looks[-1:]:
                case = Case(size, look, round(seconds, 2))
                frames = paint_frames(pack, song, case, folder)
                for probe in probes:  # warm
                    probe.film(Case(size, look, 0.5), folder)
                table.add_row(*row(case, frames, probes, words.rounds, folder))
                del frames
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
