"""Keeps the dance even where the processor paints: the rate is lowered first, then the detail of effects.

What people see of a dance is evenness: 30 frames a second, each seen equally long, with all effects, look better than
60 of which some are late. So where the work of a frame takes too long, the rate goes down to the next whole part of the
display's, to 30 or a little less; only then effects become coarser, and only where that saves work; and last the rate
goes below that.

Both come back as soon as the work is predicted to fit, by a model that is fitted while the show runs: for each look,
how much more or less work each step of rate and detail was found to be than another. A step that came back and was
too much after all is tried again later and later. Where a camera is on, its rate goes down before all of that, and
comes back after it (camera_rate.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from visualizer.stage.camera_rate import CameraRate

LEAST = 2  # the coarsest detail; 0 has all effects
EVEN = 28.0  # frames a second, the fewest that are taken before effects become coarser
SLOWEST = 12.0  # frames a second, the fewest of all

START = 5.0  # seconds of a show that do not count: all is loaded and made for the first time
SETTLE = 1.0  # seconds after a step or a change of looks that do not count: what is cached is made again
WINDOW = 3.0  # seconds that are looked at
THIRDS, FEWEST = 3, 9  # parts of the window, each of which has to be too much; frames in it at the least
HIGH, FITS = 0.95, 0.80  # of the time of a frame: what is too much, and what another step may be predicted to take
USUAL = 0.9  # share of frames that take no longer than what is taken for their work: a tenth late is uneven
SAVES = 0.9  # a step of detail that leaves more of the work than this saves nothing
COARSER = 0.7  # of the work, supposed to be left by a step of detail that was never measured
LIKELY = (0.3, 1.15)  # what one step can make of the work; more is another program's doing
EVENLY = 0.85  # of the work, at least left by a step of the rate alone: a frame is as much work at any rate
SPARE, PATIENCE = 0.5, 6.0  # of the time of a frame, and seconds: after that a step is tried whatever the model says
SPARE_FOR_CAMERA = 0.7  # of the time of a frame, up to which more of the camera may be looked at
SOON = 15.0  # seconds within which a step that came back is found to be too much
AGAIN, MOST_AGAIN = 10.0, 640.0  # seconds until the next step back after the first failure, and after many
FORGET = 300.0  # seconds until what was tried, and found to save nothing or to be too much, may be tried again


class Step(NamedTuple):
    """Frames a second, and what is left out: 0 nothing to LEAST."""

    rate: float
    detail: int


@dataclass
class _Scene:
    """What is known of one look at one size with one troupe."""

    step: Step | None = None  # at which it was shown last
    details: Sequence[int] = range(LEAST + 1)  # those that are said to save something, rising, and 0
    cost: dict[Step, float] = field(default_factory=dict)  # work of each step, of that of the first
    useless: dict[int, float] = field(default_factory=dict)  # details that save nothing, and until when that holds
    tried: dict[Step, float] = field(default_factory=dict)  # steps tried against the model, and when they may be again
    failures: int = 0  # steps back that were too much, in a row
    not_before: float = 0.0  # when the next step back may be


def find_rates(most: float, refresh: float) -> tuple[float, ...]:
    """`most` frames a second, and then the whole parts of the display's `refresh` below it."""
    parts = (refresh / k for k in range(1, int(refresh / SLOWEST) + 1))
    return most, *(rate for rate in parts if rate < 0.9 * most)


