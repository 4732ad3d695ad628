"""Pictures to be laid over other films: every look, over black, white and its own backdrop."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from tests.support.fakes import hearing, picture
from visualizer.moment import Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.cpu.transparent import NEAR, make_own_look, make_straight_pixels
from visualizer.stage.looks import Backdrop, Look, find_look, make_color_tables, make_ramp, shipped_looks
from visualizer.stage.mood import Mood

Floats = NDArray[np.floating]

SIZE = (320, 180)
LAST = 3.0  # musical time of the picture that is looked at
LIT = [each for each in shipped_looks() if make_own_look(each).effects]
PLACES = [(0.0,), (-0.35, 0.4)]
every_look = pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)


class Laid(NamedTuple):
    """One picture without its stage: premultiplied colour 0..255 (H, W, 3), cover 0..1 (H, W, 1)."""

    colour: Floats
    cover: Floats

    def over(self, ground: Floats | float) -> Floats:
        """(H, W, 3) 0..255."""
        return self.colour + ground * (1 - self.cover)


def bare(each: Look) -> Look:
    """The look without confetti, which flies far and is as opaque as paper."""
    return dataclasses.replace(each, confetti=None)


@lru_cache(maxsize=64)
def laid(each: Look, places: tuple[float, ...] = (0.0,), size: tuple[int, int] = SIZE) -> Laid:
    painter, pixels = Painter(size), np.zeros(0)
    for beat in np.arange(0, LAST + 0.1, 0.25):
        pixels = painter.paint_alpha(Moment(picture(beat, places), each, hearing(), beat))
    assert pixels.shape == (size[1], size[0], 4)
    assert pixels.dtype == np.uint8
    cover = pixels[:, :, 3:] / 255
    return Laid(pixels[:, :, :3] * cover, cover)


def painted(each: Look, places: tuple[float, ...] = (0.0,), size: tuple[int, int] = SIZE) -> Floats:
    """The same moment with its stage, (H, W, 3) 0..255."""
    painter = Painter(size)
    for beat in np.arange(0, LAST + 0.1, 0.25):
        painter.paint(Moment(picture(beat, places), each, hearing(), beat))
    return pygame.surfarray.array3d(painter.surface).transpose(1, 0, 2).astype(float)


@lru_cache(maxsize=8)
def distances(places: tuple[float, ...], size: tuple[int, int] = SIZE) -> Floats:
    """(H, W) frame widths from each pixel to the nearest body; 0 inside."""
    ink = painted(find_look("paper"), places, size)[:, :, 0] < 128
    return np.asarray(distance_transform_edt(~ink)) / size[1]


def is_paint(each: Look) -> bool:
    """Whether what lingers about the dancer is copies or tracks, which cover, and not light."""
    effects = each.effects
    return effects is not None and bool(effects.echo or effects.trail_body)


def steepest_step(each: Look) -> float:
    """By how much the effects' colour changes from one of its 256 levels to the next, at most, 0..255.

    With a stage these levels are dithered, so neighbours may be one apart.
    """
    effects = make_own_look(each).effects
    return 0.0 if effects is None else 255 * float(np.abs(np.diff(make_ramp(effects.stops), axis=0)).max())


@every_look
@pytest.mark.parametrize("places", PLACES)
def test_far_from_the_dancers_there_is_nothing(each: Look, places: tuple[float, ...]) -> None:
    cover = laid(bare(each), places).cover[:, :, 0]
    flies = each.effects is not None and bool(each.effects.trail and each.effects.trail_zoom > 1)  # outwards, and fades
    assert cover[distances(places) > 0.5].max(initial=0) <= (0.06 if flies else 0)
    assert cover[distances(places) == 0].max() > 0.5


@every_look
@pytest.mark.parametrize("places", PLACES)
def test_over_black_it_is_the_dancers_and_their_own_light(each: Look, places: tuple[float, ...]) -> None:
    """As the look paints them on a black stage on which nothing falls."""
    black = Backdrop(stops=np.array([[0.0, 0, 0, 0, 1, 1]]))
    expected = painted(dataclasses.replace(make_own_look(bare(each)), backdrop=black), places)
    seen = laid(bare(each), places).over(0)
    stops = None if each.effects is None else each.effects.stops
    veil = 0.0 if stops is None else 255 * float((stops[0, 1:4] * stops[0, 5]).max())  # of a ramp that is never clear
    off = 3 + veil + steepest_step(each)
    assert (seen <= expected + off).all()
    near = distances(places) < (NEAR if each.effects and each.effects.rings else np.inf)
    assert np.abs(seen - expected)[near].max() <= off
    assert np.abs(seen - expected)[near].mean() <= 0.5 + veil / 2


@every_look
@pytest.mark.parametrize("places", PLACES)
def test_over_white_light_tints_and_never_darkens(each: Look, places: tuple[float, ...]) -> None:
    seen = laid(bare(each), places).over(255)
    beside = distances(places) > 0.03  # beyond every figure's own ramp
    if is_paint(each):
        assert each.effects is not None
        stops = each.effects.stops
        darkest = 255 * (stops[:, 1:4] * stops[:, 4:5] + 1 - stops[:, 4:5]).min()
        assert seen[beside].min() >= darkest - 30  # hues turn
    else:
        assert seen[beside].max(axis=-1).min() >= 253  # its brightest part is as bright as the white


@pytest.mark.parametrize(
    "each", [each for each in shipped_looks() if make_own_look(each).effects], ids=lambda each: each.name
)
def test_faint_light_has_no_grain(each: Look) -> None:
    """Premultiplied, what is next to one another is alike, where nothing has an edge: rounding is all that is seen."""
    size = (640, 360)
    seen, beside = laid(bare(each), size=size), distances((0.0,), size) > 0.04
    planes = np.concatenate([seen.colour, 255 * seen.cover], axis=2)
    rough = np.abs(planes[:-1, :-1] - planes[1:, :-1] - planes[:-1, 1:] + planes[1:, 1:])  # 0 on any even slope
    rough = rough[(beside & (seen.cover[:, :, 0] > 0))[:-1, :-1]]
    assert len(rough) > 5000
    assert np.median(rough) <= 0.15
    if each.effects and not each.effects.echo:  # copies have edges
        assert rough.mean() < 0.35
        assert np.quantile(rough, 0.99) < 1.6


@every_look
def test_the_figure_is_as_opaque_as_it_is_painted(each: Look) -> None:
    mood = Mood()
    mood.follow(hearing(), LAST)
    figure = make_color_tables(each, mood, SIZE[1]).figure[128:]  # inside of the outline
    inside = painted(find_look("paper"))[:, :, 0] < 20
    cover = laid(bare(each)).cover[inside]
    assert cover.min() >= figure[:, 3].min() - 0.01
    if figure[:, 3].min() >= 1:
        assert (cover == 1).all()


@every_look
@pytest.mark.parametrize("places", PLACES)
def test_laid_over_its_own_backdrop_it_is_the_picture(each: Look, places: tuple[float, ...]) -> None:
    """But for what falls on the backdrop; and light, which covers less than the look's own may, is no darker."""
    own = make_own_look(bare(each))
    seen = painted(own, places)
    empty = painted(dataclasses.replace(own, effects=None), (9.0,) * len(places))
    again = laid(bare(each), places).over(empty)
    if own.effects is None or is_paint(each):
        assert np.abs(again - seen).max() < (9 if each.motion.bright else 3.5) + steepest_step(each)
        assert np.abs(again - seen).mean() < 0.7
    elif not own.effects.rings:
        assert (again - seen).min() > -9
        assert np.abs(again - seen).mean() < 3


