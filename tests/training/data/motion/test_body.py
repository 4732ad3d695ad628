"""Joints to silhouettes: the field is a distance, in the right units, the same for any batch, size and side."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.motion import body
from training.data.motion.skeleton import INDEX, mirror
from visualizer.dancer.pack import FLOOR, FRAME_METRES


def dancing(frames: int = 6) -> np.ndarray:
    """Positions (T, 21, 3) of a written dance, far enough apart to differ."""
    motion = perform(DANCES[3], 0.9).positions
    return motion[:: len(motion) // frames][:frames]


def drawn(positions: np.ndarray, size: int = 128) -> np.ndarray:
    centre = positions[:, INDEX["pelvis"], 0]
    return body.silhouettes(body.project(positions, centre), size)


def hull_of_two_balls(size: int, a: tuple[float, float, float], b: tuple[float, float, float]) -> np.ndarray:
    """Distance to the union of all balls between `a` and `b`, (x, y, radius) each in pixels, by trying 20,000 of them.

    That union is the tapered capsule: what the fast formula must agree with.
    """
    y, x = np.mgrid[:size, :size] + 0.5
    nearest = np.full((size, size), np.inf)
    for share in np.linspace(0, 1, 20_001):
        cx, cy, radius = (p + share * (q - p) for p, q in zip(a, b, strict=True))
        nearest = np.minimum(nearest, np.hypot(x - cx, y - cy) - radius)
    return nearest


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((10.0, 12.0, 5.0), (28.0, 22.0, 3.0)),
        ((26.0, 8.0, 2.0), (9.0, 29.0, 6.0)),
        ((15.3, 20.0, 4.0), (24.0, 20.0, 4.0)),
        ((20.0, 20.0, 6.0), (21.0, 20.0, 3.0)),  # one ball inside the other: the bone points at the camera
        ((20.0, 20.0, 3.0), (20.0, 21.0, 6.0)),
    ],
)
def test_a_lone_part_is_an_exact_distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> None:
    clamp = 3.0
    ends = np.array([[[a[0], a[1], b[0], b[1]]]], dtype=np.float32)
    radii = np.array([[a[2], b[2]]], dtype=np.float32)
    found = body._fields(ends, radii, 1.8, 40, clamp)[0]
    wanted = np.clip(hull_of_two_balls(40, a, b), -clamp, clamp)
    # 5e-3 of a pixel is what 20,000 balls leave between them.
    np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_units_and_clamp() -> None:
    fields = drawn(dancing())
    assert fields.shape == (6, 1, 128, 128)
    assert fields.dtype == np.float32
    band = body.CLAMP_PIXELS / 128
    assert fields.min() == pytest.approx(-band)
    assert fields.max() == pytest.approx(band)
    # A distance grows by one pixel a pixel: across the outline of a thigh or an arm the slope is 1/128 frame width.
    slope = np.hypot(*np.gradient(fields[0, 0]))[np.abs(fields[0, 0]) < 0.5 / 128] * 128
    assert np.median(slope) == pytest.approx(1.0, abs=0.03)


def test_a_part_that_melts_adds_flesh_and_never_takes_it() -> None:
    positions = dancing(2)
    joints = body.project(positions, positions[:, 0, 0])
    together = body.silhouettes(joints)[0, 0] * 128
    a, b = joints[0, body._FROM] * 128, joints[0, body._TO] * 128
    ends = np.concatenate([a + (b - a) * body._SPAN[:, :1], a + (b - a) * body._SPAN[:, 1:]], axis=-1)[None]
    pixels = 128 / FRAME_METRES
    alone = [
        body._fields(ends[:, k : k + 1].astype(np.float32), body._RADII[k : k + 1] * np.float32(pixels), 1.8, 128, 3.0)
        for k in range(len(body._RADII))
    ]
    union = np.min(np.concatenate(alone), axis=0)
    assert (together <= union + 1e-4).all()
    assert (together < union - 0.1).any()


def test_each_frame_is_drawn_alone() -> None:
    positions = dancing()
    whole = drawn(positions)
    for i in (0, 3, 5):
        np.testing.assert_array_equal(drawn(positions[i : i + 1])[0], whole[i])
    assert np.abs(whole[0] - whole[3]).max() > 0.01
    assert drawn(positions[:0]).shape == (0, 1, 128, 128)


def test_a_mirrored_dancer_is_a_mirrored_picture() -> None:
    positions = dancing()
    plain, image = drawn(positions), drawn(mirror(positions))
    # Parts melt in another order, which moves the field where three of them meet, and nowhere else.
    gap = np.abs(image - plain[..., ::-1]) * 128
    assert gap.max() < 0.5
    assert np.mean(gap > 0.02) < 0.005
    assert np.mean((image < 0) != (plain[..., ::-1] < 0)) < 0.001


def test_two_sizes_show_the_same_body() -> None:
    positions = dancing()
    small, large = drawn(positions, 128), drawn(positions, 256)
    # In frame widths, the mean of four fine pixels stands where the coarse one does.
    pooled = large.reshape(6, 1, 128, 2, 128, 2).mean(axis=(3, 5))
    near = np.abs(small) < 1.5 / 128
    assert np.abs(pooled - small)[near].max() * 128 < 0.5
    assert np.abs(pooled - small)[near].mean() * 128 < 0.05
    assert large.max() == pytest.approx(small.max())


def test_projection_puts_the_floor_at_the_floor_line() -> None:
    positions = np.zeros((1, 21, 3), dtype=np.float32)
    positions[0, 1] = (FRAME_METRES / 2, FRAME_METRES, 0.0)
    joints = body.project(positions + np.array([3, 0, 5], np.float32), np.array([3], np.float32))
    assert joints.dtype == np.float32
    np.testing.assert_allclose(joints[0, 0], (0.5, FLOOR), atol=1e-6)  # on the floor, in the middle
    np.testing.assert_allclose(joints[0, 1], (1.0, FLOOR - 1.0), atol=1e-6)  # right is right and up is up


def test_feet_of_a_standing_body_touch_the_floor() -> None:
    fields = drawn(dancing())
    rows = np.where((fields[:, 0] < 0).any(axis=2).any(axis=0))[0]
    assert abs((rows.max() + 1) / 128 - FLOOR) < 0.03
    heights = (fields[:, 0] < 0).any(axis=2).sum(axis=1) / 128
    assert heights.max() < 0.92
    assert heights.min() > 0.4


@pytest.mark.parametrize("shape", [(21, 2), (4, 21, 3), (4, 20, 2)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="joints must be"):
        body.silhouettes(np.zeros(shape, dtype=np.float32))
