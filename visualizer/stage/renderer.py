"""What draws the pictures of a show: on the processor (cpu/), on a graphics card (gpu/), or one of your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pygame

    from visualizer.moment import Moment
    from visualizer.stage.screens.plan import StagePlan


class NoGpu(Exception):
    """OpenGL is absent, too old, runs on the processor, or has failed."""


class Renderer(Protocol):
    """Draws moments of a show, all of one size in pixels, (width, height)."""

    def draw(self, moment: Moment) -> None:
        """Draw one picture with its text."""
        ...

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of that size from now on."""
        ...

    def release(self) -> None:
        """Give back all that it holds; it is not used again."""
        ...


class ScreenRenderer(Renderer, Protocol):
    """A renderer of what a window shows. `draw` raises NoGpu if it can draw no more."""

    size: tuple[int, int]
    detail: int  # how much is left out to save time, 0 nothing to 2; one that has time for all ignores it

    def draw_grid(self, draw: Callable[[int, pygame.Surface], None]) -> None:
        """Show a test picture on each display: `draw` fills a surface for the one of that number."""
        ...

    def replan(self, plan: StagePlan) -> None:
        """The same displays, with other corners, masks and so on."""
        ...

    def read(self) -> pygame.Surface | None:
        """What was shown last."""
        ...
