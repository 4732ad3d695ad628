"""How fast films are made, by size and look, beside PyAV that only encodes the same frames.

    python -m bench.film [--seconds 4] [--looks paper,neon]

The rival is given the finished frames, as the painter left them, and writes the same file with the same settings:
nothing that encodes with PyAV can be faster. Both are multiples of real time at 30 frames a second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path

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

FPS = 30
GOALS = {(1280, 720): 1.0, (1920, 1080): None, (3840, 2160): None}
MEMORY = 1_500_000_000  # bytes of frames that are kept for the rival


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


def row(pack: Pack, song: Path, size: tuple[int, int], look: str, seconds: float, folder: Path) -> list[str]:
    """One line of the table."""
    frames: list[np.ndarray] = []

    def keep(_number: int, pixels: memoryview) -> None:
        frames.append(np.asarray(pixels))

    busy = time.process_time()
    report = make_film(
        song,
        pack,
        FilmOptions(out=str(folder / "film.mp4"), size=size, fps=Fraction(FPS), seconds=seconds, look=look, force=True),
        progress=False,
        on_frame=keep,
    )
    busy = time.process_time() - busy
    alone = encode(frames, size, folder / "alone.mp4")
    goal = GOALS[size]
    return [
        f"{size[0]}x{size[1]}", look, f"{report.speed:.2f}", f"> {goal:g}" if goal else "",
        f"{report.seconds / alone:.2f}", f"{busy / report.seconds:.2f}",
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of film for each row")
    parser.add_argument("--looks", default=",".join(look.name for look in shipped_looks()))
    parser.add_argument("--pack", default=None)
    words = parser.parse_args()
    pack = load_pack(find_pack(words.pack), "cpu")
    song = paths.assets() / "own_music.ogg"
    hear_song(song)  # listening ahead is not part of the figure
    table = Table(title=f"films, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {pack.provider}")
    for heading in ("size", "look", "x real time", "goal", "PyAV alone", "processor s a s"):
        table.add_column(heading, justify="left" if heading in ("size", "look") else "right")
    looks = words.looks.split(",")
    with tempfile.TemporaryDirectory() as folder:
        for size in GOALS:
            most = MEMORY / (size[0] * size[1] * 4 * FPS)
            for look in looks if size[0] < 3840 else looks[-1:]:
                table.add_row(*row(pack, song, size, look, min(words.seconds, most), Path(folder)))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
