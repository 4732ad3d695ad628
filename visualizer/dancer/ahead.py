"""The next picture's bodies, made on a thread of their own while this picture is painted and shown.

onnxruntime lets go of the interpreter while a network runs, so with a second core a live picture waits for no network.
A film needs none of this: it knows when each of its pictures is, and asks for them in turn.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from visualizer.moment import Bodies

NEAR = 1 / 32  # beats, 16 ms at 120 BPM: bodies that were made for a moment so near are right for a picture


class Stepping(Protocol):
    """What is asked of the dancers here."""

    def step_to(self, musical_time: float, energy: float) -> None: ...
    def picture(self, musical_time: float) -> Bodies: ...


class Ahead:
    """At most one picture is made ahead. While it is, nothing else may be asked of the dancers: `settle` comes first.

    For use from one thread; the thread of its own begins with the first picture that is asked for.
    """

    def __init__(self, dancers: Stepping) -> None:
        self._dancers = dancers
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dancers")
        self._work: Future[Bodies] | None = None
        self._moment = 0.0  # beats: when that picture is thought to be
        self.seconds = 0.0  # that the latest took to be made

    def begin(self, musical_time: float, energy: float) -> None:
        """Make the bodies of a picture at about `musical_time`, beats. One that was begun before is not wanted."""
        self.settle()
        self._moment = musical_time
        self._work = self._pool.submit(self._make, musical_time, energy)

    def _make(self, musical_time: float, energy: float) -> Bodies:
        begun = time.perf_counter()
        self._dancers.step_to(musical_time, energy)
        bodies = self._dancers.picture(musical_time)
        self.seconds = time.perf_counter() - begun
        return bodies

    def settle(self) -> None:
        """Wait until nothing is being made; what fails is told by `take`."""
        if self._work is not None and not self._work.done():
            wait([self._work])

    def take(self, musical_time: float) -> Bodies | None:
        """What was begun, where it was for about `musical_time`; else None: step, and make it now.

        Raises what the dancers have raised.
        """
        work, self._work = self._work, None
        if work is None:
            return None
        bodies = work.result()
        return bodies if abs(musical_time - self._moment) <= NEAR else None
