"""Changes of dance are found where they are, and a new dance is recognised when it is there."""

from __future__ import annotations

import numpy as np

from training.evaluate.change_metrics import beat_after, find_changes, share_recognised
from training.evaluate.copy_metrics import Known
from visualizer.dancer.pack import STEPS_PER_BEAT

BEAT = STEPS_PER_BEAT


def test_changes_are_of_dance_or_of_style() -> None:
    dance = np.repeat([3, 3, -1, -1, 4], BEAT)
    style = np.repeat([0, 0, 0, 1, 1], BEAT)
    np.testing.assert_array_equal(find_changes(style, dance), [2 * BEAT, 3 * BEAT, 4 * BEAT])
    assert len(find_changes(style[: 2 * BEAT], dance[: 2 * BEAT])) == 0


def test_beats_after_a_change() -> None:
    dance = np.arange(6 * BEAT, dtype=np.float32)[:, None, None] * np.ones((1, 21, 2), np.float32)
    changes = np.array([BEAT, 4 * BEAT])
    second = beat_after(dance, changes, 2)
    assert second.shape == (1, BEAT + 1, 21, 2)  # the second change is too near to the end
    assert second[0, 0, 0, 0] == 2 * BEAT
    assert len(beat_after(dance, changes, 1)) == 2


def test_a_beat_is_recognised_by_its_nearest_dance() -> None:
    rng = np.random.default_rng(1)
    dances = rng.normal(0, 0.3, (6, BEAT, 21, 2)).astype(np.float32)
    known = Known(dances, np.array([0, 0, 1, 1, 2, 2]), 2)
    asked = np.array([0, 1, 2])
    near = dances[::2] + rng.normal(0, 0.02, dances[::2].shape).astype(np.float32)
    assert share_recognised(near, asked, known) == 1
    assert share_recognised(near, np.array([0, 1, 1]), known) == 2 / 3
