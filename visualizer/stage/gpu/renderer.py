"""Pictures that a graphics card draws in a window with OpenGL, behind the flash guard."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import moderngl
import pygame

from visualizer.stage.gpu import software_gl
from visualizer.stage.gpu.gpu_probe import GpuProbe
from visualizer.stage.gpu.guarded_target import GuardedTarget
from visualizer.stage.gpu.shader import Shader
from visualizer.stage.overlay import Overlay
from visualizer.stage.renderer import NoGpu

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.stage.flash_guard import FlashGuard
    from visualizer.stage.gpu.projector import Projector
    from visualizer.stage.screens.plan import StagePlan
    from visualizer.stage.screens.surfaces import SurfaceScreens
    from visualizer.stage.shots import Camera

log = logging.getLogger("visualizer")


def find_context(allow_software: bool) -> moderngl.Context:
    """The OpenGL of the window that is open. NoGpu if it is too old, or runs on the processor and may not."""
    try:
        moderngl.init_context()  # not create_context, which finds only the first context, and none made by EGL
    except (RuntimeError, OSError, ValueError, moderngl.Error) as error:
        raise NoGpu(str(error)) from error
    context = moderngl.get_context()
    name = str(context.info["GL_RENDERER"])
    log.debug("OpenGL %s on %s", context.info["GL_VERSION"], name)
    if context.version_code < 330:
        raise NoGpu(f"{name} has only OpenGL {context.version_code / 100:.1f}")
    if not allow_software and software_gl.on_processor(name):
        software_gl.remember(name)
        raise NoGpu(name)
    return context


class GpuRenderer:
    """Draws in the window that is open, which must have OpenGL."""

    detail = 0  # there is time for all

    def __init__(
        self, size: tuple[int, int], guard: FlashGuard, camera: Camera, notify: Callable[[str], None],
        allow_software: bool = False, before_show: Callable[[], None] = lambda: None,
        screens: SurfaceScreens | None = None,
    ) -> None:  # fmt: skip
        """`notify` is told of looks whose GLSL is wrong. `before_show` is called when a picture is ready; it is shown
        when that returns. `screens`: displays that show it, where that is more than the window as it comes; the first
        is drawn here. Seven parameters, for each is a part that tests replace. NoGpu if OpenGL cannot be used."""
        self._screens = screens
        self._projector: Projector | None = None
        self._guard, self._camera, self._notify = guard, camera, notify
        self._allow_software, self._before_show = allow_software, before_show
        self._parts: tuple[GuardedTarget, Shader, GpuProbe] | None = None
        self._start(size)

    def _start(self, size: tuple[int, int]) -> None:
        self.size = size
        self._overlay = Overlay(size)
        context = find_context(self._allow_software)
        try:
            target = GuardedTarget(self._guard, context, size, context.screen)
            shader = Shader(context, size, target.canvas, patient=False, notify=self._notify)
            self._parts = target, shader, GpuProbe(context)
            self._make_projector()
        except moderngl.Error as error:  # a driver that does not take our GLSL, or has no memory left
            raise NoGpu(first_line(error)) from error

    def draw(self, moment: Moment) -> None:
        """Draw one picture, lay its text over it and show it. NoGpu if the card does not do it."""
        if self._parts is None:
            raise NoGpu("it was given back")
        target, shader, probe = self._parts
        now = time.perf_counter()
        writing, changed = self._overlay.render(moment.text)
        try:
            shader.draw(moment)
            self._camera.of_gl(shader.target, shader.size)
            if writing is not None:
                shader.write(writing, changed)
            target.show(now, self._projector)
            if self._screens is not None and len(self._screens.plan.screens) > 1:
                self._screens.canvas.blit(target.read(), (0, 0))
                self._screens.show(self._screens.canvas.get_rect())
            if not probe.alive(now):
                raise NoGpu("it no longer does what it is told")
            self._before_show()
            pygame.display.flip()
        except (moderngl.Error, pygame.error) as error:
            raise NoGpu(first_line(error)) from error

    def _make_projector(self) -> None:
        if self._screens is None:
            return
        from visualizer.stage.gpu.projector import Projector

        if self._projector is not None:
            self._projector.release()
        plan = self._screens.plan
        self._projector = Projector(moderngl.get_context(), plan.screens[0], plan.size, self._screens.find_mask(0))

    def draw_grid(self, draw: Callable[[int, pygame.Surface], None]) -> None:
        """Show a test picture on each display. NoGpu if the card does not do it."""
        if self._screens is None or self._projector is None:
            return
        plan, context = self._screens.plan, moderngl.get_context()
        canvas = self._screens.canvas
        draw(0, canvas.subsurface(plan.screens[0].part))
        rows = pygame.image.tobytes(canvas, "RGB", True)
        try:
            texture = context.texture(canvas.get_size(), 3, rows, alignment=1)
            self._projector.draw(texture, context.screen)
            texture.release()
            self._screens.show_each(draw)
            self._before_show()
            pygame.display.flip()
        except (moderngl.Error, pygame.error) as error:
            raise NoGpu(first_line(error)) from error

    def replan(self, plan: StagePlan) -> None:
        """The same displays, with other corners, masks and so on."""
        if self._screens is not None:
            self._screens.replan(plan)
            self._make_projector()

    def read(self) -> pygame.Surface | None:
        """What was shown last."""
        return None if self._parts is None else self._parts[0].read()

    def resize(self, size: tuple[int, int]) -> None:
        """The window has another size. NoGpu if there is no memory for it."""
        self.release()
        self._start(size)

    def release(self) -> None:
        """Give the card its memory back."""
        if self._projector is not None:
            self._projector.release()
            self._projector = None
        if self._parts is not None:
            target, shader, probe = self._parts
            self._parts = None
            shader.release()
            target.release()
            probe.release()


def first_line(error: Exception) -> str:
    """Of what a driver says, which may be pages."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
