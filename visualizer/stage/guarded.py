"""The flash guard at work before what is shown: a surface, a film's frames, a framebuffer of the GPU."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.flash_guard import COLUMNS, ROWS, Colours, FlashGuard
from visualizer.stage.passes import VERTEX, read, whole

if TYPE_CHECKING:
    import moderngl

HELD = "flashes held back: at most three in a second"


class GuardedSurface:
    """Shows pictures on a surface that keeps what was shown last, such as the window's."""

    def __init__(self, guard: FlashGuard, size: tuple[int, int]) -> None:
        self.guard = guard
        self._x, self._y = guard.places(size)
        self._composed: pygame.Surface | None = None
        self._behind = True  # the surface shows something else than the last picture

    def begin(self, screen: pygame.Surface, now: float) -> None:
        """A new surface is seen, with what is on it: black, whatever was on the one before."""
        self.guard.seen(self._colours(screen), now)

    def show(
        self,
        picture: pygame.Surface,
        dirty: pygame.Rect,
        writing: pygame.Surface | None,
        screen: pygame.Surface,
        now: float,
    ) -> pygame.Rect:
        """Put `picture`, with `writing` over it, on `screen`, or as much of it as may be; what was changed.

        `dirty` holds all that differs from the picture before.
        """
        whole = screen.get_rect()
        if writing is not None:
            if self._composed is None:
                self._composed = pygame.Surface(whole.size, 0, 32)
            self._composed.blit(picture, (0, 0))
            self._composed.blit(writing, (0, 0))
            picture = self._composed
        colours = self._colours(picture)
        share = self.guard.share(colours, now)
        if share < 1:
            picture.set_alpha(round(share * 255))
            screen.blit(picture, (0, 0))
            picture.set_alpha(None)
            self.guard.seen(self._colours(screen), now)
            self._behind = True
            return whole
        box = whole if self._behind or writing is not None else dirty
        screen.blit(picture, box.topleft, box)
        self._behind = writing is not None
        self.guard.seen(colours, now)
        return box

    def _colours(self, surface: pygame.Surface) -> Colours:
        if surface.get_bytesize() != 4:  # a display of 16 bits
            return pygame.surfarray.array3d(surface).transpose(1, 0, 2)[self._y[:, None], self._x]
        seen = pygame.surfarray.pixels2d(surface).T.take(self._y, axis=0).take(self._x, axis=1)
        red, green, blue, _ = surface.get_shifts()
        if sys.byteorder == "little" and (red, green, blue) == (16, 8, 0):
            return seen[:, :, None].view(np.uint8)[:, :, 2::-1]
        return np.stack([seen >> red & 255, seen >> green & 255, seen >> blue & 255], axis=2).astype(np.uint8)


class GuardedFrames:
    """Guards frames (height, width, 4) that nobody writes into once they were shown.

    Blue first; or, `transparent`, straight RGBA, which is judged as it is seen on black.
    """

    def __init__(self, size: tuple[int, int], transparent: bool = False) -> None:
        self._transparent = transparent
        self.guard = FlashGuard()
        self._x, self._y = self.guard.places(size)
        self._last: NDArray[np.uint8] | None = None

    def show(self, frame: NDArray[np.uint8], now: float) -> None:
        """Change `frame` into what may be shown `now`, seconds since the beginning."""
        colours = self._colours(frame)
        share = self.guard.share(colours, now)
        if share < 1 and self._last is not None:
            part = np.int32(round(share * 255))
            for row, last in zip(frame, self._last, strict=True):  # a row at a time stays in the cache
                step = row.astype(np.int32) - last
                row[:] = last + (step * part + 127) // 255
            colours = self._colours(frame)
        self.guard.seen(colours, now)
        self._last = frame

    def _colours(self, frame: NDArray[np.uint8]) -> Colours:
        seen = frame.take(self._y, axis=0).take(self._x, axis=1)
        if self._transparent:
            return (seen[:, :, :3] * (seen[:, :, 3:] / 255)).astype(np.uint8)
        return seen[:, :, 2::-1]


