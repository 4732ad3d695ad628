"""Which displays show which part of the picture, and where on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visualizer.screen_setup import ScreenSetup, ScreenTable
from visualizer.stage.displays import Display

Points = tuple[tuple[float, float], ...]
Part = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True)
class ScreenPlan:
    """One display: `part` of the picture is seen there, its corners at `corners`, pixels of the display."""

    display: Display
    part: Part
    corners: Points
    setup: ScreenSetup


@dataclass(frozen=True)
class StagePlan:
    """The picture is `size` pixels; the first screen is that of the window."""

    size: tuple[int, int]
    screens: tuple[ScreenPlan, ...]


def plan_stage(shown: Sequence[Display], table: ScreenTable, stretched: bool) -> StagePlan:
    """The picture on `shown`, the first of which decides its size, or stretched over all of them as they lie."""
    if stretched and len(shown) > 1:
        left, top = (min(each.place[axis] for each in shown) for axis in (0, 1))
        size = (
            max(each.place[0] + each.size[0] for each in shown) - left,
            max(each.place[1] + each.size[1] for each in shown) - top,
        )
        parts = [(each.place[0] - left, each.place[1] - top, *each.size) for each in shown]
    else:
        size = shown[0].size
        parts = [(0, 0, *size)] * len(shown)
    screens = (_plan_screen(each, part, table) for each, part in zip(shown, parts, strict=True))
    return StagePlan(size, tuple(screens))


def _plan_screen(display: Display, part: Part, table: ScreenTable) -> ScreenPlan:
    setup = table.find(display.name)
    # As large as goes in, in the middle: a display of another shape has black beside the picture.
    scale = min(display.size[0] / part[2], display.size[1] / part[3])
    width, height = part[2] * scale, part[3] * scale
    left, top = (display.size[0] - width) / 2, (display.size[1] - height) / 2
    corners = tuple((left + x * width, top + y * height) for x, y in setup.corners)
    return ScreenPlan(display, part, corners, setup)


def is_plain(plan: StagePlan) -> bool:
    """Whether it is one display with the picture as it comes: then there is nothing to be done."""
    return len(plan.screens) == 1 and plan.screens[0].setup == ScreenSetup()
