"""Frame times of the whole live program without a GPU: hear, step, decode, paint and show, paced as in life.

    python -m bench.frames [--seconds 60] [--look NAME]… [--size WxH]… [--troupe N] [--audio mic|none] [--song FILE]
                           [--effects governed|all] [--cores N] [--screen window|offscreen] [--against DIR] [--profile]

Runs `visualizer` itself for each look and size. The microphone is the monitor of a PulseAudio server of our own, which
plays a song or drums of known tempo. The first second of a show does not count. Work is the time of a frame without
waiting; the floor is measured at the end of the same run: one decode, one blit of a whole picture, one present. Work
over floor says how much more we do than we must, on any machine.

`--effects all` turns off the governor, so that what effects cost can be compared. `--cores 1` keeps the program on one
core (Linux). `--against` runs another checkout in turns with this one. `--profile` says where a frame goes; its timers
cost a little.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.pulse import Server
from bench.soak import SOUND_RATE, Music
from bench.xvfb import screen
from visualizer.music.song_file import read_song
from visualizer.stage.looks import shipped_looks

ROOT = Path(__file__).parents[1]
SIZES = ("1280x720", "1920x1080")
DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")  # variables of the environment
WARM_UP = 1.0  # seconds that do not count
TOAST = re.compile(r"toast: (.*(?:effects|frames a second|flashes|too slow).*)")


@dataclass(frozen=True)
class Run:
    """What one run of the program has shown. `parts`: whether on the main thread, name, ms a frame."""

    intervals: NDArray[np.float64]  # (F,) ms from picture to picture
    work: NDArray[np.float64]  # (F,) ms
    shares: dict[tuple[float, int], float]  # of the time at each rate and detail
    floor: dict[str, float]  # ms
    parts: list[tuple[bool, str, float]]
    said: list[str]

    @property
    def rate(self) -> float:
        """Frames a second."""
        return 1000 / float(self.intervals.mean())


def read_run(record: dict[str, Any], said: str) -> Run:
    """Work out what a probe has written down. RuntimeError if there were too few frames to tell."""
    frames = np.array(record["frames"], np.float64).reshape(-1, 4)
    counted = frames[frames[:, 0] >= frames[0, 0] + WARM_UP] if len(frames) else frames
    if len(counted) < 3:
        raise RuntimeError(f"{len(frames)} frames are too few to tell\n{said}")
    times: Counter[tuple[float, int]] = Counter()
    intervals = np.diff(counted[:, 0])
    for interval, (_, _, detail, rate) in zip(intervals, counted[1:], strict=True):
        times[round(rate, 1), int(detail)] += interval
    parts = [(main, name, 1000 * taken / len(frames)) for main, name, taken in record["parts"]]
    return Run(
        1000 * intervals, 1000 * counted[1:, 1], {key: taken / intervals.sum() for key, taken in times.items()},
        record["floor"], parts, list(dict.fromkeys(TOAST.findall(said))),
    )  # fmt: skip


def measure(
    root: Path, words: list[str], env: dict[str, str], *, governed: bool = True, profiled: bool = False, cores: int = 0
) -> Run:
    """Run the program of the checkout `root`. RuntimeError with all that it said if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "record.json"
        orders = {"out": str(out), "words": words, "governed": governed, "profiled": profiled, "cores": cores}
        done = subprocess.run(
            [sys.executable, "-P", str(ROOT / "bench" / "frame_probe.py"), json.dumps(orders)],
            capture_output=True, text=True, cwd=root, env={**env, "PYTHONPATH": str(root)},
        )  # fmt: skip
        if done.returncode or not out.exists():
            raise RuntimeError(done.stdout + done.stderr)
        record = json.loads(out.read_text())
    return read_run(record, done.stdout + done.stderr)


class Song:
    """The samples of a file, over and over."""

    def __init__(self, path: Path) -> None:
        """UserError where it cannot be read."""
        self._sound = np.concatenate([block[:, 0] for block in read_song(path, SOUND_RATE, 1)])

    def samples(self, start: int, count: int) -> NDArray[np.float32]:
        """float32 mono."""
        return self._sound.take(np.arange(start, start + count), mode="wrap")


@contextmanager
def microphone(song: Path | None) -> Iterator[dict[str, str]]:
    """The environment of programs whose microphone hears the song, or drums if there is none."""
    source = Music(SOUND_RATE) if song is None else Song(song)
    with tempfile.TemporaryDirectory() as home:
        server = Server(Path(home))
        try:
            server.start(rate=SOUND_RATE)
            server.ask("set-default-source", "party.monitor")
            server.stream(source.samples, SOUND_RATE)
            yield server.environment
        finally:
            server.kill()


def has_pulse() -> bool:
    """Whether a sound server of our own can be started."""
    return all(map(shutil.which, ("pulseaudio", "pactl", "pacat")))


