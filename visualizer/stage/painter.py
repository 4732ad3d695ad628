"""The stage without a GPU: the field made large by two matrix products, colours by table.

A field of 128 x 128 is up-sampled by cubic convolution (Keys, 1981). That is linear and separable, so it is
`down @ field @ across` with two precomputed banded matrices, and BLAS does that faster than any image library
here. The haze is made large in the same way. The products are already scaled to the index of a colour table, so that
all that is left to do at full size is to clip, to cut to 8 bits, and to look up the pair of figure and haze. Only the
box about the dancer is worked out and copied. Backdrops are 8-bit surfaces, whose colours the blit looks up.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage import backdrop
from visualizer.stage.haze import COARSE, HazeCanvas
from visualizer.stage.layout import Layout, Spot, drawing_order, layout, spots
from visualizer.stage.looks import BAND, LEVELS, Lights, Look, lights
from visualizer.stage.mood import Mood
from visualizer.stage.resample import Array, cubic_b_spline, noise, upsampling
from visualizer.stage.sprites import Sprites
from visualizer.stage.transparent import own_light, own_look, straight_pixels

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.music.clock import Hearing

PHASES = 8  # sideways places within a pixel that a dancer can stand at; fewer would be seen as jumps
BANDS = 48  # rows whose colours are looked up at a time
STRIP = 96  # pixels of width that are up-sampled at a time: the matrix has few columns that count for a narrow strip
DETAILS = range(4)
MOAT = 0.010  # frame widths about a dancer in which those in the rows behind are not seen
STEEP = 2.0  # how much faster than the distance their outline falls off there
MOST_MATRICES = 64

Bytes = NDArray[np.uint8]


def box_of(mask: NDArray[np.bool_], margin: int) -> tuple[int, int, int, int] | None:
    """Rows r0:r1 and columns c0:c1 that hold all of `mask`, `margin` wider; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    height, width = mask.shape
    return (
        max(int(rows[0]) - margin, 0),
        min(int(rows[-1]) + 1 + margin, height),
        max(int(columns[0]) - margin, 0),
        min(int(columns[-1]) + 1 + margin, width),
    )


