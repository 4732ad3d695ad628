"""Runs the live program in this process and writes down its frames: the child of `bench.frames`.

    python -P bench/frame_probe.py ORDERS

ORDERS is JSON: `out`, the file to write; `words`, arguments of `visualizer`; `governed`, `profiled`; `cores`, 0 for
all. It imports nothing of this folder, so that it can run the program of another checkout, the first on PYTHONPATH.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLOORS = 60  # frames of the floor
# What is timed, and the part of a frame that it is. What a checkout does not have is passed over. Time counts for the
# innermost part alone.
PARTS = {
    "visualizer.live:LiveShow.draw_frame": "rest of the loop",
    "visualizer.live:LiveShow.handle": "events",
    "visualizer.show:Show.step": "show",
    "visualizer.dancer.dancer:Dancer.step_to": "dancer",
    "visualizer.dancer.dancer:Dancer.picture": "dancer",
    "visualizer.dancer.calls:Networks.write": "networks",
    "visualizer.dancer.calls:Networks.step": "networks",
    "visualizer.dancer.calls:Networks.decode": "networks",
    "visualizer.stage.cpu.painter:Painter.paint": "rest of the painter",
    "visualizer.stage.effects:EffectsCanvas.update": "effects, their canvas",
    "visualizer.stage.cpu.effects_plane:EffectsPlane.draw": "effects, made large",
    "visualizer.stage.cpu.figure_plane:FigurePlane.draw": "figures",
    "visualizer.stage.cpu.colour_pairs:ColourPairs.make": "colour tables",
    "visualizer.stage.cpu.painter:make_color_tables": "colour tables",
    "visualizer.stage.cpu.painter:look_up": "look-up",
    "visualizer.stage.cpu.colour_pairs:ColourPairs.look_up": "look-up",
    "visualizer.stage.cpu.colour_pairs:ColourPairs.look_up_one": "look-up",
    "visualizer.stage.cpu.colour_pairs:ColourPairs.look_up_effects": "look-up",
    "visualizer.stage.cpu.index_plane:IndexPlane.blit": "blits of one plane",
    "visualizer.stage.cpu.backdrop_surface:BackdropSurface.update": "backdrop",
    "visualizer.stage.cpu.backdrop_surface:BackdropSurface.blit": "backdrop",
    "visualizer.stage.sprites:Sprites.throw": "confetti",
    "visualizer.stage.cpu.painter:Painter._throw": "confetti",
    "visualizer.stage.overlay:Overlay.render": "text",
    "visualizer.stage.guarded:GuardedSurface.show": "blit to the window",
    "visualizer.stage.guarded:GuardedSurface._colours": "flash guard",
    "visualizer.stage.flash_guard:FlashGuard.share": "flash guard",
    "visualizer.stage.flash_guard:FlashGuard.seen": "flash guard",
    "pygame.display:update": "present",
    "pygame.display:flip": "present",
    "visualizer.pacing:Pacer.wait": "waiting",
}


class Parts:
    """Seconds that parts of a program take, each without the parts within it."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.seconds: defaultdict[tuple[bool, str], float] = defaultdict(float)  # by whether it was the main thread
        self._main = threading.get_ident()
        self._within = threading.local()

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Count what is done within as `part`."""
        stack: list[float] = self._within.__dict__.setdefault("stack", [])
        stack.append(0.0)
        begun = self._clock()
        try:
            yield
        finally:
            took = self._clock() - begun
            self.seconds[threading.get_ident() == self._main, part] += took - stack.pop()
            if stack:
                stack[-1] += took

    def attach(self, where: str, part: str) -> bool:
        """Time the function or method `where`, "module:name"; whether there is one."""
        module, _, names = where.partition(":")
        *path, last = names.split(".")
        try:
            owner: Any = importlib.import_module(module)
            for name in path:
                owner = getattr(owner, name)
            function = getattr(owner, last)
        except (ImportError, AttributeError):
            return False

        @functools.wraps(function)
        def timed(*args: Any, **more: Any) -> Any:
            with self.time(part):
                return function(*args, **more)

        setattr(owner, last, timed)
        return True


def measure_floor(live: Any) -> dict[str, float]:
    """Median ms of the least that any frame needs, paced as a show is: one decode of one dancer, one blit of a whole
    picture, one present."""
    import numpy as np
    import pygame

    decoder = live.show.dancer.pack.decoder
    given = {i.name: np.zeros([1, *i.shape[1:]], np.float32) for i in decoder.get_inputs()}
    screen = pygame.display.get_surface()
    assert screen is not None
    picture = screen.copy()

    steps: dict[str, Callable[[], object]] = {
        "decode": lambda: decoder.run(None, given),
        "blit": lambda: screen.blit(picture, (0, 0)),
        "present": lambda: pygame.display.update(screen.get_rect()),
    }
    taken: dict[str, list[float]] = {name: [] for name in (*steps, "floor")}
    for _ in range(FLOORS):
        begun = time.perf_counter()
        for name, step in steps.items():
            before = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - before)
        taken["floor"].append(time.perf_counter() - begun)
        time.sleep(max(begun + 1 / 60 - time.perf_counter(), 0))
    return {name: 1000 * statistics.median(times) for name, times in taken.items()}


def main() -> None:
    """Run the program as ordered."""
    orders = json.loads(sys.argv[1])
    if orders["cores"]:
        os.sched_setaffinity(0, range(orders["cores"]))
    from visualizer import launch, live

    frames: list[tuple[float, float, int, float]] = []
    floor: dict[str, float] = {}
    parts = Parts()
    if orders["profiled"]:
        for where, part in PARTS.items():
            parts.attach(where, part)
    note_work, play = live.LiveShow.note_work, launch.play

    def noted(self: Any, seconds: float, now: float) -> None:
        governor = self.governor
        rate = getattr(governor, "rate", self.window.pace)
        frames.append((now, seconds, governor.detail if governor else 0, rate))
        if orders["governed"]:
            note_work(self, seconds, now)

    def played(show: Any, **more: Any) -> Any:
        times = play(show, **more)
        floor.update(measure_floor(show))
        return times

    live.LiveShow.note_work, launch.play = noted, played  # type: ignore[method-assign,assignment]
    from visualizer.cli import app

    try:
        app(orders["words"])
    finally:
        found = [[on_main, part, taken] for (on_main, part), taken in parts.seconds.items()]
        Path(orders["out"]).write_text(json.dumps({"frames": frames, "floor": floor, "parts": found}))


if __name__ == "__main__":
    main()
