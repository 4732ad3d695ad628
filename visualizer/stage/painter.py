"""The stage without a GPU: the field made large by two matrix products, colours by table.

A field of 128 x 128 is up-sampled by cubic convolution (Keys, 1981). That is linear and separable, so it is
`down @ field @ across` with two precomputed banded matrices, and BLAS does that faster than any image library
here. The products are already scaled to the index of a colour table, so that all that is left to do at full size is
to clip, to cut to 8 bits and to look up. Only the box about the dancer is worked out and copied.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.haze import HazeCanvas
from visualizer.stage.layout import Layout, layout
from visualizer.stage.looks import LEVELS, Lights, Look, lights
from visualizer.stage.mood import Mood

if TYPE_CHECKING:
    from visualizer.dancer.dancer import Picture
    from visualizer.music.clock import Hearing

Array = NDArray[np.float32]
PHASES = 8  # sideways places within a pixel that a dancer can stand at; fewer would be seen as jumps
BANDS = 48  # rows whose colours are looked up at a time
STRIP = 96  # pixels of width that are up-sampled at a time: the matrix has few columns that count for a narrow strip


def catmull_rom(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel, a = -1/2: passes through the samples; crisp."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def cubic_b_spline(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic B-spline: smooths, never overshoots; for haze."""
    t = np.abs(t)
    near = (0.5 * t - 1) * t * t + 2 / 3
    return np.where(t < 1, near, np.where(t < 2, (2 - t) ** 3 / 6, 0))


