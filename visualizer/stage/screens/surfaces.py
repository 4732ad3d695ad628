"""The picture on several displays, or pulled to the corners of one, by the processor.

The window of the first display is pygame's own; each further one has a window without a frame that fills it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.stage.screens.mask import load_mask
from visualizer.stage.screens.plan import ScreenPlan, StagePlan
from visualizer.stage.screens.warp import Canvas, Warp

TITLE = "The Dancing Screen"


class SurfaceScreens:
    """Shows what is in `canvas`, a surface as large as the picture, on the displays of a plan.

    `skip_first`: the first display is shown by somebody else, a graphics card.
    """

    def __init__(self, plan: StagePlan, notify: Callable[[str], None], skip_first: bool = False) -> None:
        """`notify` is told of masks that cannot be used."""
        self.plan, self._notify = plan, notify
        self._canvas = Canvas(plan.size)
        self.canvas = self._canvas.surface
        self._windows = [_open_window(each) for each in plan.screens[1:]]
        self._begin = int(skip_first)
        self._warps = [self._make(number) for number in range(len(plan.screens))]

    def find_mask(self, number: int) -> NDArray[np.float32] | None:
        """(height, width) 0..1 of that display; None for none."""
        plan = self.plan.screens[number]
        if not plan.setup.mask:
            return None
        try:
            return load_mask(plan.setup.mask)
        except UserError as error:
            self._notify(f"display {plan.display}: {error}")
            return None

    def _make(self, number: int) -> Warp | None:
        """None where somebody else shows it."""
        if number < self._begin:
            return None
        return Warp(self._canvas, self.plan.screens[number], self.find_mask(number))

    def can_replan(self, plan: StagePlan, skip_first: bool) -> bool:
        """Whether `replan` does for that plan: the same displays and parts of the same picture."""
        same = [(each.display, each.part) for each in plan.screens]
        return same == [(each.display, each.part) for each in self.plan.screens] and int(skip_first) == self._begin

    def replan(self, plan: StagePlan) -> None:
        """The same displays with other corners, masks and so on."""
        before, self.plan = self.plan, plan
        for k, each in enumerate(plan.screens):
            if each != before.screens[k]:
                self._warps[k] = self._make(k)

    def show(self, changed: pygame.Rect) -> None:
        """Bring all displays up to date where the canvas has changed."""
        for k, warp in enumerate(self._warps):
            if warp is not None:
                _show_one(warp, warp.show(changed), self._windows[k - 1] if k else None)

    def show_each(self, draw: Callable[[int, pygame.Surface], None]) -> None:
        """Another picture on each display: `draw` is given its number among them and the part that it shows."""
        for k, warp in enumerate(self._warps):
            if warp is not None:
                draw(k, self.canvas.subsurface(warp.plan.part))
                _show_one(warp, warp.show(self.canvas.get_rect()), self._windows[k - 1] if k else None)

    def release(self) -> None:
        """Close the windows that were opened."""
        for window in self._windows:
            window.destroy()
        self._windows = []


def _show_one(warp: Warp, box: pygame.Rect, window: pygame.Window | None) -> None:
    """Bring `box` of what a display shows to its window; None: pygame's own."""
    target = pygame.display.get_surface() if window is None else window.get_surface()
    if not box or target is None:
        return
    target.blit(warp.surface, box, box)
    if window is None:
        pygame.display.update(box)
    else:
        window.flip()


def _open_window(plan: ScreenPlan) -> pygame.Window:
    display = plan.display
    # Else SDL would show its surface through an OpenGL of its own, and leave that current in place of ours.
    os.environ["SDL_FRAMEBUFFER_ACCELERATION"] = "0"
    # Where it lies says on which display it is full screen.
    window = pygame.Window(TITLE, display.size, display.place, borderless=True)
    window.set_fullscreen(desktop=True)
    return window
