"""The table of pairs against compositing each pair by itself."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer.stage.cpu.colour_pairs import ColourPairs, find_channels, find_ends

SIZE = (40, 30)


def ramp(seed: int, flat: tuple[int, int] = (0, 256)) -> np.ndarray:
    """(256, 4) premultiplied; outside of `flat` all rows are as at its ends."""
    rng = np.random.default_rng(seed)
    cover = rng.random((256, 1))
    rows = np.concatenate([rng.random((256, 3)) * cover, cover], axis=1).astype(np.float32)
    rows[: flat[0]] = rows[flat[0]]
    rows[flat[1] :] = rows[flat[1] - 1]
    return rows


def over(figure: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.minimum(figure + below * (1 - figure[..., 3:]), 1)


def planes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    effects, figure = rng.integers(0, 256, (2, SIZE[1], SIZE[0])).astype(np.uint8)
    return effects, figure


def split(found: np.ndarray) -> np.ndarray:
    """(…, 4) red, green, blue, alpha of 0xAARRGGBB."""
    return np.stack([found >> 16 & 255, found >> 8 & 255, found & 255, found >> 24], axis=-1).astype(int)


@pytest.mark.parametrize("flat", [(0, 256), (60, 190)])
def test_pairs_are_the_figure_over_the_effects(flat: tuple[int, int]) -> None:
    figure, light, colours = ramp(1, flat), ramp(2), ColourPairs(SIZE[0])
    ends = find_ends(figure)
    assert (ends == (flat[0], flat[1] - 1)) or flat == (0, 256)
    effects, figures = planes()
    figures = np.where(figures % 5 == 0, 0, np.clip(figures, *ends)).astype(np.uint8)
    target = np.zeros((SIZE[1], SIZE[0]), np.uint32)
    colours.make(figure, ends, light, 255)
    colours.look_up(effects, figures, pygame.Rect(5, 2, 30, 20), target)
    expected = over(figure[figures], light[effects]) * 255
    assert np.abs(split(target)[2:22, 5:35] - expected[2:22, 5:35]).max() <= 0.5 + 1e-3
    assert not target[:2].any()
    assert not target[:, :5].any()
    alone = split(colours.effects_alone)
    assert np.abs(alone - over(figure[0], light) * 255).max() <= 0.5 + 1e-3


def test_a_table_that_is_asked_for_again_follows_each_of_its_colours() -> None:
    """It is not made again where nothing is another; and it is where anything is."""
    figure, light, behind = ramp(1), ramp(2), np.array([0.2, 0.5, 0.9], np.float32)
    cases = [(figure, light, 255, None), (figure, light, 255, behind), (figure, light, 255, behind / 2),
             (figure, ramp(3), 255, behind), (ramp(4), light, 255, behind), (figure, light, 40, None),
             (figure, light, 90, None), (figure, None, 0, None), (figure, light, 255, None)]  # fmt: skip
    kept = ColourPairs(SIZE[0])
    for one, effects, most, colour in [case for case in cases for _ in range(2)]:
        fresh = ColourPairs(SIZE[0])
        for each in (kept, fresh):
            each.make(one, (0, 255), effects, most, colour)
        assert (kept.figure_alone == fresh.figure_alone).all()
        assert (kept.effects_alone == fresh.effects_alone)[: most + 1].all()


@pytest.mark.parametrize("width", [40, 41])
@pytest.mark.parametrize(("left", "right"), [(0, 40), (7, 8), (7, 24), (8, 25)])
def test_effects_alone_are_looked_up_in_the_whole_rectangle(width: int, left: int, right: int) -> None:
    colours, effects = ColourPairs(width), np.random.default_rng(5).integers(0, 256, (30, width)).astype(np.uint8)
    for seed in (2, 3):  # the second time with other colours
        target = np.full((30, width), 7, np.uint32)
        colours.make(ramp(1), (0, 255), ramp(seed), 255)
        colours.look_up_effects(effects, pygame.Rect(left, 3, right - left, 20), target)
        assert (target[3:23, left:right] == colours.effects_alone[effects[3:23, left:right]]).all()
        assert (target[:3] == 7).all()
        assert (target[23:] == 7).all()
        assert (target[:, : max(left - 1, 0)] == 7).all()
        assert (target[:, right + 1 :] == 7).all()


def test_over_a_colour_all_is_opaque() -> None:
    figure, light, behind, colours = ramp(1), ramp(2), np.array([0.2, 0.5, 0.9], np.float32), ColourPairs(SIZE[0])
    effects, figures = planes()
    target = np.zeros((SIZE[1], SIZE[0]), np.uint32)
    colours.make(figure, (0, 255), light, 255, behind)
    colours.look_up(effects, figures, pygame.Rect(0, 0, *SIZE), target)
    below = np.minimum(light[effects][..., :3] + behind * (1 - light[effects][..., 3:]), 1)
    expected = np.minimum(figure[figures][..., :3] + below * (1 - figure[figures][..., 3:]), 1) * 255
    assert np.abs(split(target)[..., :3] - expected).max() <= 0.5 + 1e-3
    assert find_channels(target[0, :3]) == [tuple(row) for row in split(target)[0, :3, :3].tolist()]


def test_one_plane_is_looked_up_by_itself() -> None:
    figure, colours = ramp(3), ColourPairs(SIZE[0])
    colours.make(figure, (0, 255), None, 0)
    _, figures = planes()
    target = np.zeros((SIZE[1], SIZE[0]), np.uint32)
    colours.look_up_one(colours.figure_alone, figures, pygame.Rect(0, 0, *SIZE), target)
    assert np.abs(split(target) - figure[figures] * 255).max() <= 0.5 + 1e-3


def test_levels_that_are_all_alike_do_not_count() -> None:
    assert find_ends(np.zeros((256, 4), np.float32)) == (0, 0)
    steps = np.zeros((256, 4), np.float32)
    steps[100:] = 1
    assert find_ends(steps) == (99, 100)
