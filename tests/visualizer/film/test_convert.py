"""Pictures of which only a part is converted are those that are converted whole, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.film import convert
from visualizer.film.convert import GRID, Box, ChangeConverter, Pixels, converter, widen

SIZE = (320, 192)


def paint_over(pixels: Pixels, box: Box, chance: np.random.Generator) -> Pixels:
    """A copy with other colours in the box."""
    left, top, width, height = box
    pixels = pixels.copy()
    pixels[top : top + height, left : left + width] = chance.integers(0, 256, (height, width, 4), np.uint8)
    return pixels


@pytest.mark.parametrize("size", [SIZE, (318, 190), (130, 66)])
def test_a_part_is_converted_as_the_whole_would_be(size: tuple[int, int]) -> None:
    chance = np.random.default_rng(3)
    width, height = size
    changing, whole = ChangeConverter(size), converter("yuv420p", transparent=False)
    pixels = chance.integers(0, 256, (height, width, 4), np.uint8)
    changing.convert(pixels)
    for _ in range(40):
        left, top = int(chance.integers(width)), int(chance.integers(height))
        box = left, top, int(chance.integers(0, width - left + 1)), int(chance.integers(0, height - top + 1))
        pixels = paint_over(pixels, box, chance)
        made, expected = changing.convert(pixels, box), whole(pixels)
        np.testing.assert_array_equal(made.to_ndarray(), expected.to_ndarray())
        assert (made.colorspace, made.color_range) == (expected.colorspace, expected.color_range)


def test_a_small_change_is_converted_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    make = converter

    def counted(pixel_format: str, transparent: bool):
        one = make(pixel_format, transparent)

        def convert_one(pixels: Pixels):
            seen.append(pixels.shape[:2])
            return one(pixels)

        return convert_one

    monkeypatch.setattr(convert, "converter", counted)
    changing, pixels = ChangeConverter(SIZE), np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    changing.convert(pixels, (0, 0, 2, 2))  # there is none before it
    changing.convert(pixels, (70, 70, 40, 40))
    changing.convert(pixels, (0, 0, *SIZE))
    changing.convert(pixels)
    whole = SIZE[::-1]
    assert seen == [whole, (64, 64), whole, whole]


def test_boxes_lie_on_a_grid_or_end_with_the_picture() -> None:
    assert widen((70, 70, 40, 40), SIZE) == (GRID, GRID, GRID, GRID)
    assert widen((64, 64, 64, 64), SIZE) == (0, 0, 192, 192)  # its rim has part in what is beside it
    assert widen((300, 180, 20, 12), (320, 190)) == (256, 128, 64, 62)