class Painter:
    """Paints pictures of one size. Buffers are made once; `dirty` is what the last `paint` changed.

    `detail`, 0 to 3, is how much is left out where the processor is behind: 0 nothing; 1 the haze is coarser; 2 also
    no trails, echoes and grain, and half of the confetti; 3 also no backdrop but its mean colour, and half as many
    pixels each way. It may be set at any time. The dance itself is never made less smooth.
    """

    def __init__(self, size: tuple[int, int], patient: bool = True) -> None:
        """`patient`: wait for a large backdrop, so that a dance always gives the same pictures; not live."""
        self.size = size
        self._scene = backdrop.Scene(patient)
        self.detail = 0
        width, height = size
        self.surface = pygame.Surface(size, 0, 32)
        self.dirty = pygame.Rect(0, 0, width, height)
        self.mood = Mood()
        self.sprites = Sprites()
        self._layer = pygame.Surface(size, pygame.SRCALPHA, 32)
        self._scratch = np.empty(width * height, np.float32)
        # Index planes side by side in one 16-bit word: low byte the figure, high byte the haze.
        self._index = np.zeros((height, width), np.uint16)
        planes = self._index.view(np.uint8).reshape(height, width, 2)
        low = 0 if sys.byteorder == "little" else 1
        self._figure, self._haze = planes[:, :, low], planes[:, :, 1 - low]
        self._map = pygame.Surface(size, 0, 8)
        # Half a level of fixed noise before cutting to 8 bits hides the steps of dark gradients.
        self._noise = np.random.default_rng(7).random((height, width), np.float32)
        self._levels: Array | None = None  # of haze, for a picture without a stage
        self._grain: Array | None = None
        self._mix = np.empty((LEVELS, LEVELS), np.float32)
        self._half = np.empty(0, np.float32)
        self._small: Painter | None = None  # paints for detail 3
        self._look: Look | None = None
        self._kind = 0  # detail that the buffers are made for
        self._flat = False  # the mean colour in place of the backdrop
        self._all_changed = True  # by the last picture
        self._set_canvas(64)
        self._look_from(layout(size))
        self._forget()

    def _set_canvas(self, rows: float) -> None:
        self.canvas = HazeCanvas(layout(self.size), rows)
        width, height = self.size
        rows, columns = self.canvas.rows, self.canvas.columns
        self._haze_down = upsampling(height, rows, height / rows, 0.0, cubic_b_spline)
        self._haze_across = upsampling(width, columns, width / columns, 0.0, cubic_b_spline).T.copy()
        most = max(FRAME_SIZE, columns)
        if self._half.size < height * most:
            self._half = np.empty(height * most, np.float32)

    def _look_from(self, place: Layout) -> None:
        """Fit what depends on how large a dancer is."""
        self.layout = place
        self._down: dict[int, Array] = {}  # by the side of a row's frames, made when needed
        self._across: dict[tuple[int, int], Array] = {}  # by side and phase
        self.canvas.look_from(place)
        self._counts: Array | None = None  # share of each number of the map

    def _forget(self) -> None:
        """Start from an empty stage."""
        self._index.fill(0)
        self._palette = b""
        self._base: int | None = None
        self._box = self._lit = pygame.Rect(0, 0, 0, 0)  # changed last time: in all, and by light and figure
        self._counts = None

    def _begin(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> Lights:
        """Fit all to the look and to what is seen of the stage; go on to this moment."""
        if self.detail not in DETAILS:
            raise ValueError(f"detail is 0 to 3, not {self.detail}")
        if look is not self._look or self.detail != self._kind:
            fresh = look is not self._look
            rows = 64.0 if look.haze is None else float(look.haze.rows)
            rows = rows * COARSE if self.detail else rows
            if fresh or (self.detail > 0) != (self._kind > 0):
                self._set_canvas(rows)
                self.canvas.look_from(self.layout)
            if fresh:
                self.sprites = Sprites()
            self._look, self._kind, self._grain = look, self.detail, None
            self._forget()
        place = layout(self.size, picture.span, picture.rise, picture.deep)
        if place != self.layout:
            self._look_from(place)
        self.mood.follow(hearing, musical_time)
        if look.confetti is not None:
            self.sprites.throw(picture, look.confetti, self.mood, musical_time)
        return lights(look, self.mood, self.layout.side)

    def paint(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> pygame.Surface:
        """The picture on a 32-bit surface that is used again for the next one."""
        if self.detail == DETAILS[-1]:
            return self._paint_small(picture, look, hearing, musical_time)
        light = self._begin(picture, look, hearing, musical_time)
        plain = look.backdrop.kind == "plain" or self._flat
        colours = self._mean_colour(light.palette) if self._flat else light.palette
        lit = self._draw_indices(picture, look, light, musical_time)
        box = self._compose(lit, light, colours) if plain else self._compose_over(lit, light, colours)
        if look.confetti is not None:
            box = _union(box, self._draw_sprites(self.surface, look, musical_time))
        old, self._box = self._box, box
        self.dirty = self.surface.get_rect() if self._all_changed else _union(old, box)
        return self.surface

    def paint_alpha(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> Bytes:
        """(height, width, 4) red, green, blue, alpha, straight: the dancers, what they give off, and confetti.

        See transparent.py. The array is new each time.
        """
        look = own_look(look)
        light = self._begin(picture, look, hearing, musical_time)
        if self._levels is None:
            self._levels = np.zeros(self._index.shape, np.float32)
        levels = self._levels
        levels[self._lit.top : self._lit.bottom, self._lit.left : self._lit.right] = 0
        box = self._draw_indices(picture, look, light, musical_time, levels)
        haze = None if look.haze is None else own_light(look, light)
        pixels = straight_pixels(light.figure, self._figure, haze, levels, box)
        if look.confetti is not None:
            self._draw_sprites(pygame.image.frombuffer(pixels.data, self.size, "RGBA"), look, musical_time)
        return pixels

    def _paint_small(self, picture: Bodies, look: Look, hearing: Hearing, musical_time: float) -> pygame.Surface:
        """Half as many pixels each way, then made large."""
        small = self._small
        if small is None:
            small = self._small = Painter((max(self.size[0] // 2, 1), max(self.size[1] // 2, 1)))
            small.detail, small._flat = 2, True
            small.mood, small.sprites = self.mood, self.sprites
        surface = small.paint(picture, look, hearing, musical_time)
        pygame.transform.smoothscale(surface, self.size, self.surface)
        self.dirty = self.surface.get_rect()
        self._kind = self.detail  # whatever is painted next starts anew
        return self.surface

    def _mean_colour(self, palette: Array) -> Array:
        """(1, 3) what the backdrop is like on the whole."""
        if self._counts is None:
            assert self._look is not None
            numbers = backdrop.index_map(self._look.backdrop, self.layout, 8)
            self._counts = (np.bincount(numbers.ravel(), minlength=LEVELS) / numbers.size).astype(np.float32)
        return (self._counts @ palette)[None]

    def _draw_indices(
        self, picture: Bodies, look: Look, light: Lights, musical_time: float, levels: Array | None = None
    ) -> pygame.Rect:
        """Draw haze and figures into the index planes, or the haze into `levels`; the box where there may be any."""
        old = self._lit
        if old.w:
            self._index[old.top : old.bottom, old.left : old.right] = 0
        box = pygame.Rect(0, 0, 0, 0)
        if look.haze is not None:
            values = self.canvas.update(picture, look.haze, light, musical_time, bare=self.detail > 1)
            box = self._paint_haze(self._haze if levels is None else levels, values)
        box = _union(box, self._paint_figures(self._figure, picture, look, light.reach))
        self._lit = box
        return box

    def _compose(self, box: pygame.Rect, light: Lights, colours: Array) -> pygame.Rect:
        """One colour behind all: it goes into the table, and the table onto the surface."""
        table = self._pairs(light.figure, light.haze, behind=colours[0])
        base = int(table[0])
        self._all_changed = base != self._base
        if self._all_changed:
            self._base = base
            self.surface.fill((base >> 16 & 255, base >> 8 & 255, base & 255))
        target = pygame.surfarray.pixels2d(self.surface).T
        self._look_up(table, target, self._box if self._box.w and not self._all_changed else box)
        if self._box.w and not self._all_changed:
            self._look_up(table, target, box)
        return box

    def _compose_over(self, box: pygame.Rect, light: Lights, colours: Array) -> pygame.Rect:
        """The backdrop by the blit of an 8-bit surface; light and figure as a layer with alpha over it."""
        self._fit_map()
        palette = (colours * 255 + 0.5).astype(np.uint8)
        self._all_changed = palette.tobytes() != self._palette
        if self._all_changed:
            self._palette = palette.tobytes()
            self._map.set_palette(palette.tolist())
        region = self.surface.get_rect() if self._all_changed else _union(self._box, box)
        self.surface.blit(self._map, region.topleft, region)
        if box.w:
            layer = pygame.surfarray.pixels2d(self._layer).T
            self._look_up(self._pairs(light.figure, light.haze), layer, box)
            del layer  # a surface that is being looked at cannot be blitted
            self.surface.blit(self._layer, box.topleft, box, special_flags=pygame.BLEND_PREMULTIPLIED)
        return box

    def _fit_map(self) -> None:
        """Bring the backdrop's map up to date."""
        assert self._look is not None
        made = self._scene.fit(self._look.backdrop, self.layout)
        if made is None:
            return
        step, numbers = made
        if step > 1:
            width, height = self.size
            numbers = numbers.repeat(step, axis=0)[:height].repeat(step, axis=1)[:, :width]
        pygame.surfarray.pixels2d(self._map).T[:] = numbers
        self._palette = b""

    def close(self) -> None:
        """Let go of what runs aside."""
        self._scene.close()

    def _look_up(self, table: NDArray[np.uint32], target: NDArray[np.uint32], box: pygame.Rect) -> None:
        columns = slice(box.left, box.right)
        for top in range(box.top, box.bottom, BANDS):  # in bands, whose widened indices stay in the cache
            band = slice(top, min(top + BANDS, box.bottom))
            np.take(table, self._index[band, columns], out=target[band, columns], mode="clip")

    def _pairs(self, figure: Array, haze: Array, behind: Array | None = None) -> NDArray[np.uint32]:
        """The colours of all 65,536 pairs of haze (high byte) and figure (low byte); they move with the music.

        Of those without haze alone, 256, where the look has none. 0xAARRGGBB, premultiplied, or 0x00RRGGBB over the
        colour `behind`.
        """
        if self._look is not None and self._look.haze is None:
            haze = haze[:1]
        bare = 1 - figure[:, 3]
        cover = haze[:, 3]
        if behind is not None:
            haze = np.minimum(haze[:, :3] + behind * (1 - cover[:, None]), 1)
        mix, planes = self._mix[: len(haze)], []
        for channel in range(3):
            colour = np.multiply(haze[:, channel, None], bare, out=mix)
            colour += figure[:, channel]
            np.minimum(colour, 1, out=colour)
            planes.append(_bytes(colour))
        if behind is None:
            planes.insert(0, _bytes(1 - (1 - cover)[:, None] * bare))
        table = np.zeros((len(haze), LEVELS), np.uint32)
        for plane in planes:
            table <<= 8
            table |= plane
        return table.reshape(-1)

    def _paint_haze(self, plane: Bytes | Array, values: Array) -> pygame.Rect:
        """Draw haze into `plane` where there is any, dithered where it is of bytes; the box that was drawn."""
        box = box_of(values > 0.2 / 255, 2)  # what is left out is seen in one pixel of five at most
        if box is None:
            return pygame.Rect(0, 0, 0, 0)
        r0, r1, c0, c1 = box
        width, height = self.size
        rows, columns = values.shape
        top, bottom = r0 * height // rows, -(-r1 * height // rows)
        left, right = c0 * width // columns, -(-c1 * width // columns)
        half = self._half[: (bottom - top) * columns].reshape(bottom - top, columns)
        np.matmul(self._haze_down[top:bottom, r0:r1], values[r0:r1] * np.float32(254.99), out=half)
        cell = width / columns
        for x0 in range(left, right, STRIP):
            x1 = min(x0 + STRIP, right)
            i0, i1 = max(int(x0 / cell) - 2, 0), min(int(x1 / cell) + 4, columns)
            strip = self._scratch[: (bottom - top) * (x1 - x0)].reshape(bottom - top, x1 - x0)
            np.matmul(half[:, i0:i1], self._haze_across[i0:i1, x0:x1], out=strip)
            if plane.dtype == np.uint8:
                np.add(strip, self._noise[top:bottom, x0:x1], out=strip)
            np.copyto(plane[top:bottom, x0:x1], strip, casting="unsafe")
        return pygame.Rect(left, top, right - left, bottom - top)

    def _paint_figures(self, plane: Bytes, picture: Bodies, look: Look, reach: float) -> pygame.Rect:
        """Draw the index of every dancer's distance into `plane`, which is 0 there; the box that was drawn."""
        boxes = pygame.Rect(0, 0, 0, 0)
        among, where = len(picture.place) > 1, spots(picture)
        rows = among and picture.depth is not None and bool(np.ptp(picture.depth))
        if len(self._across) > MOST_MATRICES:  # rows that move back or forth are of ever other sizes
            self._across.clear()
            self._down.clear()
        for k in drawing_order(picture):
            field = picture.frames[k, 0]
            # Index of the ramp: 0 at `reach` outside, 255 at `reach` inside.
            levels = (np.float32(reach) - field) * np.float32(255 / (2 * reach)) + np.float32(0.5)
            box = box_of(field < max(reach, MOAT if rows else 0, 1.5 / FRAME_SIZE), 2)
            if box is not None:
                boxes = _union(boxes, self._paint_figure(plane, levels, box, where[k], among, rows, look, reach))
        return boxes

    def _paint_figure(
        self,
        plane: Bytes,
        levels: Array,
        box: tuple[int, int, int, int],
        spot: Spot,
        among: bool,
        rows: bool,
        look: Look,
        reach: float,
    ) -> pygame.Rect:
        stage = self.layout
        side, edge, upper = stage.box(spot)
        scale = side / FRAME_SIZE
        r0, r1, c0, c1 = box
        phase = round(edge * PHASES)
        left, phase = divmod(phase, PHASES)
        if side not in self._down:
            self._down[side] = upsampling(side, FRAME_SIZE, scale, 0.0)
        if (side, phase) not in self._across:
            across = upsampling(side + 1, FRAME_SIZE, scale, phase / PHASES)
            self._across[side, phase] = across.T.copy()
        # Pixels of the box within the frame, then cut to the window.
        y0, y1 = max(int(r0 * scale), -upper), min(int(r1 * scale) + 1, side, stage.height - upper)
        x0, x1 = max(int(c0 * scale), -left), min(int(c1 * scale) + 1, side + 1, stage.width - left)
        if y0 >= y1 or x0 >= x1:
            return pygame.Rect(0, 0, 0, 0)
        half = self._half[: (y1 - y0) * (c1 - c0)].reshape(y1 - y0, c1 - c0)
        part = levels[r0:r1, c0:c1]
        far = np.float32((reach - BAND) * 255 / (2 * reach)) if rows else None  # what lies outside of the box
        if far is not None:
            part = part - far
        np.matmul(self._down[side][y0:y1, r0:r1], part, out=half)
        whole = self._scratch[: (y1 - y0) * (x1 - x0)].reshape(y1 - y0, x1 - x0)
        np.matmul(half, self._across[side, phase][c0:c1, x0:x1], out=whole)
        if far is not None:
            whole += far
        down, across = slice(upper + y0, upper + y1), slice(left + x0, left + x1)
        target, moat = plane[down, across], None
        if rows:  # whoever is behind ends a little before: black on black, they would be one
            away = (np.float32(0.5) - whole) * np.float32(2 * reach / 255) + np.float32(reach)
            moat = (np.float32(reach) + (away - np.float32(MOAT)) * np.float32(STEEP)) * np.float32(255 / (2 * reach))
        if look.figure.grain and self.detail < 2:
            if self._grain is None:
                self._grain = grain(look, self.size, stage.side)
            shift = look.figure.grain * 255 / (2 * reach)  # levels
            for each in (whole,) if moat is None else (whole, moat):
                np.clip(each, shift, 255 - shift, out=each)
                each += self._grain[down, across] * np.float32(shift)
        if moat is not None:
            np.minimum(target, np.clip(moat, 0, 255).astype(np.uint8), out=target)
        np.clip(whole, 0, 255, out=whole)
        if among:
            np.maximum(target, whole.astype(np.uint8), out=target)
        else:
            np.copyto(target, whole, casting="unsafe")
        return pygame.Rect(left + x0, upper + y0, x1 - x0, y1 - y0)

    def _draw_sprites(self, surface: pygame.Surface, look: Look, musical_time: float) -> pygame.Rect:
        """Draw the confetti; the box about it."""
        assert look.confetti is not None
        corners, numbers = self.sprites.draw(look.confetti, musical_time)
        if self.detail > 1:
            corners, numbers = corners[::2], numbers[::2]
        stage = self.layout
        corners = corners * stage.side + (stage.width / 2, stage.top)
        colours = [tuple(int(255 * c + 0.5) for c in stop[1:4]) for stop in look.confetti.stops]
        for piece, number in zip(corners.tolist(), numbers.tolist(), strict=True):
            pygame.draw.polygon(surface, colours[number], piece)
        if not len(corners):
            return pygame.Rect(0, 0, 0, 0)
        (x0, y0), (x1, y1) = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        box = pygame.Rect(int(x0) - 1, int(y0) - 1, int(x1 - x0) + 4, int(y1 - y0) + 4)
        return box.clip(surface.get_rect())


def grain(look: Look, size: tuple[int, int], side: int) -> Array:
    """(height, width) fixed noise about -1..1 that roughens the outline."""
    width, height = size
    cell = max(look.figure.grain_size * side, 1.0)
    coarse = noise((height, width), (2.6 * cell, 2.6 * cell * look.figure.grain_long), 21)
    fine = noise((height, width), (cell, cell * look.figure.grain_long), 20)
    return np.clip(0.42 * fine + 0.34 * coarse, -1, 1).astype(np.float32)


def _bytes(plane: Array) -> Bytes:
    return (plane * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _union(a: pygame.Rect, b: pygame.Rect) -> pygame.Rect:
    if not a.w:
        return b.copy()
    return a.union(b) if b.w else a.copy()
