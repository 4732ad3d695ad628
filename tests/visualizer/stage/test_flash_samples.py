"""What the guard knows of a picture: the same, whether all of it is measured or only what differs from the last."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.stage.flash_samples import (
    BLOCKS,
    COLUMNS,
    KIND,
    LINEAR,
    POINTS,
    ROWS,
    WITHIN,
    find_blocks,
    measure,
    pack_colours,
)  # fmt: skip

WHOLE = (0, BLOCKS[0], 0, BLOCKS[1])


def random_colours(seed: int) -> np.ndarray:
    """(ROWS, COLUMNS, 3) bytes."""
    return np.random.default_rng(seed).integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)


def measured(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    values, saturated = np.zeros(2 * KIND, np.float32), np.zeros(KIND, np.bool_)
    is_red = measure(pack_colours(colours), WHOLE, values, saturated)
    return values, saturated, is_red


def test_points_and_means_are_those_of_the_light() -> None:
    colours = random_colours(1)
    light = LINEAR[colours].astype(np.float64)
    luminance = light @ [0.2126, 0.7152, 0.0722]
    blocks = light.reshape(BLOCKS[0], WITHIN, BLOCKS[1], WITHIN, 3).mean(axis=(1, 3))
    redness = [np.maximum(2 * each[..., 0] - each.sum(axis=-1), 0) for each in (light[::2, ::2], blocks)]
    values, saturated, is_red = measured(colours)
    expected = [luminance[::2, ::2], blocks @ [0.2126, 0.7152, 0.0722], *redness]
    assert values == pytest.approx(np.concatenate([each.ravel() for each in expected]), abs=1e-6)
    points = light[::2, ::2].reshape(-1, 3)
    assert (saturated[:POINTS] == (points[:, 0] >= 0.8 * points.sum(axis=1) - 1e-7)).mean() > 0.999
    assert is_red


@pytest.mark.parametrize("place", [(0, 5, 0, 9), (40, 47, 60, 121), (107, 108, 191, 192), (3, 100, 2, 190)])
def test_what_differs_is_measured_as_if_all_were(place: tuple[int, int, int, int]) -> None:
    before, after = random_colours(2), random_colours(2)
    y0, y1, x0, x1 = place
    after[y0:y1, x0:x1] = 255 - after[y0:y1, x0:x1]
    box = find_blocks(pack_colours(before) != pack_colours(after))
    assert box is not None
    assert box[0] * WITHIN <= y0
    assert box[3] * WITHIN >= x1
    values, saturated, _ = measured(before)
    measure(pack_colours(after), box, values, saturated)
    whole, whole_saturated, _ = measured(after)
    assert values == pytest.approx(whole, abs=1e-6)
    assert (saturated == whole_saturated).all()


def test_where_nothing_differs_there_are_no_blocks() -> None:
    assert find_blocks(np.zeros((ROWS, COLUMNS), np.bool_)) is None


def test_grey_is_not_reddish() -> None:
    grey = np.repeat(random_colours(3)[:, :, :1], 3, axis=2)
    values, saturated, is_red = measured(grey)
    assert not is_red
    assert values[KIND:].max() < 1e-6
    assert not saturated.any()
