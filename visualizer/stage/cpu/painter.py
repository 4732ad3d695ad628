"""The stage without a GPU: the field made large by two matrix products, colours by table.

A field of 128 x 128 is up-sampled by cubic convolution (Keys, 1981). That is linear and separable, so it is
`down @ field @ across` with two precomputed banded matrices, and BLAS does that faster than any image library
here. The effects are made large in the same way. The products are already scaled to the index of a colour table, so
that all that is left to do at full size is to clip, to cut to 8 bits, and to look up the pair of figure and effects.
Only the box about the dancers is worked out and copied. Backdrops are 8-bit surfaces, whose colours the blit looks up.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.moment import Titles
from visualizer.stage.cpu.backdrop_surface import BackdropSurface
from visualizer.stage.cpu.colour_pairs import ColourPairs, find_channels, find_ends
from visualizer.stage.cpu.effects_plane import EffectsPlane
from visualizer.stage.cpu.figure_plane import FigurePlane
from visualizer.stage.cpu.frame_parts import FrameParts
from visualizer.stage.cpu.index_plane import IndexPlane
from visualizer.stage.cpu.inside_layer import InsideLayer
from visualizer.stage.cpu.rectangles import Bands, bound, cut_into_bands, flatten, join_bands, merge, no_bands, part_of
from visualizer.stage.cpu.transparent import lay_premultiplied, make_own_light, make_own_look, make_straight_pixels
from visualizer.stage.effects import COARSE, ROWS
from visualizer.stage.layout import Layout, find_layout
from visualizer.stage.looks import ColorTables, Look, make_color_tables
from visualizer.stage.mood import Mood
from visualizer.stage.sprites import Sprites
from visualizer.stage.titles.layer import TitleLayer

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.stage.looks import Confetti
    from visualizer.stage.resample import Array

DETAILS = range(3)
NOBODY = 0, 0  # the levels of a figure's ramp that count where no figure is drawn by it
WIDE = 0.6  # of the window; where the effects fill more of it, a table for two pixels pays


def find_details(look: Look) -> tuple[int, ...]:
    """The details of a painter that save a tenth of a frame's work or more in this look.

    As measured at 1280x720 and 1920x1080: echoes, trails and grain cost 14 to 35% of it; half as many pixels save
    something only where the effects fill the stage, for they have to be made large again.
    """
    effects = look.effects
    if look.figure.grain or (effects is not None and (effects.echo or effects.trail)):
        return 0, 1
    return (0, 2) if effects is not None and effects.spots else (0,)


def has_insides(moment: Moment) -> bool:
    """Whether dancers are drawn with what is inside them: the look shows it, and it is known."""
    return moment.look.wants_inside and moment.bodies.insides is not None


def draw_sprites(
    sprites: Sprites, surface: pygame.Surface, confetti: Confetti, stage: Layout, musical_time: float, is_sparse: bool
) -> Bands:  # fmt: skip
    """Draw the confetti, half of it where it `is_sparse`; where it is."""
    corners, numbers = sprites.draw(confetti, musical_time)
    if is_sparse:
        corners, numbers = corners[::2], numbers[::2]
    corners = corners * stage.side + (stage.width / 2, stage.top)
    colours = [tuple(int(255 * c + 0.5) for c in stop[1:4]) for stop in confetti.stops]
    for piece, number in zip(corners.tolist(), numbers.tolist(), strict=True):
        pygame.draw.polygon(surface, colours[number], piece)
    if not len(corners):
        return no_bands(surface.get_height())
    (x0, y0), (x1, y1) = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    box = pygame.Rect(int(x0) - 1, int(y0) - 1, int(x1 - x0) + 4, int(y1 - y0) + 4)
    return cut_into_bands(box, surface.get_rect())


def draw_titles(layer: TitleLayer, surface: pygame.Surface, moment: Moment) -> Bands:
    """Lay words and pictures over all, if there are any; where they are."""
    seen = no_bands(surface.get_height())
    for rect in layer.draw(surface, moment.titles, moment.look) if moment.titles else ():
        seen = join_bands(seen, cut_into_bands(rect, surface.get_rect()))
    return seen


class Painter:
    """Paints pictures of one size. Buffers are made once; `dirty` is what the last `paint` changed.

    `detail`, 0 to 2, is how much is left out where the processor is behind: 0 nothing; 1 the effects are coarser and
    there are no trails, echoes nor grain, and half of the confetti; 2 also half as many pixels each way. It may be set
    at any time; see `find_details` for those that save something. The dance itself is never made less smooth.
    Many lines, for the order of its layers is one story: what each is painted by is in the files beside this one.
    """

    def __init__(self, size: tuple[int, int], patient: bool = True) -> None:
        """`patient`: wait for a large backdrop, so that a dance always gives the same pictures; not live."""
        self.size, self.detail, self._patient = size, 0, patient
        width, height = size
        self.surface = pygame.Surface(size, 0, 32)
        self.dirty = pygame.Rect(0, 0, width, height)
        self.mood, self.sprites = Mood(), Sprites()
        self.layout = find_layout(size)
        self._figure_plane, self._effects_plane = IndexPlane(size), IndexPlane(size)
        self._levels: Array | None = None  # of the effects, for a picture without a stage
        self.effects = EffectsPlane(size, ROWS)
        self._parts = FrameParts(self.layout)
        self._figures = FigurePlane(size, self._parts)
        self._insides: InsideLayer | None = None  # made for the first look that shows one
        self._backdrop = BackdropSurface(size, patient)
        self._colours = ColourPairs(width)
        self._layer_pixels = np.zeros((height, width), np.uint32)  # 0xAARRGGBB
        self._layer = pygame.image.frombuffer(
            self._layer_pixels.data, size, "BGRA" if sys.byteorder == "little" else "ARGB"
        )
        self._titles = TitleLayer(size, patient)
        self._small: Painter | None = None  # paints for detail 2
        self._look: Look | None = None
        self._kind = 0  # detail that the buffers are made for
        self._all_changed = True  # by the last picture
        self._start_empty()

    def _start_empty(self) -> None:
        for plane in (self._figure_plane, self._effects_plane):
            plane.clear()
        self._backdrop.forget_colours()
        self._base: int | None = None
        self._seen = no_bands(self.size[1])  # where the last picture is not just its backdrop
        self._levels_lit = self._seen

    def _begin(self, moment: Moment, look: Look) -> ColorTables:
        """Fit all to the look and to what is seen of the stage; go on to this moment."""
        if self.detail not in DETAILS:
            raise ValueError(f"detail is 0 to {DETAILS[-1]}, not {self.detail}")
        if look is not self._look or self.detail != self._kind:
            self._turn_to(look)
        bodies = moment.bodies
        place = find_layout(self.size, bodies.span, bodies.rise, bodies.deep)
        if place != self.layout:
            self._look_from(place)
        self.mood.follow(moment.hearing, moment.musical_time)
        if look.confetti is not None:
            self.sprites.throw(bodies, look.confetti, self.mood, moment.musical_time)
        return make_color_tables(look, self.mood, self.layout.side)

    def _turn_to(self, look: Look) -> None:
        """Another look, or another detail."""
        is_fresh = look is not self._look
        if is_fresh or (self.detail > 0) != (self._kind > 0):
            rows = float(ROWS) if look.effects is None else float(look.effects.rows)
            self.effects.set_rows(rows * COARSE if self.detail else rows)
            self.effects.look_from(self.layout)
        if is_fresh:
            self.sprites = Sprites()
        self._look, self._kind = look, self.detail
        self._figures.forget_grain()
        if self._insides is not None:
            self._insides.forget()
        self._start_empty()

    def _look_from(self, place: Layout) -> None:
        self.layout = place
        self._parts.look_from(place)
        self.effects.look_from(place)

    def paint(self, moment: Moment) -> pygame.Surface:
        """The picture on a 32-bit surface that is used again for the next one."""
        if self.detail == DETAILS[-1]:
            return self._paint_small(moment)
        look = moment.look
        tables = self._begin(moment, look)
        ends = NOBODY if has_insides(moment) else find_ends(tables.figure)
        self._draw_effects(moment, look, tables)
        self._draw_figures(moment, look, tables, ends)
        if look.backdrop.kind == "plain":
            seen = self._compose_over_colour(look, tables, ends, tables.palette[0])
        else:
            seen = self._compose_over_backdrop(look, tables, ends)
        if has_insides(moment):
            seen = join_bands(seen, self._draw_insides(self.surface, moment, look))
        if look.confetti is not None:
            seen = join_bands(seen, self._throw(self.surface, look.confetti, moment))
        seen = join_bands(seen, draw_titles(self._titles, self.surface, moment))
        old, self._seen = self._seen, seen
        self.dirty = self.surface.get_rect() if self._all_changed else bound(join_bands(old, seen))
        return self.surface

    def paint_alpha(self, moment: Moment) -> NDArray[np.uint8]:
        """(height, width, 4) red, green, blue, alpha, straight: the dancers, what they give off, and confetti.

        See transparent.py. The array is new each time.
        """
        look = make_own_look(moment.look)
        tables = self._begin(moment, look)
        if self._levels is None:
            self._levels = np.zeros((self.size[1], self.size[0]), np.float32)
        levels = self._levels
        for rect in flatten(self._levels_lit):
            levels[part_of(rect)] = 0
        self._levels_lit = no_bands(self.size[1])
        if look.effects is not None:
            self.effects.canvas.update(moment.bodies, look.effects, tables, moment.musical_time, self.detail > 0)
            self._levels_lit = self.effects.draw(levels)
        self._draw_figures(moment, look, tables, find_ends(tables.figure))
        light = None if look.effects is None else make_own_light(look, tables)
        figure = self._figure_plane
        box = bound(join_bands(self._levels_lit, figure.drawn))
        pixels = make_straight_pixels(tables.figure, figure.indices, light, levels, box)
        if has_insides(moment):
            self._lay_insides(pixels, moment, look)
        if look.confetti is not None:
            surface = pygame.image.frombuffer(pixels.data, self.size, "RGBA")
            self._throw(surface, look.confetti, moment)
        draw_titles(self._titles, pygame.image.frombuffer(pixels.data, self.size, "RGBA"), moment)
        return pixels

    def _lay_insides(self, pixels: NDArray[np.uint8], moment: Moment, look: Look) -> None:
        """Lay the dancers with their inside over straight pixels (height, width, 4)."""
        target = pygame.Surface(self.size, pygame.SRCALPHA, 32)
        box = bound(self._draw_insides(target, moment, look))
        part = part_of(box)
        above = np.stack([pygame.surfarray.pixels3d(target)[:, :, c].T[part] for c in range(3)], axis=-1)
        lay_premultiplied(pixels[part], above, pygame.surfarray.pixels_alpha(target).T[part])

    def release(self) -> None:
        """Let go of what runs aside."""
        self._backdrop.release()
        self._titles.release()
        if self._small is not None:
            self._small.release()

    def _paint_small(self, moment: Moment) -> pygame.Surface:
        """Half as many pixels each way, then made large."""
        small = self._small
        if small is None:
            small = self._small = Painter((max(self.size[0] // 2, 1), max(self.size[1] // 2, 1)), self._patient)
            small.detail = 1
            small.mood, small.sprites = self.mood, self.sprites
        surface = small.paint(replace(moment, titles=Titles()))
        pygame.transform.smoothscale(surface, self.size, self.surface)
        draw_titles(self._titles, self.surface, moment)  # letters are as sharp as ever
        self.dirty = self.surface.get_rect()
        self._kind = self.detail  # whatever is painted next starts from an empty stage
        return self.surface

    def _draw_effects(self, moment: Moment, look: Look, tables: ColorTables) -> None:
        plane = self._effects_plane
        plane.clear_drawn()
        if look.effects is not None:
            self.effects.canvas.update(moment.bodies, look.effects, tables, moment.musical_time, self.detail > 0)
            plane.drawn = self.effects.draw(plane.indices)

    def _draw_figures(self, moment: Moment, look: Look, tables: ColorTables, ends: tuple[int, int]) -> None:
        plane = self._figure_plane
        plane.clear_drawn()
        self._parts.forget_many()
        if not has_insides(moment):
            plane.drawn = self._figures.draw(plane.indices, moment.bodies, look, tables.reach, ends, self.detail < 1)

    def _draw_insides(self, target: pygame.Surface, moment: Moment, look: Look) -> Bands:
        if self._insides is None:
            self._insides = InsideLayer(self.size, self._parts, self._layer_pixels)
        return self._insides.draw(target, moment.bodies, look, self.mood, self.detail < 1)

    def _make_colours(self, look: Look, tables: ColorTables, ends: tuple[int, int], behind: Array | None) -> None:
        if look.effects is None:
            self._colours.make(tables.figure, ends, None, 0, behind)
        else:
            self._colours.make(tables.figure, ends, tables.effects, self.effects.most, behind)

    def _compose_over_colour(self, look: Look, tables: ColorTables, ends: tuple[int, int], colour: Array) -> Bands:
        """One colour behind all: it goes into the tables. A blit of an 8-bit surface looks up what is of one plane."""
        figure, effects = self._figure_plane, self._effects_plane
        self._make_colours(look, tables, ends, colour)
        lowest, found = (
            (figure, self._colours.figure_alone) if look.effects is None else (effects, self._colours.effects_alone)
        )
        self._all_changed = int(found[0]) != self._base
        self._base = int(found[0])
        lowest.surface.set_palette(find_channels(found))
        seen = join_bands(effects.drawn, figure.drawn)
        changed = [self.surface.get_rect()] if self._all_changed else flatten(join_bands(self._seen, seen))
        lowest.blit(self.surface, changed)
        if look.effects is not None:
            target = pygame.surfarray.pixels2d(self.surface).T
            for rect in flatten(figure.drawn):
                self._colours.look_up(effects.indices, figure.indices, rect, target)
        return seen

    def _compose_over_backdrop(self, look: Look, tables: ColorTables, ends: tuple[int, int]) -> Bands:
        """The backdrop by the blit of an 8-bit surface; light and figure as a layer with alpha over it."""
        figure, effects = self._figure_plane, self._effects_plane
        seen = join_bands(effects.drawn, figure.drawn)
        self._all_changed = self._backdrop.update(look.backdrop, self.layout, tables.palette)
        changed = [self.surface.get_rect()] if self._all_changed else flatten(join_bands(self._seen, seen))
        self._backdrop.blit(self.surface, changed)
        self._make_colours(look, tables, ends, None)
        is_wide = sum(rect.w * rect.h for rect in flatten(seen)) > WIDE * self.size[0] * self.size[1]
        for lit, bodies in zip(seen, figure.drawn, strict=True):
            for rect in lit:
                if look.effects is None:
                    self._colours.look_up_one(self._colours.figure_alone, figure.indices, rect, self._layer_pixels)
                else:
                    self._look_up_layer(rect, [body for body in merge(bodies) if rect.contains(body)], is_wide)
                self.surface.blit(self._layer, rect.topleft, rect, special_flags=pygame.BLEND_PREMULTIPLIED)
        return seen

    def _look_up_layer(self, rect: pygame.Rect, bodies: list[pygame.Rect], is_wide: bool) -> None:
        """Fill a rectangle of the layer; only in the columns of `bodies`, which lie within it, there are figures.

        `is_wide`: whether there is so much to fill that two pixels are looked up at a time.
        """
        colours, figure, effects = self._colours, self._figure_plane.indices, self._effects_plane.indices
        if is_wide:
            colours.look_up_effects(effects, rect, self._layer_pixels)
        left = rect.left
        for body in bodies:
            self._look_up_beside(left, body.left, rect, is_wide)
            across = pygame.Rect(body.left, rect.top, body.w, rect.h)
            colours.look_up(effects, figure, across, self._layer_pixels)
            left = body.right
        self._look_up_beside(left, rect.right, rect, is_wide)

    def _look_up_beside(self, left: int, right: int, rect: pygame.Rect, is_done: bool) -> None:
        """Fill the layer between two columns of the rectangle, where there is no figure."""
        if left < right and not is_done:
            beside = pygame.Rect(left, rect.top, right - left, rect.h)
            plane = self._effects_plane.indices
            self._colours.look_up_one(self._colours.effects_alone, plane, beside, self._layer_pixels)

    def _throw(self, surface: pygame.Surface, confetti: Confetti, moment: Moment) -> Bands:
        return draw_sprites(self.sprites, surface, confetti, self.layout, moment.musical_time, self.detail > 0)
