"""The flash guard before a framebuffer of the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame

from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.flash_samples import COLUMNS, ROWS, Colours, pack_colours
from visualizer.stage.gpu.fullscreen_triangle import VERTEX, fullscreen_triangle, read

if TYPE_CHECKING:
    import moderngl

    from visualizer.stage.gpu.projector import Projector

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
        self._quad = fullscreen_triangle(gl)
        self._programs = [gl.program(vertex_shader=VERTEX, fragment_shader=each) for each in (SAMPLE, COPY)]
        self._triangles = [gl.simple_vertex_array(each, self._quad, "corner") for each in self._programs]
        self._programs[0]["places"].value = 1  # pyright: ignore[reportAttributeAccessIssue]
        # What a new window shows is black, whatever was on the one before.
        self._fresh = True

    def show(self, now: float, projector: Projector | None = None) -> None:
        """Put the canvas on the target, or as much of it as may be; by `projector`, if there is one."""
        if self._fresh:
            self._fresh = False
            self.guard.seen(np.zeros((ROWS, COLUMNS), np.uint32), now)
        colours = self._colours(self.canvas)
        share = self.guard.share(colours, now)
        self._copy(self.canvas, self.shown, share)
        self.guard.seen(colours if share == 1 else self._colours(self.shown), now)
        if projector is None:
            self._copy(self.shown, self._target, 1.0)
        else:
            projector.draw(self.shown.color_attachments[0], self._target)  # pyright: ignore[reportArgumentType]

    def _copy(self, source: moderngl.Framebuffer, to: moderngl.Framebuffer, share: float) -> None:
        gl = self._gl
        gl.enable(gl.BLEND)
        gl.blend_func = gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA
        self._programs[1]["share"].value = share  # pyright: ignore[reportAttributeAccessIssue]
        self._run(1, source, to)
        gl.disable(gl.BLEND)

    def _colours(self, source: moderngl.Framebuffer) -> Colours:
        self._run(0, source, self._samples)
        read = np.frombuffer(self._samples.read(components=3, alignment=1), np.uint8)
        return pack_colours(read.reshape(ROWS, COLUMNS, 3))

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
