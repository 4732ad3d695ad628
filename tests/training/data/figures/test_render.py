"""The truth about figures, held against each other and against frames of flat bodies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.choreography import DANCES, perform
from training.data.figures import PARTS, Figure, Truth, draw_truths, load_people
from training.data.motion.body import project, silhouettes

PEOPLE = {figure.name: figure for figure in load_people()}
MIRA, FLAT = PEOPLE["mira"], PEOPLE["silhouette"]


def bodies() -> NDArray[np.float32]:
    """A few bodies (3, 21, 3)."""
    return perform(DANCES[0], 0.8).positions[::50]


def draw(figure: Figure, joints: NDArray[np.float32], size: int = 128) -> list[Truth]:
    rest = np.zeros((len(joints), 7))
    return draw_truths(figure, joints, joints[:, 0, 0], rest, rest[:, :4], size)


@pytest.fixture(scope="module")
def mira() -> list[Truth]:
    return draw(MIRA, bodies())


def test_boxes_are_whole_cells_inside_the_frame(mira: list[Truth]) -> None:
    for truth in mira:
        height, width = truth.field.shape
        assert truth.left % 2 == truth.top % 2 == height % 2 == width % 2 == 0
        assert truth.left >= 0 <= truth.top
        assert truth.left + width <= 128 >= truth.top + height
        assert truth.normal.shape == (2, height, width)
        assert truth.parts.shape == (len(PARTS), height, width)
        assert {each.dtype for each in (truth.field, truth.normal, truth.crease, truth.parts)} == {np.dtype(np.uint8)}


def test_the_field_is_a_distance(mira: list[Truth]) -> None:
    for truth in mira:
        field = truth.unpacked()[0]
        assert field.min() < -2
        assert field[0].min() > 0
        down, right = np.gradient(field)
        steep = np.hypot(down, right)[np.abs(field) < 1]
        assert np.median(steep) == pytest.approx(1, abs=0.05)


def test_shares_of_parts_are_whole_near_the_body(mira: list[Truth]) -> None:
    for truth in mira:
        field, _, _, parts = truth.unpacked()
        assert np.abs(parts.sum(axis=0)[field < 3] - 1).max() < 0.02


def test_normals_point_out_at_the_outline(mira: list[Truth]) -> None:
    for truth in mira:
        field, normal, _, _ = truth.unpacked()
        assert (np.hypot(*normal) <= 1.02).all()
        down, right = np.gradient(field)
        rim = (field > -0.7) & (field < 0)
        assert ((normal[0] * right + normal[1] * down)[rim] > 0).mean() > 0.97


def test_all_parts_of_somebody_are_seen(mira: list[Truth]) -> None:
    assert all((truth.parts[k] > 160).any() for k in range(6) for truth in mira if PARTS[k] != "accessory")


def test_a_denser_picture_is_the_same_picture(mira: list[Truth]) -> None:
    fine = draw(MIRA, bodies()[:1], 256)[0]
    whole = np.full((256, 256), 4.0, np.float32)
    height, width = fine.field.shape
    whole[fine.top : fine.top + height, fine.left : fine.left + width] = fine.unpacked()[0]
    halved = whole.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    field, box = mira[0].unpacked()[0], mira[0]
    there = halved[box.top : box.top + field.shape[0], box.left : box.left + field.shape[1]]
    near = np.abs(field) < 2
    assert np.abs(field - there)[near].mean() < 0.06


def test_an_arm_before_the_chest_has_a_contour() -> None:
    body = bodies()[:1].copy()
    apart = draw(MIRA, body)[0]
    chest = body[0, 2]
    for joint, reach in ((6, (0.12, -0.12, 0.2)), (7, (-0.05, -0.02, 0.32)), (8, (-0.2, 0.05, 0.32))):
        body[0, joint] = chest + reach
    crossed = draw(MIRA, body)[0]

    def inked(truth: Truth) -> int:
        field, _, crease, _ = truth.unpacked()
        return int(((crease < 0.8) & (field < -2)).sum())

    assert inked(crossed) > inked(apart) + 20


def test_a_silhouette_is_the_flat_body() -> None:
    joints = bodies()
    frames = silhouettes(project(joints, joints[:, 0, 0]))[:, 0] * 128
    for truth, frame in zip(draw(FLAT, joints), frames, strict=True):
        height, width = truth.field.shape
        box = frame[truth.top : truth.top + height, truth.left : truth.left + width]
        assert np.abs(truth.unpacked()[0].clip(-3, 3) - box).max() < 0.05
