"""Pictures that the processor paints, in the surface of a window, behind the flash guard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pygame

from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import GuardedSurface
from visualizer.stage.overlay import Overlay

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.stage.flash_guard import FlashGuard
    from visualizer.stage.screens.plan import StagePlan
    from visualizer.stage.screens.surfaces import SurfaceScreens
    from visualizer.stage.shots import Camera


class CpuRenderer:
    """Draws in the window that is open. `detail` is the painter's."""

    def __init__(
        self, size: tuple[int, int], guard: FlashGuard, camera: Camera, detail: int = 0,
        before_show: Callable[[], None] = lambda: None, screens: SurfaceScreens | None = None,
    ) -> None:  # fmt: skip
        """`before_show` is called when a picture is ready; it is shown when that returns. `screens`: displays that show
        it, where that is more than the window as it comes."""
        self._screens = screens
        self.detail, self._before_show = detail, before_show
        self._guard, self._camera = guard, camera
        self._start(size)

    def _start(self, size: tuple[int, int]) -> None:
        self.size = size
        self._painter = Painter(size, patient=False)
        self._overlay = Overlay(size)
        self._guarded = GuardedSurface(self._guard, size)
        if (screen := self._find_target()) is not None:
            self._guarded.begin(screen, time.perf_counter())

    def _find_target(self) -> pygame.Surface | None:
        """The surface that pictures are shown on."""
        return pygame.display.get_surface() if self._screens is None else self._screens.canvas

    def draw(self, moment: Moment) -> None:
        """Paint one picture, lay its text over it and show it."""
        now = time.perf_counter()
        writing, _ = self._overlay.render(moment.text)
        self._painter.detail = self.detail
        surface = self._painter.paint(moment)
        self._camera.of_surface(surface)
        screen = self._find_target()
        if screen is not None:
            changed = self._guarded.show(surface, self._painter.dirty, writing, screen, now)
            self._before_show()
            if self._screens is None:
                pygame.display.update(changed)
            else:
                self._screens.show(changed)

    def draw_grid(self, draw: Callable[[int, pygame.Surface], None]) -> None:
        """Show a test picture on each display; see `SurfaceScreens.show_each`."""
        if self._screens is not None:
            self._before_show()
            self._screens.show_each(draw)

    def replan(self, plan: StagePlan) -> None:
        """The same displays, with other corners, masks and so on."""
        if self._screens is not None:
            self._screens.replan(plan)

    def read(self) -> pygame.Surface | None:
        """What was shown last."""
        return pygame.display.get_surface()

    def resize(self, size: tuple[int, int]) -> None:
        """The window has another size."""
        self._painter.release()
        self._start(size)

    def release(self) -> None:
        """Let go of what runs aside."""
        self._painter.release()