@contextmanager
def surroundings(audio: str, song: Path | None, where: str) -> Iterator[dict[str, str]]:
    """The environment with a screen and, for `audio` mic, a microphone."""
    with screen() as display:
        shown = {**display, "SDL_VIDEODRIVER": "offscreen"} if where == "offscreen" else display
        if audio == "none":
            yield shown
            return
        with microphone(song) as heard:
            yield {
                **heard,
                **{k: v for k, v in shown.items() if k in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")},
            }


def describe_shares(shares: dict[tuple[float, int], float]) -> str:
    """Share of time at each rate and detail, the most first."""
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{rate:g} {'all' if not detail else f'-{detail}'} {share:.0%}" for (rate, detail), share in ordered
    )


def make_table(title: str, rows: list[tuple[str, str, str, Run]]) -> Table:
    """Rows: size, look, which checkout, and its run."""
    table = Table(title=title)
    left = ("size", "look", "", "rate and detail", "it said")
    for heading in ("size", "look", "", "frames/s", "ms", "99%", "worst", "work", "floor", "ratio", *left[3:]):
        table.add_column(heading, justify="left" if heading in left else "right")
    for size, look, which, run in rows:
        median, slowest, worst = np.percentile(run.intervals, (50, 99, 100))
        work, floor = float(np.median(run.work)), run.floor["floor"]
        table.add_row(
            size, look, which, f"{run.rate:.1f}", *(f"{ms:.1f}" for ms in (median, slowest, worst, work, floor)),
            f"{work / floor:.2f}", describe_shares(run.shares), "; ".join(run.said),
        )  # fmt: skip
    return table


def make_profile(rows: list[tuple[str, str, str, Run]]) -> Table:
    """Ms of a frame in each part, a column for each run."""
    table = Table(title="ms a frame, mean; (aside): on another thread")
    table.add_column("part")
    names: Counter[str] = Counter()
    columns = []
    for size, look, which, run in rows:
        table.add_column(" ".join(filter(None, (size, look, which))), justify="right")
        columns.append({f"{name}{'' if main else ' (aside)'}": ms for main, name, ms in run.parts})
        names.update(columns[-1])
    for name, _ in names.most_common():
        table.add_row(name, *(f"{column[name]:.2f}" if name in column else "" for column in columns))
    for name in ("decode", "blit", "present"):
        table.add_row(f"floor: {name}", *(f"{run.floor[name]:.2f}" for *_, run in rows))
    return table


def read_wishes() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each row")
    parser.add_argument("--look", action="append", help="only this look; may be given again")
    parser.add_argument("--size", action="append", help="only this size; may be given again")
    parser.add_argument("--troupe", type=int, default=1)
    parser.add_argument("--audio", choices=("mic", "none"), help="mic where there is PulseAudio")
    parser.add_argument("--song", type=Path, help="a file that is played; without it, drums")
    parser.add_argument("--effects", choices=("governed", "all"), default="governed")
    parser.add_argument("--fps", type=float, help="frames a second; without it, what suits the display")
    parser.add_argument("--cores", type=int, default=0)
    parser.add_argument("--screen", choices=("window", "offscreen"), default="window")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    if chosen.audio is None:
        chosen.audio = "mic" if has_pulse() else "none"
        if chosen.audio == "none":
            print("no PulseAudio here: measured without a microphone", file=sys.stderr)
    return chosen


def main() -> None:
    """Print the table."""
    chosen = read_wishes()
    roots = {"": ROOT} if chosen.against is None else {"before": chosen.against.resolve(), "now": ROOT}
    rows = []
    begun_at = os.getloadavg()[0]
    with surroundings(chosen.audio, chosen.song, chosen.screen) as env:
        for size in chosen.size or SIZES:
            for look in chosen.look or [look.name for look in shipped_looks()]:
                words = ["--window", size, "--look", look, "--stage", "painter", "--audio", chosen.audio]
                words += ["--device", "cpu", "--seed", "1", "--troupe", str(chosen.troupe), "--no-remember"]
                words += ["--seconds", str(chosen.seconds)] + (["--fps", f"{chosen.fps:g}"] if chosen.fps else [])
                for which, root in roots.items():
                    run = measure(
                        root, words, env,
                        governed=chosen.effects == "governed", profiled=chosen.profile, cores=chosen.cores,
                    )  # fmt: skip
                    rows.append((size, look, which, run))
    title = (
        f"painter, {chosen.screen}, audio {chosen.audio}, troupe of {chosen.troupe}, {chosen.seconds:g} s each, "
        f"effects {chosen.effects}, {chosen.cores or os.cpu_count()} cores, load {begun_at:.1f} at the start; ms"
    )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(make_table(title, rows))
    if chosen.profile:
        console.print(make_profile(rows))


if __name__ == "__main__":
    main()