def upsampling(outputs: int, inputs: int, scale: float, shift: float, kernel=catmull_rom) -> Array:
    """(outputs, inputs) banded weights: output pixel p looks at input place (p + 0.5 - shift) / scale - 0.5.

    Beyond the ends the last input goes on.
    """
    at = (np.arange(outputs) + 0.5 - shift) / scale - 0.5
    weights = np.zeros((outputs, inputs))
    first = np.floor(at).astype(int) - 1
    for tap in range(4):
        column = first + tap
        np.add.at(weights, (np.arange(outputs), np.clip(column, 0, inputs - 1)), kernel(at - column))
    return weights.astype(np.float32)


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
    """Paints pictures of one size. Buffers are made once; `dirty` is what the last `paint` changed."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.detail = 0  # 0: all effects, 3: the fewest
        width, height = size
        self.surface = pygame.Surface(size, 0, 32)
        self.dirty = pygame.Rect(0, 0, width, height)
        self.mood = Mood()
        self.canvas = HazeCanvas(layout(size))
        self._look_from(layout(size))
        self._scratch = np.empty(width * height, np.float32)
        # Index planes side by side in one 16-bit word: low byte the figure, high byte the haze.
        self._index = np.zeros((height, width), np.uint16)
        planes = self._index.view(np.uint8).reshape(height, width, 2)
        low = 0 if sys.byteorder == "little" else 1
        self._figure, self._haze = planes[:, :, low], planes[:, :, 1 - low]
        self._flat = pygame.Surface(size, 0, 8)
        self._look: str | None = None
        self._palette: bytes = b""
        self._backdrop = -1
        self._box = self._figure_box = pygame.Rect(0, 0, 0, 0)
        self._mix = np.empty((LEVELS, LEVELS), np.float32)
        rows, columns = self.canvas.rows, self.canvas.columns
        self._half = np.empty(height * max(FRAME_SIZE, columns), np.float32)
        self._haze_down = upsampling(height, rows, height / rows, 0.0, cubic_b_spline)
        self._haze_across = upsampling(width, columns, width / columns, 0.0, cubic_b_spline).T.copy()
        # Half a level of fixed noise before cutting to 8 bits hides the steps of dark gradients.
        self._noise = np.random.default_rng(7).random((height, width), np.float32)

    def _look_from(self, place: Layout) -> None:
        """Fit what depends on how large a dancer is."""
        self.layout = place
        self._scale = place.side / FRAME_SIZE
        self._down = upsampling(place.side, FRAME_SIZE, self._scale, 0.0)
        self._across: dict[int, Array] = {}  # by phase, made when needed
        self.canvas.look_from(place)

    def paint(self, picture: Picture, look: Look, hearing: Hearing, musical_time: float) -> pygame.Surface:
        """The picture on a 32-bit surface that is used again for the next one."""
        if look.name != self._look:  # start from an empty stage
            self._look = look.name
            self._palette, self._backdrop = b"", -1
            self._index.fill(0)
            self._flat.fill(0)
            self._box = self._figure_box = pygame.Rect(0, 0, 0, 0)
            self.canvas = HazeCanvas(layout(self.size))
            self.canvas.look_from(self.layout)
        place = layout(self.size, picture.span)
        if place.side != self.layout.side:
            self._look_from(place)
        self.mood.follow(hearing, musical_time)
        light = lights(look, self.mood, self.layout.side)
        if look.haze is None:
            self._paint_flat(picture, light)
        else:
            values = self.canvas.update(picture.frames, picture.place, look.haze, light, musical_time)
            self._paint_hazy(picture, light, values)
        return self.surface

    def paint_alpha(self, picture: Picture, look: Look, hearing: Hearing, musical_time: float) -> NDArray[np.uint8]:
        """(height, width, 4) straight RGBA: the dancers alone, on nothing."""
        place = layout(self.size, picture.span)
        if place.side != self.layout.side:
            self._look_from(place)
        self.mood.follow(hearing, musical_time)
        light = lights(look, self.mood, self.layout.side)
        plane = np.zeros((self.size[1], self.size[0]), np.uint8)
        self._paint_figures(plane, picture, light.reach)
        cover = light.figure[:, 3:]
        if look.haze is None:  # the ramp's outer end is the ground: it is the ramp's inner end that is the dancer
            rise = np.abs(light.figure[:, :3] - light.figure[:1, :3]).sum(axis=1, keepdims=True)
            cover = rise / max(float(rise.max()), 1e-6)
            colour = np.tile(light.figure[-1:, :3], (LEVELS, 1))
        else:
            colour = light.figure[:, :3] / np.maximum(cover, 1e-6)
        table = (np.clip(np.concatenate([colour, cover], axis=1), 0, 1) * 255 + 0.5).astype(np.uint8)
        table[0] = 0
        return table[plane]

    def _paint_flat(self, picture: Picture, light: Lights) -> None:
        """No haze: the index is the pixel of an 8-bit surface, and its blit looks the colours up."""
        old = self._box
        target = pygame.surfarray.pixels2d(self._flat).T
        if old.w:
            target[old.top : old.bottom, old.left : old.right] = 0
        self._box = self._paint_figures(target, picture, light.reach)
        del target  # a surface that is being looked at cannot be blitted
        colours = light.figure[:, :3] + light.haze[0] * (1 - light.figure[:, 3:])
        palette = (np.minimum(colours, 1) * 255 + 0.5).astype(np.uint8)
        if palette.tobytes() != self._palette:
            self._palette = palette.tobytes()
            self._flat.set_palette([tuple(colour) for colour in palette.tolist()])
            self.dirty = self.surface.get_rect()
        else:
            self.dirty = _union(old, self._box)
        self.surface.blit(self._flat, self.dirty.topleft, self.dirty)

    def _paint_hazy(self, picture: Picture, light: Lights, values: Array) -> None:
        """Haze by the blit of an 8-bit surface, which is by far the quickest; the figure's box by a table of pairs."""
        old, old_figure = self._box, self._figure_box
        haze = pygame.surfarray.pixels2d(self._flat).T
        if old.w:
            haze[old.top : old.bottom, old.left : old.right] = 0
        if old_figure.w:
            self._figure[old_figure.top : old_figure.bottom, old_figure.left : old_figure.right] = 0
        haze_box = self._paint_haze(haze, values)
        box = self._figure_box = self._paint_figures(self._figure, picture, light.reach)
        self._box = _union(haze_box, box)
        table = self._pairs(light)
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        self._haze[rows, columns] = haze[rows, columns]
        del haze  # a surface that is being looked at cannot be blitted
        ramp = (np.minimum(light.haze, 1) * 255 + 0.5).astype(np.uint8)
        self._flat.set_palette([tuple(colour) for colour in ramp.tolist()])
        if int(table[0]) != self._backdrop:
            self._backdrop = int(table[0])
            self.dirty = self.surface.get_rect()
        else:
            self.dirty = _union(old, self._box)
        self.surface.blit(self._flat, self.dirty.topleft, self.dirty)
        target = pygame.surfarray.pixels2d(self.surface).T
        for top in range(box.top, box.bottom, BANDS):  # in bands, whose widened indices stay in the cache
            band = slice(top, min(top + BANDS, box.bottom))
            np.take(table, self._index[band, columns], out=target[band, columns], mode="clip")

    def _pairs(self, light: Lights) -> NDArray[np.uint32]:
        """0x00RRGGBB of all 65,536 pairs of haze (high byte) and figure (low byte); they move with the music."""
        table = np.zeros((LEVELS, LEVELS), np.uint32)
        bare = 1 - light.figure[:, 3]
        for channel in range(3):
            colour = np.multiply(light.haze[:, channel, None], bare, out=self._mix)
            colour += light.figure[:, channel]
            np.minimum(colour, 1, out=colour)
            colour *= 255
            colour += 0.5
            table <<= 8
            table |= colour.astype(np.uint8)
        return table.reshape(-1)

    def _paint_haze(self, plane: NDArray[np.uint8], values: Array) -> pygame.Rect:
        """Draw haze into `plane` where there is any; the box that was drawn."""
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
            np.add(strip, self._noise[top:bottom, x0:x1], out=strip)
            np.copyto(plane[top:bottom, x0:x1], strip, casting="unsafe")
        return pygame.Rect(left, top, right - left, bottom - top)

    def _paint_figures(self, plane: NDArray[np.uint8], picture: Picture, reach: float) -> pygame.Rect:
        """Draw the index of every dancer's distance into `plane`, which is 0 there; the box that was drawn."""
        boxes = pygame.Rect(0, 0, 0, 0)
        for field, place in zip(picture.frames[:, 0], picture.place, strict=True):
            # Index of the ramp: 0 at `reach` outside, 255 at `reach` inside.
            levels = (np.float32(reach) - field) * np.float32(255 / (2 * reach)) + np.float32(0.5)
            box = box_of(field < max(reach, 1.5 / FRAME_SIZE), 2)
            if box is not None:
                boxes = _union(boxes, self._paint_figure(plane, levels, box, float(place), len(picture.place) > 1))
        return boxes

    def _paint_figure(
        self, plane: NDArray[np.uint8], levels: Array, box: tuple[int, int, int, int], place: float, among: bool
    ) -> pygame.Rect:
        stage, scale = self.layout, self._scale
        r0, r1, c0, c1 = box
        phase = round(stage.left(place) * PHASES)
        left, phase = divmod(phase, PHASES)
        if phase not in self._across:
            across = upsampling(stage.side + 1, FRAME_SIZE, scale, phase / PHASES)
            self._across[phase] = across.T.copy()
        # Pixels of the box within the frame, then cut to the window.
        y0, y1 = max(int(r0 * scale), -stage.top), min(int(r1 * scale) + 1, stage.side, stage.height - stage.top)
        x0, x1 = max(int(c0 * scale), -left), min(int(c1 * scale) + 1, stage.side + 1, stage.width - left)
        if y0 >= y1 or x0 >= x1:
            return pygame.Rect(0, 0, 0, 0)
        half = self._half[: (y1 - y0) * (c1 - c0)].reshape(y1 - y0, c1 - c0)
        np.matmul(self._down[y0:y1, r0:r1], levels[r0:r1, c0:c1], out=half)
        whole = self._scratch[: (y1 - y0) * (x1 - x0)].reshape(y1 - y0, x1 - x0)
        np.matmul(half, self._across[phase][c0:c1, x0:x1], out=whole)
        np.clip(whole, 0, 255, out=whole)
        target = plane[stage.top + y0 : stage.top + y1, left + x0 : left + x1]
        if among:
            np.maximum(target, whole.astype(np.uint8), out=target)
        else:
            np.copyto(target, whole, casting="unsafe")
        return pygame.Rect(left + x0, stage.top + y0, x1 - x0, y1 - y0)


def _union(a: pygame.Rect, b: pygame.Rect) -> pygame.Rect:
    if not a.w:
        return b.copy()
    return a.union(b) if b.w else a.copy()
