"""Memory of the show while a video of it is recorded, and before. Linux.

    python -m bench.recording [--sizes 1280x720,1920x1080] [--looks limelight] [--seconds 15]

The program itself, in a window in memory, presses its own key R. Memory is what the system says that the process
holds, sampled four times a second: the median of the seconds before, the most while it records.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from bench.watch import resident
from bench.xvfb import screen

SETTLED, BEFORE = 3.0, 3.0  # seconds of show that do not count, and seconds before the recording that do
STEP = 0.25  # seconds between samples
TOLD = re.compile(r"^memory (.*)$", re.MULTILINE)


def watched(words: list[str]) -> None:
    """Run `visualizer` with these arguments in this process, and say what it holds."""
    import pygame

    from visualizer.cli import app
    from visualizer.stage.window import Window

    samples: list[tuple[float, float]] = []
    began: list[float] = []
    draw = Window.draw

    def drawn(self, moment) -> None:
        draw(self, moment)
        began.append(time.perf_counter())
        Window.draw = draw

    def sample() -> None:
        pressed = False
        while True:
            time.sleep(STEP)
            at = time.perf_counter() - began[0] if began else 0.0
            samples.append((at, resident()))
            if at > SETTLED + BEFORE and not pressed:
                pressed = True
                pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_r, mod=0))

    Window.draw = drawn
    threading.Thread(target=sample, daemon=True).start()
    try:
        app(words)
    finally:
        before = [held for at, held in samples if SETTLED < at <= SETTLED + BEFORE]
        after = [held for at, held in samples if at > SETTLED + BEFORE]
        print(f"memory {median(before):.0f} MB before, {max(after):.0f} MB at most while it records", flush=True)


def measure(size: str, look: str, seconds: float) -> str:
    """What one show holds. RuntimeError with all that it said if it failed."""
    with tempfile.TemporaryDirectory() as home, screen() as display:
        (Path(home) / "Videos").mkdir()
        words = ["--audio", "none", "--window", size, "--stage", "painter", "--device", "cpu", "--look", look]
        words += ["--no-remember", "--seed", "1", "--seconds", str(SETTLED + BEFORE + seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.recording", "--watched", *words],
            capture_output=True, text=True, env={**display, "HOME": home},
        )  # fmt: skip
        films = sorted(Path(home).rglob("*.mkv"))
        told = TOLD.search(done.stdout)
        if done.returncode or told is None or not films:
            raise RuntimeError(done.stdout + done.stderr)
        return f"{told[1]}; the video has {films[0].stat().st_size / 1e6:.1f} MB"


def main() -> None:
    """Print a line for each size and look."""
    if sys.argv[1:2] == ["--watched"]:
        watched(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1280x720,1920x1080")
    parser.add_argument("--looks", default="limelight")
    parser.add_argument("--seconds", type=float, default=15.0, help="of the video")
    chosen = parser.parse_args()
    print(f"recording, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    for size in chosen.sizes.split(","):
        for look in chosen.looks.split(","):
            print(f"{size} {look}: {measure(size, look, chosen.seconds)}", flush=True)


if __name__ == "__main__":
    main()
