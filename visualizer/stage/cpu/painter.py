"""The stage without a GPU: the field made large by two matrix products, colours by table.

A field of 128 x 128 is up-sampled by cubic convolution (Keys, 1981). That is linear and separable, so it is
`down @ field @ across` with two precomputed banded matrices, and BLAS does that faster than any image library
here. The effects are made large in the same way. The products are already scaled to the index of a colour table, so
that all that is left to do at full size is to clip, to cut to 8 bits, and to look up the pair of figure and effects.
Only the box about the dancers is worked out and copied. Backdrops are 8-bit surfaces, whose colours the blit looks up.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.cpu.backdrop_surface import BackdropSurface
from visualizer.stage.cpu.colour_pairs import ColourPairs, look_up
from visualizer.stage.cpu.effects_plane import EffectsPlane
from visualizer.stage.cpu.figure_plane import FigurePlane
from visualizer.stage.cpu.rectangles import join_boxes, no_box
from visualizer.stage.cpu.transparent import make_own_light, make_own_look, make_straight_pixels
from visualizer.stage.effects import COARSE, ROWS
from visualizer.stage.layout import Layout, find_layout
from visualizer.stage.looks import ColorTables, Look, make_color_tables
from visualizer.stage.mood import Mood
from visualizer.stage.sprites import Sprites

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.stage.looks import Confetti
    from visualizer.stage.resample import Array

DETAILS = range(4)


class Painter:
    """Paints pictures of one size. Buffers are made once; `dirty` is what the last `paint` changed.

    `detail`, 0 to 3, is how much is left out where the processor is behind: 0 nothing; 1 the effects are coarser; 2
    also no trails, echoes and grain, and half of the confetti; 3 also no backdrop but its mean colour, and half as many
    pixels each way. It may be set at any time. The dance itself is never made less smooth.
    """

    def __init__(self, size: tuple[int, int], patient: bool = True) -> None:
        """`patient`: wait for a large backdrop, so that a dance always gives the same pictures; not live."""
        self.size, self.detail = size, 0
        width, height = size
        self.surface = pygame.Surface(size, 0, 32)
        self.dirty = pygame.Rect(0, 0, width, height)
        self.mood, self.sprites = Mood(), Sprites()
        self.layout = find_layout(size)
        # Index planes side by side in one 16-bit word: low byte the figure, high byte the effects.
        self._pairs = np.zeros((height, width), np.uint16)
        planes = self._pairs.view(np.uint8).reshape(height, width, 2)
        low = 0 if sys.byteorder == "little" else 1
        self._figure_indices, self._effects_indices = planes[:, :, low], planes[:, :, 1 - low]
        self._levels: Array | None = None  # of the effects, for a picture without a stage
        self.effects = EffectsPlane(size, ROWS)
        self._figures = FigurePlane(size, self.layout)
        self._backdrop = BackdropSurface(size, patient)
        self._colours = ColourPairs()
        self._layer = pygame.Surface(size, pygame.SRCALPHA, 32)
        self._small: Painter | None = None  # paints for detail 3
        self._look: Look | None = None
        self._kind = 0  # detail that the buffers are made for
        self._is_flat = False  # the mean colour in place of the backdrop
        self._all_changed = True  # by the last picture
        self._start_empty()

    def _start_empty(self) -> None:
        self._pairs.fill(0)
        self._backdrop.forget_colours()
        self._base: int | None = None
        self._box = self._lit = no_box()  # changed last time: in all, and by light and figure

    def _begin(self, moment: Moment, look: Look) -> ColorTables:
        """Fit all to the look and to what is seen of the stage; go on to this moment."""
        if self.detail not in DETAILS:
            raise ValueError(f"detail is 0 to 3, not {self.detail}")
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
        self._start_empty()

    def _look_from(self, place: Layout) -> None:
        self.layout = place
        self._figures.look_from(place)
        self.effects.look_from(place)

    def paint(self, moment: Moment) -> pygame.Surface:
        """The picture on a 32-bit surface that is used again for the next one."""
        if self.detail == DETAILS[-1]:
            return self._paint_small(moment)
        look = moment.look
        tables = self._begin(moment, look)
        lit = self._draw_indices(moment, look, tables)
        if self._is_flat:
            mean = self._backdrop.find_mean_colour(look.backdrop, self.layout, tables.palette)
            box = self._compose_over_colour(lit, look, tables, mean)
        elif look.backdrop.kind == "plain":
            box = self._compose_over_colour(lit, look, tables, tables.palette[0])
        else:
            box = self._compose_over_backdrop(lit, look, tables)
        if look.confetti is not None:
            box = join_boxes(box, self._draw_sprites(self.surface, look.confetti, moment.musical_time))
        old, self._box = self._box, box
        self.dirty = self.surface.get_rect() if self._all_changed else join_boxes(old, box)
        return self.surface

    def paint_alpha(self, moment: Moment) -> NDArray[np.uint8]:
        """(height, width, 4) red, green, blue, alpha, straight: the dancers, what they give off, and confetti.

        See transparent.py. The array is new each time.
        """
        look = make_own_look(moment.look)
        tables = self._begin(moment, look)
        if self._levels is None:
            self._levels = np.zeros(self._pairs.shape, np.float32)
        levels, lit = self._levels, self._lit
        levels[lit.top : lit.bottom, lit.left : lit.right] = 0
        box = self._draw_indices(moment, look, tables, levels)
        light = None if look.effects is None else make_own_light(look, tables)
        pixels = make_straight_pixels(tables.figure, self._figure_indices, light, levels, box)
        if look.confetti is not None:
            surface = pygame.image.frombuffer(pixels.data, self.size, "RGBA")
            self._draw_sprites(surface, look.confetti, moment.musical_time)
        return pixels

    def release(self) -> None:
        """Let go of what runs aside."""
        self._backdrop.release()
        if self._small is not None:
            self._small.release()

    def _paint_small(self, moment: Moment) -> pygame.Surface:
        """Half as many pixels each way, then made large."""
        small = self._small
        if small is None:
            small = self._small = Painter((max(self.size[0] // 2, 1), max(self.size[1] // 2, 1)))
            small.detail, small._is_flat = 2, True
            small.mood, small.sprites = self.mood, self.sprites
        surface = small.paint(moment)
        pygame.transform.smoothscale(surface, self.size, self.surface)
        self.dirty = self.surface.get_rect()
        self._kind = self.detail  # whatever is painted next starts from an empty stage
        return self.surface

    def _draw_indices(
        self, moment: Moment, look: Look, tables: ColorTables, levels: Array | None = None
    ) -> pygame.Rect:
        """Draw effects and figures into the index planes, or the effects into `levels`; the box that holds them."""
        old = self._lit
        if old.w:
            self._pairs[old.top : old.bottom, old.left : old.right] = 0
        box = no_box()
        if look.effects is not None:
            bare = self.detail > 1
            self.effects.canvas.update(moment.bodies, look.effects, tables, moment.musical_time, bare)
            box = self.effects.draw(self._effects_indices if levels is None else levels)
        rough = self.detail < 2
        figures = self._figures.draw(self._figure_indices, moment.bodies, look, tables.reach, rough)
        self._lit = join_boxes(box, figures)
        return self._lit

    def _compose_over_colour(self, box: pygame.Rect, look: Look, tables: ColorTables, colour: Array) -> pygame.Rect:
        """One colour behind all: it goes into the table, and the table onto the surface."""
        effects = None if look.effects is None else tables.effects
        table = self._colours.make(tables.figure, effects, behind=colour)
        base = int(table[0])
        self._all_changed = base != self._base
        if self._all_changed:
            self._base = base
            self.surface.fill((base >> 16 & 255, base >> 8 & 255, base & 255))
        target = pygame.surfarray.pixels2d(self.surface).T
        look_up(table, self._pairs, target, self._box if self._box.w and not self._all_changed else box)
        if self._box.w and not self._all_changed:
            look_up(table, self._pairs, target, box)
        return box

    def _compose_over_backdrop(self, box: pygame.Rect, look: Look, tables: ColorTables) -> pygame.Rect:
        """The backdrop by the blit of an 8-bit surface; light and figure as a layer with alpha over it."""
        self._all_changed = self._backdrop.update(look.backdrop, self.layout, tables.palette)
        region = self.surface.get_rect() if self._all_changed else join_boxes(self._box, box)
        self._backdrop.blit(self.surface, region)
        if box.w:
            layer = pygame.surfarray.pixels2d(self._layer).T
            effects = None if look.effects is None else tables.effects
            look_up(self._colours.make(tables.figure, effects), self._pairs, layer, box)
            del layer  # a surface that is being looked at cannot be blitted
            self.surface.blit(self._layer, box.topleft, box, special_flags=pygame.BLEND_PREMULTIPLIED)
        return box

    def _draw_sprites(self, surface: pygame.Surface, confetti: Confetti, musical_time: float) -> pygame.Rect:
        """Draw the confetti; the box about it."""
        corners, numbers = self.sprites.draw(confetti, musical_time)
        if self.detail > 1:
            corners, numbers = corners[::2], numbers[::2]
        stage = self.layout
        corners = corners * stage.side + (stage.width / 2, stage.top)
        colours = [tuple(int(255 * c + 0.5) for c in stop[1:4]) for stop in confetti.stops]
        for piece, number in zip(corners.tolist(), numbers.tolist(), strict=True):
            pygame.draw.polygon(surface, colours[number], piece)
        if not len(corners):
            return no_box()
        (x0, y0), (x1, y1) = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        box = pygame.Rect(int(x0) - 1, int(y0) - 1, int(x1 - x0) + 4, int(y1 - y0) + 4)
        return box.clip(surface.get_rect())
