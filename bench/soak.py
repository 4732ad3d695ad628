"""A long evening in simulated time: `python -m bench.soak --hours 8`. Linux, for it reads /proc.

The show's own loop, dancer, auto mode, overlay and painter, at fewer frames a second, with a clock that the loop moves
and an ear that reports a beat whose tempo drifts between 112 and 132 BPM. `--minutes-real M` ends it after so long,
and it then says how much was simulated. No window, no sound card, no GPU: those are for an evening in real time.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import random
import time
from collections import deque
from typing import Any

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from visualizer.app import Show, play
from visualizer.auto import Auto
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import find_pack, load_pack
from visualizer.music.features import Levels
from visualizer.music.listener import Sounding
from visualizer.music.live import Live
from visualizer.recorder import Takes
from visualizer.stage.displays import Display
from visualizer.stage.painter import Painter
from visualizer.stage.shots import Camera

SIZE = (320, 180)
DELAY = 0.06  # seconds by which the ear hears late
WARM = 600.0  # simulated seconds, until all looks and dances have come once
MEASURE = 300.0  # simulated seconds at both ends over which the phase error is averaged


def beat_of(t: float) -> float:
    """Beats at `t` seconds: 122 BPM on the average, 10 up and down within 20 minutes."""
    slow = 2 * math.pi / 1200
    return (122 * t + 10 * (1 - math.cos(slow * t)) / slow) / 60


class Heard:
    """As an ear.Heard."""

    steady, music, confidence, meter, bar_confidence = True, 1.0, 0.9, 4, 0.0

    def __init__(self, t: float) -> None:
        self.beat = beat_of(t)
        self.bpm = 122 + 10 * math.sin(2 * math.pi / 1200 * t)
        level = 0.5 + 0.4 * math.sin(t / 40)
        self.levels = Levels(level, level, level, level, level)


class Listener:
    """Hears whatever the time is."""

    what = "simulated music"

    def __init__(self) -> None:
        self.latest: Any = None

    def toasts(self) -> list[str]:
        return []

    def sounds(self, begins: float) -> None:
        return None

    def close(self) -> None: ...


class Screen:
    """A painter without a window."""

    fullscreen, gpu, size, windowed = False, False, SIZE, SIZE
    display = Display(0, "none", SIZE, 60)
    displays = (display,)

    def __init__(self) -> None:
        self.painter = Painter(SIZE, patient=False)
        self.pictures: set[int] = set()
        self.frames = self.backwards = 0
        self.beat = -math.inf

    def draw(self, picture, look, hearing, musical_time, writing, changed) -> None:
        surface = self.painter.paint(picture, look, hearing, musical_time)
        if writing is not None:
            surface.copy().blit(writing, (0, 0))
        self.pictures.add(hash((picture.frames > 0).tobytes()))
        self.frames += 1
        self.backwards += musical_time < self.beat
        self.beat = musical_time

    def toggle_fullscreen(self) -> None: ...
    def set_detail(self, detail: int) -> None: ...
    def dragged_to(self, number: int) -> None: ...
    def pointer_moved(self, now: float) -> None: ...
    def rest_pointer(self, now: float) -> None: ...
    def follow_size(self) -> bool:
        return False

    def toasts(self) -> list[str]:
        return []

    def next_display(self) -> bool:
        return False

    def follow_displays(self) -> None:
        return None


def memory() -> float:
    """MB that the process holds."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, help="simulated")
    parser.add_argument("--fps", type=float, default=5.0, help="frames a simulated second")
    parser.add_argument("--minutes-real", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()

    now = 0.0
    began, deadline = time.monotonic(), time.monotonic() + 60 * chosen.minutes_real
    pack = load_pack(find_pack(None))
    listener, screen = Listener(), Screen()
    ear = Live(120, lambda: now, lambda _: listener)  # type: ignore[arg-type,return-value]
    dancer = Dancer(pack, chosen.seed)
    show = Show(
        dancer, ear, screen, pack.styles, "paper", random.Random(chosen.seed), 0.0,  # type: ignore[arg-type]
        takes=Takes(Camera(), lambda: now), auto=Auto(random.Random(chosen.seed), True),
    )  # fmt: skip
    # In beats; of no more than these stretches, so that the soak itself does not grow.
    first: list[float] = []
    last: deque[float] = deque(maxlen=round(MEASURE * chosen.fps))
    after_warm: tuple[float, int] | None = None
    hourly: list[int] = []
    worst, frame_began = 0.0, time.thread_time()

    def events() -> list:
        nonlocal worst, frame_began, after_warm
        spent = time.thread_time() - frame_began
        if now > WARM:
            worst = max(worst, spent)
        if now > 30:
            off = ear.musical_time(now) - beat_of(now)
            last.append(abs(math.remainder(off, 1.0)))
            if now < 30 + MEASURE:
                first.append(last[-1])
        if after_warm is None and now >= WARM:
            after_warm = memory(), handles()
        if now // 600 > len(hourly):
            hourly.append(len(screen.pictures))
            screen.pictures.clear()
        listener.latest = Sounding(now - DELAY, Heard(now - DELAY))  # type: ignore[arg-type]
        if time.monotonic() > deadline:
            show.running = False
        frame_began = time.thread_time()
        return []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    play(show, rate=chosen.fps, seconds=3600 * chosen.hours, clock=lambda: now, sleep=sleep, events=events, keep=False)
    took = (time.monotonic() - began) / 60
    print(f"simulated {now / 60:.0f} of {60 * chosen.hours:.0f} minutes in {took:.1f}: {screen.frames} frames")
    if after_warm is not None:
        grown = memory() - after_warm[0]
        print(f"memory {after_warm[0]:.1f} MB after {WARM / 60:.0f} minutes, {grown:+.1f} MB at the end")
        print(f"open handles {after_warm[1]}, {handles() - after_warm[1]:+d} at the end")
    print(f"beat phase error {np.mean(first):.4f} beats in the first {MEASURE:.0f} s, {np.mean(last):.4f} in the last")
    print(f"distinct silhouettes in each ten minutes: {hourly or [len(screen.pictures)]}")
    print(f"largest frame after warm-up {1000 * worst:.1f} ms of processor time")
    print(f"restarts {dancer.restarts}, rescues {dancer.rescues}")
    print(f"musical time ran backwards {screen.backwards} times")


if __name__ == "__main__":
    main()
