"""From landmarks to bodies: joints where they are, one movement, left and right kept, feet on the floor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.made_clips import FPS, dance_motion
from tests.support.made_landmarks import METRE, landmarks_of, track_of
from training.data.footage.made import at_rate
from training.data.footage.pose import _MIRROR, find_body, lift, to_space, untwist
from training.data.footage.scale import metre_of
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.legs import ANKLES, TOES
from training.data.motion.skeleton import ANKLE_HEIGHT, BONES, INDEX, LENGTHS

RATE = 24.0


def danced(seconds: float = 4.0, name: str = "two-step sway") -> NDArray[np.float32]:
    """A dance in which the dancer does not leave the middle."""
    positions = fit_skeleton(at_rate(dance_motion(name, 110, 16)[0], FPS, RATE, seconds)).positions
    positions[..., ::2] -= positions[:, :1, ::2].mean(axis=0)
    return positions


def error_cm(found: NDArray, true: NDArray, axes: int = 2) -> float:
    """Mean distance of joints, without depth, which a picture does not show, in centimetres."""
    return 100 * float(np.linalg.norm((found - true)[..., :axes], axis=-1).mean())


def times_of(motion: NDArray, rate: float = RATE) -> NDArray[np.float64]:
    return np.arange(len(motion)) / rate


@pytest.fixture(scope="module")
def motion() -> NDArray[np.float32]:
    return danced()


def body_of(landmarks: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float32]:
    body = find_body(landmarks, track_of(len(landmarks)), times)
    assert body is not None
    return body


def test_joints_are_where_the_landmarks_are(motion: NDArray[np.float32]) -> None:
    body = body_of(landmarks_of(motion), times_of(motion))
    assert error_cm(body, motion) < 3.5
    assert np.linalg.norm(body[:, BONES[:, 1]] - body[:, BONES[:, 0]], axis=-1) == pytest.approx(
        np.broadcast_to(LENGTHS, (len(body), len(LENGTHS))), abs=0.07
    )  # shoulders may be narrower or wider


def test_noise_is_smoothed_away(motion: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(1)
    landmarks = landmarks_of(motion)
    noisy = landmarks.copy()
    noisy[..., :2] += rng.normal(0, 4, noisy[..., :2].shape)
    body, clean = body_of(noisy, times_of(motion)), body_of(landmarks, times_of(motion))
    jerk = [np.abs(np.diff(b[:, INDEX["left_wrist"], :2], n=3, axis=0)).mean() for b in (body, clean)]
    raw = np.abs(np.diff(noisy[:, 15, :2] / METRE, n=3, axis=0)).mean()
    assert jerk[0] < 0.25 * raw
    assert error_cm(body, motion) < error_cm(clean, motion) + 1.5


def test_what_is_not_surely_seen_counts_less(motion: NDArray[np.float32]) -> None:
    """An arm behind the back is guessed a metre away for half a second; the path between is better."""
    landmarks = landmarks_of(motion)
    for number in (15, 17, 19, 21):
        landmarks[40:52, number, 0] += METRE
        landmarks[40:52, number, 5] = 0.05
    believed = landmarks.copy()
    believed[..., 5] = 1.0
    found, fooled = body_of(landmarks, times_of(motion)), body_of(believed, times_of(motion))
    wrist = INDEX["left_wrist"]
    off = [np.abs(b[40:52, wrist, 0] - motion[40:52, wrist, 0]).mean() for b in (found, fooled)]
    assert off[0] < 0.15
    assert off[0] < 0.5 * off[1]


def test_left_and_right_that_change_places_are_put_back(motion: NDArray[np.float32]) -> None:
    landmarks = landmarks_of(motion)
    twisted = landmarks.copy()
    for part in (slice(20, 24), slice(50, 51), slice(70, 82)):
        twisted[part] = twisted[part][:, _MIRROR]
    points, _ = to_space(twisted, track_of(len(twisted)))
    straight, swapped = untwist(points)
    assert np.flatnonzero(swapped).tolist() == [*range(20, 24), 50, *range(70, 82)]
    assert straight == pytest.approx(to_space(landmarks, track_of(len(landmarks)))[0])
    assert not untwist(straight)[1].any()


def test_a_varying_frame_rate_changes_nothing(motion: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(2)
    kept = np.sort(rng.choice(len(motion), 2 * len(motion) // 3, replace=False))
    kept = np.unique([0, *kept, len(motion) - 1])
    body = body_of(landmarks_of(motion)[kept], times_of(motion)[kept])
    assert error_cm(body, motion[kept]) < 4


def test_pictures_in_which_nobody_is_seen_are_bridged(motion: NDArray[np.float32]) -> None:
    landmarks = landmarks_of(motion)
    landmarks[30:33] = np.nan
    body = body_of(landmarks, times_of(motion))
    assert np.isfinite(body).all()
    assert error_cm(body[29:34], motion[29:34]) < 5


def test_where_hardly_anybody_is_seen_there_is_no_body(motion: NDArray[np.float32]) -> None:
    landmarks = landmarks_of(motion)
    landmarks[: len(motion) // 2] = np.nan
    assert find_body(landmarks, track_of(len(motion)), times_of(motion)) is None


def test_feet_stand_on_the_floor_and_jumps_are_jumps(motion: NDArray[np.float32]) -> None:
    rise = 0.35 * np.clip(1 - np.square((times_of(motion) - 2.0) / 0.3), 0, None)
    jumping = motion.copy()
    jumping[..., 1] += rise[:, None].astype(np.float32)
    body = body_of(landmarks_of(jumping), times_of(motion))
    lowest = np.minimum(body[:, ANKLES, 1].min(axis=1) - ANKLE_HEIGHT, body[:, TOES, 1].min(axis=1) - 0.03)
    assert np.abs(lowest[rise == 0]).max() < 0.06
    assert lowest[int(2.0 * RATE)] > 0.2


def test_size_is_told_by_the_limbs_also_of_one_who_crouches(motion: NDArray[np.float32]) -> None:
    landmarks = landmarks_of(motion)
    assert metre_of(landmarks) == pytest.approx(METRE, rel=0.08)
    half = landmarks.copy()
    half[..., :2] /= 2
    assert metre_of(half) == pytest.approx(metre_of(landmarks) / 2)
    assert np.isnan(metre_of(np.full_like(landmarks, np.nan)))


def test_a_bone_that_is_seen_short_comes_forward_or_goes_back() -> None:
    bones = np.array([[0.3, 0.0, 0.01], [0.3, 0.0, -0.01], [0.9, 0.0, 0.2], [0.0, -0.43, 0.0]])
    out = lift(bones, 0.43)
    assert np.linalg.norm(out, axis=-1) == pytest.approx(0.43)
    assert out[0, 2] == pytest.approx(-out[1, 2])
    assert out[0, 2] > 0.2
    assert out[3] == pytest.approx([0, -0.43, 0], abs=1e-3)