class Governor:
    """Decides rate and detail from times that others measure. `rate` and `detail` are those in force."""

    def __init__(self, most: float, refresh: float | None = None) -> None:
        """`most`: frames a second where there is time for all; `refresh`: of the display, the same if None."""
        self.camera = CameraRate()
        self._display, self._step = (0.0, 0.0), Step(most, 0)
        self.fit(most, refresh or most)
        self._scenes: dict[Hashable, _Scene] = {}
        self._scene, self._key = _Scene(), None
        self._began = False
        self._raised: tuple[float, Step] | None = None  # when a step came back, and which it left
        self._came_from: tuple[Step, float] | None = None  # the step before this one, and its work, s
        self._restart(0.0, 0.0)

    def fit(self, most: float, refresh: float) -> None:
        """Keep to another display, or another rate of it, if it is another."""
        if (most, refresh) != self._display:
            self._display = most, refresh
            self._rates = find_rates(most, refresh)
            self._step = Step(most, self.detail)

    @property
    def rate(self) -> float:
        return self._step.rate

    @property
    def detail(self) -> int:
        return self._step.detail

    def frame(self, now: float, work: float, scene: Hashable = None, details: Sequence[int] = range(LEAST + 1)) -> bool:
        """A frame of `scene` was shown at `now` after `work` seconds without waiting. Whether rate or detail change, or
        the camera's rate.

        `details` are those that save something in this scene, rising, and 0; others are not taken.
        """
        if not self._began:
            self._began = True
            self._restart(now, START)
        if scene != self._key:
            return self._turn_to(scene, now, details)
        self._scene.details = details
        if now < self._counts_from:
            return False
        frames = self._frames
        frames.append((now, work))
        while len(frames) > FEWEST and frames[0][0] < now - WINDOW:
            frames.popleft()
        if len(frames) < FEWEST or now - self._counts_from < WINDOW:
            return False
        taken = [work for _, work in frames]
        third = len(taken) // THIRDS
        usual = find_usual(taken)
        if self._came_from is not None and self._learn(now, usual):
            return True
        if min(find_usual(taken[k * third : (k + 1) * third]) for k in range(THIRDS)) > HIGH / self.rate:
            if self.camera.lower(now):
                self._restart(now, SETTLE)
                return True
            return self._go_down(now, usual)
        if self._go_up(now, usual):
            return True
        is_best = self._step == self._ladder(now)[0]
        return self.camera.spare(now, is_best and usual < SPARE_FOR_CAMERA / self.rate)

    # --- steps

    def _ladder(self, now: float) -> list[Step]:
        """All steps, in the order in which they are taken."""
        even = [rate for rate in self._rates if rate >= EVEN] or [self._rates[0]]
        details = [d for d in self._scene.details if d > 0 and self._scene.useless.get(d, 0.0) < now]
        last = details[-1] if details else 0
        slow = [rate for rate in self._rates if rate < even[-1]]
        return [
            *(Step(rate, 0) for rate in even),
            *(Step(even[-1], detail) for detail in details),
            *(Step(rate, last) for rate in slow),
        ]

    def _go_down(self, now: float, usual: float) -> bool:
        below = [step for step in self._ladder(now) if is_below(step, self._step)]
        if self._raised is not None and now - self._raised[0] < SOON:
            scene, left = self._scene, self._raised[1]
            scene.not_before = now + min(AGAIN * 2**scene.failures, MOST_AGAIN)
            scene.failures += 1
            if left in below:  # where there was time for all
                below = below[below.index(left) :]
        self._raised = None
        return bool(below) and self._take(below[0], now, usual)

    def _go_up(self, now: float, usual: float) -> bool:
        """Back to the best step that is predicted to fit; or, with much time to spare, to the next all the same."""
        scene = self._scene
        if self._raised is not None and now - self._raised[0] > SOON:
            scene.failures, self._raised = 0, None
        above = [step for step in self._ladder(now) if is_below(self._step, step)]
        if not above or usual > SPARE / self.rate:
            self._spare_since = now
        if not above or now < scene.not_before:
            return False
        fits = [step for step in above if self._predict(usual, step) <= FITS / step.rate]
        if not fits and now - self._spare_since >= PATIENCE and now >= scene.tried.get(above[-1], 0.0):
            scene.tried[above[-1]] = now + FORGET
            fits = above[-1:]
        if not fits:
            return False
        self._raised = now, self._step
        return self._take(fits[0], now, usual)

    def _take(self, step: Step, now: float, usual: float) -> bool:
        self._came_from = self._step, usual
        self._step = self._scene.step = step
        self._restart(now, SETTLE)
        return True

    def _turn_to(self, key: Hashable, now: float, details: Sequence[int]) -> bool:
        """Another scene: at the step at which it was shown last, if it was. Whether that is another."""
        before, is_first = self._step, self._key is None
        if now - self._counts_from >= WINDOW:
            self._scene.step = before
        self._key = key
        self._scene = self._scenes.setdefault(key, _Scene())
        self._scene.details = details
        if self._scene.step is not None and self._scene.step in self._ladder(now):
            self._step = self._scene.step
        elif before.detail not in details:
            self._step = before._replace(detail=max(each for each in details if each <= before.detail))
        self._came_from = self._raised = None
        if not is_first:
            self._restart(now, max(SETTLE, self._counts_from - now))
        return self._step != before

    def _restart(self, now: float, unheeded: float) -> None:
        """Look at frames from `unheeded` seconds later on alone."""
        self._frames: deque[tuple[float, float]] = deque()
        self._counts_from = now + unheeded
        self._spare_since = self._counts_from

    # --- the model

    def _learn(self, now: float, usual: float) -> bool:
        """Compare this step with the one before it. Whether a step was taken, because this one saves nothing."""
        assert self._came_from is not None
        (before, work), here = self._came_from, self._step
        self._came_from = None
        is_down, coarser = is_below(here, before), here.detail - before.detail
        ratio = max(usual, 1e-6) / max(work, 1e-6)
        ratio = min(ratio, LIKELY[1]) if is_down else max(ratio, 1 / LIKELY[1])
        least = EVENLY if not coarser else LIKELY[0]
        ratio = max(ratio, least) if is_down else min(ratio, 1 / least)
        cost = self._scene.cost
        if here not in cost or is_down:
            cost[here] = cost.setdefault(before, 1.0) * ratio
        else:
            cost[before] = cost[here] / ratio
        if not is_down or coarser <= 0 or ratio <= SAVES:
            return False
        self._scene.useless[here.detail] = now + FORGET
        below = [step for step in self._ladder(now) if is_below(step, here)]
        is_slow = usual > HIGH / self.rate
        return self._take(below[0] if is_slow and below else before, now, usual)

    def _predict(self, usual: float, step: Step) -> float:
        """Seconds of work that a frame will be at another step."""
        cost = self._scene.cost
        if self._step in cost and step in cost:
            return usual * cost[step] / cost[self._step]
        return usual * COARSER ** (step.detail - self.detail)


def is_below(step: Step, other: Step) -> bool:
    """Whether a step comes after another one: it has a lower rate, or the same and less detail."""
    return (-step.rate, step.detail) > (-other.rate, other.detail)


def find_usual(times: list[float]) -> float:
    """What most of them do not exceed."""
    return sorted(times)[int(len(times) * USUAL)]
