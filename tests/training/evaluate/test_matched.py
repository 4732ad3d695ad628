"""Real windows are found for what was danced: of the same dance, at the same beat, of the nearest energy."""

from __future__ import annotations

import numpy as np

from training.evaluate.matched import Pool, Wanted
from training.evaluate.real import Real
from training.evaluate.studio import Danced
from visualizer.dancer.pack import STEPS_PER_BEAT

BEAT = STEPS_PER_BEAT


def take(style: str, dance: str, energy: float, mark: float, beats: int = 16) -> Real:
    """A take whose joints are all at `mark` plus the number of the beat."""
    beat = mark + np.repeat(np.arange(beats), BEAT).astype(np.float32)
    joints = np.tile(beat[:, None, None], (1, 21, 2))
    return Real(style, dance, False, True, np.full(len(beat), energy, np.float32), Danced(joints, joints))


TAKES = [take("a", "hop", 0.2, 100), take("a", "hop", 0.9, 200), take("b", "sway", 0.5, 300)]


def found(*wanted: Wanted) -> list[float]:
    """The mark and beat of each."""
    pool = Pool(TAKES, 2 * BEAT)
    rows = pool.match(wanted, 0)
    return [float(pool.bodies([row], 2)[0, 0, 0, 0]) if row >= 0 else -1 for row in rows]


def test_the_same_dance_at_the_same_beat_with_the_nearest_energy() -> None:
    low, high = found(Wanted("hop", "a", 0.3, 11), Wanted("hop", "a", 0.8, 11))
    assert low in (103, 111)
    assert high in (203, 211)


def test_windows_are_not_taken_twice_while_there_are_others() -> None:
    marks = found(*[Wanted("hop", "a", 0.2, 3)] * 2)
    assert sorted(marks) == [103, 111]
    assert len(found(*[Wanted("hop", "a", 0.2, 3)] * 5)) == 5


def test_what_is_improvised_is_of_the_style_and_what_is_unknown_is_left_out() -> None:
    improvised, unknown = found(Wanted("", "b", 0.1, 4), Wanted("twirl", "b", 0.5, 0))
    assert improvised in (304, 312)
    assert unknown == -1
