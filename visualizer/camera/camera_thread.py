"""The camera in the show: starts the process that looks, reads what it tells, and starts it again where it dies.

Joints alone come out of that process (`watch.py`). They are published as one object, replaced whole, as what is heard
of the music is; whoever draws asks for the guests of now, as far as they have moved since the picture was taken.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.bones import JOINTS
from visualizer.dancer.guest_body import MOST_GUESTS, GuestBody
from visualizer.messages import Notify

STATE = "camera"  # topic of what is true until the next such message
# Seconds that a guest is where they were last seen, for a network misses one now and then: at least, at most, and times
# the gap between two pictures where those are few.
HOLD, LONGEST_HOLD, MISSED = 0.4, 1.5, 3.0
AHEAD, MOST_AHEAD = 0.6, 0.1  # share of their speed with which joints are taken to have gone on, and for how long, s
AGAIN = 3.0  # seconds until a process that has died is started again
CLOSING = 2.0  # seconds that it has to end
FARTHEST = 10.0  # metres or metres a second: no joint is farther off or faster
_ROOT = Path(__file__).resolve().parents[2]


class Process(Protocol):
    """The process that looks."""

    def lines(self) -> Iterable[str]: ...  # that it tells, until it ends
    def send(self, order: str) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """Who was seen in the picture that was taken at `at`, on the monotonic clock, and how they moved (21, 3)."""

    at: float
    took: float  # seconds that the network looked at it
    guests: tuple[tuple[GuestBody, NDArray[np.float64]], ...]


class CameraThread:
    """A `GuestFeed`. `on`: whether a camera is open; `failed`: nothing will come of it."""

    def __init__(
        self, name: str, notify: Notify, start: Callable[[str], Process] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`start(name)` starts the process that looks; `notify` is told from a thread of this."""
        self.name = name
        self.latest: Sighting | None = None
        self.on = self.failed = False
        self._hold, self._last = HOLD, -math.inf
        self.looked = 0  # pictures that were looked at
        self._notify, self._start, self._clock = notify, start or start_process, clock
        self._orders: dict[str, str] = {}
        self._process: Process | None = None
        self._stop = Event()
        self._said = ""
        self._thread = Thread(target=self._run, name="guests", daemon=True)
        self._thread.start()

    def look(self) -> tuple[GuestBody, ...]:
        """The guests as they are now, as far as it is known."""
        latest = self.latest
        if latest is None:
            return ()
        age = self._clock() - latest.at
        if age > self._hold:
            return ()
        on = AHEAD * min(max(age, 0.0), MOST_AHEAD)
        return tuple(
            GuestBody(body.slot, body.joints + on * speed, body.place, body.legs) for body, speed in latest.guests
        )

    def ask(self, what: str, number: float) -> None:
        """`rate`: pictures a second to look at; `people`: how many to look for."""
        order = f"{what} {number:g}"
        if self._orders.get(what) != order:
            self._orders[what] = order
            if (process := self._process) is not None:
                process.send(order)

    def close(self) -> None:
        """The camera is off when this returns."""
        self._stop.set()
        if (process := self._process) is not None:
            process.close()
        self._thread.join(CLOSING)
        self.on, self.latest = False, None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._process = process = self._start(self.name)
                if self._stop.is_set():
                    process.close()
                for order in list(self._orders.values()):
                    process.send(order)
                for line in process.lines():
                    self._take(line)
                process.close()
            except OSError as error:
                self._say(f"no guests: the camera cannot be looked through ({error})")
                self.failed = True
            self.on, self.latest = False, None
            if self.failed or self._stop.is_set():
                return
            self._say("the camera's process has ended. Dancing alone, starting it again")
            self._stop.wait(AGAIN)

    def _say(self, text: str) -> None:
        if text != self._said and not self._stop.is_set():
            self._said = text
            self._notify(text, STATE)

    def _take(self, line: str) -> None:
        """One line of what the process tells."""
        try:
            told = json.loads(line)
            if "says" in told:
                self._say(str(told["says"]))
                state = told.get("state", "")
                self.on = state == "on" if state else self.on
                self.failed = self.failed or state == "final"
                if state:
                    self.latest = None
                return
            guests = tuple(_read_guest(each) for each in told["guests"][:MOST_GUESTS])
            sighting = Sighting(float(told["at"]), float(told["took"]), guests)
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # not one of ours
        self.looked += 1
        self._hold = min(max(MISSED * (sighting.at - self._last), HOLD), LONGEST_HOLD)
        self._last = sighting.at
        # Who is missed for a moment stays where they were, until HOLD is over.
        if guests or self.latest is None or sighting.at - self.latest.at > self._hold:
            self.latest = sighting


def _read_guest(told: dict[str, Any]) -> tuple[GuestBody, NDArray[np.float64]]:
    joints, speed = (np.asarray(told[name], np.float64).reshape(len(JOINTS), 3) for name in ("joints", "speed"))
    place, legs = float(told["place"]), float(told["legs"])
    if not (np.abs(joints).max() <= FARTHEST and abs(place) <= FARTHEST and 0 <= legs <= 1):
        raise ValueError("no place of a body")
    slot = int(told["slot"])
    if not 0 <= slot < MOST_GUESTS or math.isnan(float(np.abs(speed).max())):
        raise ValueError("nobody that is followed")
    return GuestBody(slot, joints, place, legs), np.clip(speed, -FARTHEST, FARTHEST)


class WatchProcess:
    """`python -m visualizer.camera.watch`."""

    def __init__(self, name: str) -> None:
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(_ROOT)]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "visualizer.camera.watch", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            errors="replace", env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def lines(self) -> Iterable[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def send(self, order: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):  # it has ended, which the thread that reads it sees
            pass

    def close(self) -> None:
        """It ends when nobody gives it orders any more; else by force, so that the camera is off."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(CLOSING)
        except subprocess.TimeoutExpired:
            self._process.kill()


def start_process(name: str) -> Process:
    """Start looking through the camera of that name."""
    return WatchProcess(name)
