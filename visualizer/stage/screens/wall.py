"""The displays of a show beyond one plain window: which of them it is on, and how the picture stands on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pygame

from visualizer.errors import UserError
from visualizer.screen_setup import ScreenTable
from visualizer.stage.displays import ALL, Display, find_display
from visualizer.stage.screens.pinning import Pinning, describe
from visualizer.stage.screens.plan import StagePlan, is_plain, plan_stage


@dataclass(frozen=True)
class WallChoice:
    """What was asked for: more displays than the window's (`display`, as of --display), stretched over them or not."""

    display: int | str = 0
    stretched: bool = False
    table: ScreenTable = field(default_factory=ScreenTable)


class Wall:
    """Plans the displays of a window, and fits them by hand."""

    def __init__(self, choice: WallChoice) -> None:
        self._choice = choice
        self.pinning = Pinning(choice.table)
        self.plan: StagePlan | None = None  # None: one display, the picture as it comes
        self.is_grid_stale = False

    @property
    def is_wide(self) -> bool:
        """Whether more than one display was asked for."""
        return isinstance(self._choice.display, str) and (
            self._choice.display.strip().casefold() == ALL or "," in self._choice.display
        )

    def make_plan(self, main: Display, there: Sequence[Display], fullscreen: bool) -> StagePlan | None:
        """What the displays show from now on, that of the window first."""
        self.plan = None
        if fullscreen:
            plan = plan_stage((main, *self._find_others(main, there)), self.pinning.table, self._choice.stretched)
            if self.pinning.on or not is_plain(plan):
                self.plan = plan
        else:
            self.pinning.on = False
        self.is_grid_stale = True
        return self.plan

    def _find_others(self, main: Display, there: Sequence[Display]) -> list[Display]:
        """Those that were asked for and are there, but for the window's own."""
        if not self.is_wide:
            return []
        asked = str(self._choice.display)
        if asked.strip().casefold() == ALL:
            return [each for each in there if each != main]
        found: list[Display] = []
        for word in asked.split(","):
            try:
                display = find_display(there, word)
            except UserError:  # unplugged
                continue
            if display != main and display not in found:
                found.append(display)
        return found

    def draw_grid(self, number: int, surface: pygame.Surface) -> None:
        """The test picture of that display."""
        from visualizer.stage.screens.grid import draw_grid

        assert self.plan is not None
        screen = self.plan.screens[number]
        chosen = number == self.pinning.screen
        draw_grid(surface, str(screen.display), self.pinning.corner if chosen else None, (describe(screen.setup),))
