"""Copycat: the troupe repeats what a guest has danced for the last eight beats, and then varies it.

What was danced is kept by musical time, so its repetition falls on the beats on which it was danced, at any tempo.
Meanwhile each half beat of it is looked up among the letters of the pack (`letter_poses.py`): the choreographer is told
that it wrote these, and the dancer network dances them, so the choreographer goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.networks.session import first_line

from .letter_poses import LetterPoses
from .pack import PHRASE_BEATS, STEPS_PER_BEAT, STEPS_PER_LETTER, Pack

LENGTH = PHRASE_BEATS * STEPS_PER_BEAT  # steps that are kept, and repeated
LETTERS = LENGTH // STEPS_PER_LETTER
FADE_STEPS = STEPS_PER_BEAT / 2  # in which the repetition begins and ends
KNOWN = 0.75  # share of the steps in which a guest must have danced
OWN = 4  # each so many letters of the variation, one is the choreographer's own
_log = logging.getLogger(__name__)

NOBODY = "copycat: dance for eight beats before the camera first"


class Copycat:
    """`share`: how much of the picture is the repetition, 0..1."""

    def __init__(self, pack: Pack) -> None:
        self.share = 0.0
        self._pack = pack
        self._bodies = np.zeros((LENGTH, 21, 3))  # of steps, by their number modulo LENGTH
        self._known = np.zeros(LENGTH, bool)
        self._step: int | None = None  # kept last
        self._begun: int | None = None  # the step at which the repetition began
        self._letters: NDArray[np.int64] | None = None  # (LETTERS,) by the number of the half beat modulo LETTERS
        self._poses: LetterPoses | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._finding: Future[None] | None = None

    @property
    def on(self) -> bool:
        """Whether it repeats or varies."""
        return self._begun is not None

    def record(self, musical_time: float, body: NDArray[np.float64] | None) -> None:
        """A guest is shown as `body` (21, 3) at that time; None: nobody is. Not while it repeats."""
        step = int(np.floor(musical_time * STEPS_PER_BEAT))
        if self.on:
            return
        is_apart = self._step is None or not 0 <= step - self._step <= LENGTH
        # The first picture of a step is nearest to when it begins.
        for number in range(step if is_apart or self._step is None else self._step + 1, step + 1):
            self._known[number % LENGTH] = body is not None
            if body is not None:
                self._bodies[number % LENGTH] = body
        self._step = step

    def prepare(self) -> None:
        """Guests may come: find out what letters look like, which takes about a second, on a thread of its own."""
        if self._poses is None and self._finding is None and self._pack.body is not None:
            self._find(self._trace_letters)

    def begin(self) -> None:
        """Repeat the last eight beats from now on. UserError where nobody has danced for so long."""
        if self._step is None or self._pack.body is None or self._known.mean() < KNOWN:
            raise UserError(NOBODY)
        order = (np.arange(LENGTH) + self._step + 1) % LENGTH
        known = np.flatnonzero(self._known[order])
        nearest = known[np.abs(known[None] - np.arange(LENGTH)[:, None]).argmin(axis=1)]
        self._bodies[order] = self._bodies[order[nearest]]
        self._begun, self._letters = self._step + 1, None
        self._find(self._find_letters)

    def end(self) -> None:
        """No more of it."""
        self._begun = None
        self._known[:] = False
        self._step = None

    def follow(self, musical_time: float) -> bool:
        """Go on to that time. Whether guests are to watch."""
        if self._begun is None:
            self.share = max(self.share - 1 / STEPS_PER_BEAT, 0.0)
            return False
        passed = musical_time * STEPS_PER_BEAT - self._begun
        if passed >= 2 * LENGTH or passed < -LENGTH:  # the end, or a clock that was set back
            self.end()
            return False
        self.share = float(np.clip(min(passed / FADE_STEPS, (LENGTH - passed) / FADE_STEPS + 1), 0.0, 1.0))
        return True

    def body(self, musical_time: float) -> NDArray[np.float64]:
        """What was danced eight beats before, (21, 3) metres."""
        place = musical_time * STEPS_PER_BEAT
        first = int(np.floor(place))
        a, b = self._bodies[first % LENGTH], self._bodies[(first + 1) % LENGTH]
        return a + (place - first) * (b - a)

    def letter_at(self, step: int) -> int | None:
        """The letter that begins at that step; None: the choreographer chooses."""
        if self._begun is None or self._letters is None:
            return None
        number = (step - self._begun) // STEPS_PER_LETTER
        if not 0 <= number < 2 * LETTERS or (number >= LETTERS and number % OWN == OWN - 1):
            return None
        return int(self._letters[step // STEPS_PER_LETTER % LETTERS])

    def wait(self) -> None:
        """Until what is being found is found."""
        if self._finding is not None:
            self._finding.result()

    def _find(self, what: Callable[[], None]) -> None:
        """Find it on a thread, after what is being found already. At the end of the program it is waited for: a network
        that runs while all is taken down would take the program down with it."""
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="copycat")
        self._finding = self._pool.submit(what)

    def _trace_letters(self) -> None:
        if self._poses is None:
            try:
                self._poses = LetterPoses(self._pack)
            except Exception as error:  # noqa: BLE001 - a stranger's network may raise anything; all but this goes on
                _log.warning("the letters of pack %s cannot be had: %s", self._pack.name, first_line(error))

    def _find_letters(self) -> None:
        space = self._pack.body
        self._trace_letters()
        if space is None or self._poses is None:
            return
        moves = space.latents(self._bodies.astype(np.float32)).reshape(LETTERS, STEPS_PER_LETTER, -1)
        self._letters = self._poses.nearest(moves)