def test_confetti_is_there_and_is_opaque() -> None:
    each = find_look("confetti")
    pieces = laid(each).cover[:, :, 0] - laid(bare(each)).cover[:, :, 0]
    assert (pieces > 0.99).sum() > 50


def test_colour_and_cover_are_rounded_once() -> None:
    """A light of a third of a level is not seen, one of two thirds is one level, in the light's own hue."""
    figure, effects = np.zeros((256, 4), np.float32), np.zeros((256, 4), np.float32)
    effects[:, :] = np.linspace(0, 1, 256)[:, None] * (1.0, 0.5, 0.25, 1.0)
    levels = np.array([[0.0, 0.3, 0.7, 100.5, 254.99]], np.float32)
    pixels = make_straight_pixels(figure, np.zeros((1, 5), np.uint8), effects, levels, pygame.Rect(0, 0, 5, 1))
    assert pixels[0, :, 3].tolist() == [0, 0, 1, 100, 255]
    assert np.abs(pixels[0, 3:, :3].astype(int) - (255, 128, 64)).max() <= 2


def test_a_look_is_the_same_object_each_time() -> None:
    """The painter begins on an empty stage when a look is another."""
    assert make_own_look(find_look("neon")) is make_own_look(find_look("neon"))
    assert make_own_look(find_look("paper")) is find_look("paper")
