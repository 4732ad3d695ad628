"""Keeps the frame rate where the processor paints: effects are scaled down, smoothness never.

It watches how long the work of a frame takes. Where that is too much for the rate, a step of effects goes. It comes
back after a while with time to spare; where that was too much, only after a much longer one, so that a machine that
is just too slow settles instead of swinging to and fro.
"""

from __future__ import annotations

from collections import deque

LEAST = 3  # the coarsest detail; 0 has all effects
WINDOW = 1.0  # seconds that are looked at
HIGH, LOW = 0.92, 0.60  # of the time that a frame may take: above, effects go; below, they may come back
SETTLE = 0.5  # seconds after a step that do not count: what is cached is made again
PATIENCE, AGAIN, MOST_PATIENCE = 20.0, 60.0, 600.0  # seconds with time to spare: at first, after a failure, at most
TRIED = 120.0  # seconds within which it is the effects' fault that they have to go again
FEWEST = 4  # frames that are looked at, however long they take


class Governor:
    """Decides the detail, 0..LEAST, from times that others measure."""

    def __init__(self, rate: float) -> None:
        """`rate`: frames a second to be kept."""
        self.detail = 0
        self._budget = 1 / rate
        self._work: deque[tuple[float, float]] = deque()  # when, and how long, s
        self._counts_from = 0.0
        self._spare_since: float | None = None
        self._patience = PATIENCE
        self._raised = -TRIED  # when effects last came back

    def frame(self, now: float, work: float) -> int | None:
        """A frame was done at `now` after `work` seconds without waiting. The new detail if it changes, else None."""
        if now < self._counts_from:
            return None
        self._work.append((now, work))
        while len(self._work) > FEWEST and self._work[0][0] < now - WINDOW:
            self._work.popleft()
        if len(self._work) < FEWEST or now - self._work[0][0] < WINDOW / 2:
            return None
        # Three frames of four: does not mind single spikes, but every other frame too late.
        used = sorted(work for _, work in self._work)[len(self._work) * 3 // 4] / self._budget
        if used > HIGH and self.detail < LEAST:
            if now - self._raised < TRIED:
                self._patience = min(max(2 * self._patience, AGAIN), MOST_PATIENCE)
            elif self.detail == 0:
                self._patience = PATIENCE
            return self._step(1, now)
        if used > LOW or not self.detail:
            self._spare_since = None
            return None
        if self._spare_since is None:
            self._spare_since = now
        if now - self._spare_since < self._patience:
            return None
        self._raised = now
        return self._step(-1, now)

    def _step(self, step: int, now: float) -> int:
        self.detail += step
        self._work.clear()
        self._spare_since = None
        self._counts_from = now + SETTLE
        return self.detail
