"""Bones, feet, accents and hands of bodies whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.motion.skeleton import INDEX
from training.evaluate import body_metrics as bm
from training.evaluate.metrics import STEPS_PER_SECOND
from training.evaluate.real import see_positions
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT


def written(axes: int) -> np.ndarray:
    """A written dance, joints (S, 21, axes)."""
    return see_positions(perform(DANCES[0], 0.5, STEPS_PER_BEAT).positions).body(axes)


def stand(seconds: float = 4) -> np.ndarray:
    """A body in space that stands still with its feet flat on the floor: the first step of a dance, (S, 21, 3)."""
    body = np.repeat(written(3)[:1], round(seconds * STEPS_PER_SECOND), axis=0)
    floor = FLOOR * FRAME_METRES
    for side in ("left", "right"):
        body[:, INDEX[f"{side}_ankle"], 1] = floor - 0.08
        body[:, INDEX[f"{side}_toe"], 1] = floor - 0.03
    return body


def sliding(axis: int, speed: float) -> np.ndarray:
    body = stand()
    body[..., axis] += (np.arange(len(body)) * speed / STEPS_PER_SECOND)[:, None]
    return body


@pytest.mark.parametrize("axes", [2, 3])
def test_a_written_dance_has_no_limb_that_is_too_long(axes: int) -> None:
    body = written(axes)
    assert bm.share_too_long([body], 0.01) == 0
    longest = bm.bone_stretch(body).max()
    assert longest == pytest.approx(1, abs=1e-3) if axes == 3 else longest <= 1.001


def test_a_stretched_arm_is_found_by_as_much_as_it_is_stretched() -> None:
    body = written(3)
    elbow, wrist = INDEX["left_elbow"], INDEX["left_wrist"]
    body[: len(body) // 4, wrist] += 0.3 * (body[: len(body) // 4, wrist] - body[: len(body) // 4, elbow])
    assert bm.limb_stretch(body[:4]) == pytest.approx([1.3] * 4, abs=1e-3)
    assert bm.share_too_long([body], 0.25) == pytest.approx(0.25, abs=1 / len(body))
    assert bm.share_too_long([body], 0.35) < 0.25  # the hand, which did not move along, may be farther still


def test_shoulders_and_hips_are_no_limbs() -> None:
    body = written(3)
    body[:, INDEX["left_shoulder"]] += (0.1, 0, 0)
    assert bm.bone_stretch(body).max() > 1.2
    moved = written(3)
    arm = [INDEX[f"left_{n}"] for n in ("shoulder", "elbow", "wrist", "hand")]
    moved[:, arm] += (0.1, 0, 0)
    assert bm.share_too_long([moved], 0.1) == 0


def test_foot_skate_ratio() -> None:
    assert bm.foot_skate_ratio([stand()]) == 0
    assert bm.foot_skate_ratio([sliding(0, 0.7)[..., :2]]) == 1
    assert bm.foot_skate_ratio([sliding(0, 0.2)[..., :2]]) == 0  # slower than counts
    assert bm.foot_skate_ratio([sliding(2, 0.7)]) == 1  # in depth, where there is depth
    assert bm.foot_skate_ratio([sliding(2, 0.7)[..., :2]]) == 0
    lifted = sliding(0, 0.7)
    lifted[..., 1] -= 0.3
    assert bm.foot_skate_ratio([lifted]) == 0  # never on the floor
    half = np.concatenate([stand(), sliding(0, 0.7) - sliding(0, 0.7)[:1] + stand()[:1]])
    assert bm.foot_skate_ratio([half]) == pytest.approx(0.5, abs=0.01)


def test_jerk_of_a_sine_is_that_of_the_formula() -> None:
    body = stand(8)
    omega = 2 * np.pi  # once a second
    body[:, INDEX["chest"], 1] += 0.1 * np.sin(omega * np.arange(len(body)) / STEPS_PER_SECOND)
    assert bm.chest_jerk([body]) == pytest.approx(0.1 * omega**3 * 2 / np.pi, rel=0.02)
    assert bm.chest_jerk([stand()]) == pytest.approx(0, abs=1e-2)


def test_acceleration_that_gathers_on_the_beat() -> None:
    steps = np.arange(64 * STEPS_PER_BEAT)
    even, struck = (np.zeros((len(steps), 21, 2), np.float32) for _ in range(2))
    even[:, :, 0] = np.sin(0.37 * steps)[:, None]  # of no beat
    struck[:, :, 0] = np.cumsum(np.cumsum(steps % STEPS_PER_BEAT == 4) - (steps + 12) / 16)[:, None]
    assert bm.peak_acceleration([even]) < 1.15
    assert bm.peak_acceleration([struck]) > 4


def test_bounce_is_the_top_speed_of_the_pelvis() -> None:
    body = stand(8)
    omega = 2 * np.pi * 2  # once a beat
    body[:, :, 1] += 0.04 * np.sin(omega * np.arange(len(body)) / STEPS_PER_SECOND)[:, None]
    assert bm.bounce([body]) == pytest.approx(0.04 * omega, rel=0.03)  # differences of 16 steps a turn
    assert bm.bounce([stand()]) == 0
    assert bm.bounce([sliding(0, 0.5)]) == 0


def with_hand(down: float, across: float, steps: int) -> np.ndarray:
    """Standing for an hour's 450th, with the left hand for `steps` that far below and beside the middle of the hips."""
    body = stand(8)
    middle = (body[0, INDEX["left_hip"]] + body[0, INDEX["right_hip"]]) / 2
    away = np.array([2, 0, 0], np.float32)
    for name in ("left_wrist", "left_hand", "right_wrist", "right_hand"):
        body[:, INDEX[name]] = middle + away
    body[16 : 16 + steps, [INDEX["left_wrist"], INDEX["left_hand"]]] = middle + np.array([across, down, 0], np.float32)
    return body


def test_hands_before_the_crotch_are_counted() -> None:
    times, share = bm.hands_before_crotch([with_hand(0.15, 0, 16)])
    assert times == pytest.approx(450)
    assert share == pytest.approx(16 / 256)
    for body in (with_hand(0.15, 0.2, 16), with_hand(-0.1, 0, 16), with_hand(0.5, 0, 16), with_hand(0.15, 0, 3)):
        assert bm.hands_before_crotch([body]) == (0, 0)  # beside, above, below, passing
    flat = with_hand(0.15, 0, 16)[..., :2]
    assert bm.hands_before_crotch([flat])[0] == pytest.approx(450)