SAMPLE = """
#version 330
uniform sampler2D picture;
uniform isampler2D places;  // pixels of the picture, from below
out vec4 pixel;
void main() { pixel = texelFetch(picture, texelFetch(places, ivec2(gl_FragCoord.xy), 0).xy, 0); }
"""
COPY = """
#version 330
uniform sampler2D picture;
uniform float share;
out vec4 pixel;
void main() { pixel = vec4(texelFetch(picture, ivec2(gl_FragCoord.xy), 0).rgb, share); }
"""


class GuardedTarget:
    """On the GPU: draw into `canvas`, then `show`. `shown` is what was shown last."""

    def __init__(
        self, guard: FlashGuard, gl: moderngl.Context, size: tuple[int, int], target: moderngl.Framebuffer
    ) -> None:
        self.guard, self.size = guard, size
        self._gl, self._target = gl, target
        self.canvas, self.shown = (gl.framebuffer([gl.texture(size, 3)]) for _ in range(2))
        self.shown.clear()
        self._samples = gl.framebuffer([gl.texture((COLUMNS, ROWS), 3)])
        x, y = guard.places(size)
        where = np.empty((ROWS, COLUMNS, 2), np.int16)
        where[:, :, 0], where[:, :, 1] = x, (size[1] - 1 - y)[:, None]
        self._places = gl.texture((COLUMNS, ROWS), 2, where.tobytes(), dtype="i2")
        self._places.filter = gl.NEAREST, gl.NEAREST
        self._quad = whole(gl)
        self._programs = [gl.program(vertex_shader=VERTEX, fragment_shader=each) for each in (SAMPLE, COPY)]
        self._triangles = [gl.simple_vertex_array(each, self._quad, "corner") for each in self._programs]
        self._programs[0]["places"].value = 1  # pyright: ignore[reportAttributeAccessIssue]
        # What a new window shows is black, whatever was on the one before.
        self._fresh = True

    def show(self, now: float) -> None:
        """Put the canvas on the target, or as much of it as may be."""
        if self._fresh:
            self._fresh = False
            self.guard.seen(np.zeros((ROWS, COLUMNS, 3), np.uint8), now)
        colours = self._colours(self.canvas)
        share = self.guard.share(colours, now)
        self._copy(self.canvas, self.shown, share)
        self.guard.seen(colours if share == 1 else self._colours(self.shown), now)
        self._copy(self.shown, self._target, 1.0)

    def _copy(self, source: moderngl.Framebuffer, to: moderngl.Framebuffer, share: float) -> None:
        gl = self._gl
        gl.enable(gl.BLEND)
        gl.blend_func = gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA
        self._programs[1]["share"].value = share  # pyright: ignore[reportAttributeAccessIssue]
        self._run(1, source, to)
        gl.disable(gl.BLEND)

    def _colours(self, source: moderngl.Framebuffer) -> Colours:
        self._run(0, source, self._samples)
        return np.frombuffer(self._samples.read(components=3, alignment=1), np.uint8).reshape(ROWS, COLUMNS, 3)

    def _run(self, program: int, source: moderngl.Framebuffer, to: moderngl.Framebuffer) -> None:
        source.color_attachments[0].use(0)  # pyright: ignore[reportAttributeAccessIssue]
        self._places.use(1)
        to.use()
        self._triangles[program].render()

    def read(self) -> pygame.Surface:
        """What was shown, as a surface."""
        return read(self.shown, self.size)

    def release(self) -> None:
        """Give the GPU its memory back."""
        for buffer in (self.canvas, self.shown, self._samples):
            buffer.color_attachments[0].release()
            buffer.release()
        for thing in (*self._triangles, *self._programs, self._quad, self._places):
            thing.release()
