"""The camera's rate goes down before the show's, and comes back after it."""

from __future__ import annotations

from visualizer.stage.camera_rate import PATIENCE, RATES, SETTLE, CameraRate
from visualizer.stage.governor import Governor


def test_without_a_camera_nothing_is_lowered() -> None:
    each = CameraRate()
    assert not each.lower(10.0)
    assert each.rate == RATES[0]


def test_it_goes_down_step_by_step_to_the_last() -> None:
    each, now = CameraRate(), 10.0
    each.on = True
    for rate in RATES[1:]:
        assert each.lower(now)
        assert each.rate == rate
        assert not each.lower(now + SETTLE / 2)
        now += SETTLE
    assert not each.lower(now)


def test_it_comes_back_after_a_while_and_later_where_that_was_too_soon() -> None:
    each = CameraRate()
    each.on = True
    each.lower(10.0)
    assert not each.spare(11.0, True)
    assert each.spare(10.0 + PATIENCE + 0.1, True)
    each.lower(25.0)
    assert not each.spare(25.0 + PATIENCE + 1, True)
    assert each.spare(25.0 + 2 * PATIENCE + 1, True)


def test_time_that_is_short_again_begins_the_wait_again() -> None:
    each = CameraRate()
    each.on = True
    each.lower(10.0)
    each.spare(15.0, False)
    assert not each.spare(10.0 + PATIENCE + 1, True)


def run(governor: Governor, seconds: float, work: float, now: float) -> tuple[float, list[tuple[float, float]]]:
    """Frames of so much work; what was in force after each change."""
    seen, end = [], now + seconds
    while now < end:
        now += 1 / governor.rate
        if governor.frame(now, work):
            seen.append((governor.camera.rate, governor.rate))
    return now, seen


def test_the_governor_lowers_the_camera_first() -> None:
    governor = Governor(60)
    governor.camera.on = True
    now, seen = run(governor, 60.0, 0.024, 0.0)
    assert [camera for camera, rate in seen if rate == 60] == list(RATES[1:])
    assert seen[len(RATES) - 1][1] < 60
    _, seen = run(governor, 120.0, 0.002, now)
    assert governor.rate == 60
    assert governor.camera.rate == RATES[0]
    assert seen[0] == (RATES[-1], 60)  # the show's comes back first
