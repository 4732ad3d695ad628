"""Which display shows which part of the picture, and where."""

from __future__ import annotations

from visualizer.screen_setup import ScreenSetup, ScreenTable
from visualizer.stage.displays import Display
from visualizer.stage.screens.plan import is_plain, plan_stage
from visualizer.stage.screens.wall import Wall, WallChoice

WIDE = Display(0, "Wide", (1280, 720), 60, (0, 0))
OLD = Display(1, "Old", (800, 600), 60, (1280, 100))
HALF = ScreenTable().replace("Old", ScreenSetup(((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))))


def test_a_mirrored_picture_is_whole_on_each_display() -> None:
    plan = plan_stage((WIDE, OLD), ScreenTable(), stretched=False)
    assert plan.size == (1280, 720)
    assert [each.part for each in plan.screens] == [(0, 0, 1280, 720)] * 2
    assert plan.screens[0].corners == ((0, 0), (1280, 0), (1280, 720), (0, 720))
    assert plan.screens[1].corners == ((0, 75), (800, 75), (800, 525), (0, 525))  # black above and below


def test_a_stretched_picture_lies_as_the_displays_do() -> None:
    plan = plan_stage((OLD, WIDE), ScreenTable(), stretched=True)
    assert plan.size == (2080, 720)
    assert [each.part for each in plan.screens] == [(1280, 100, 800, 600), (0, 0, 1280, 720)]
    assert plan.screens[0].corners == ((0, 0), (800, 0), (800, 600), (0, 600))


def test_corners_are_those_of_the_name() -> None:
    plan = plan_stage((WIDE, OLD), HALF, stretched=True)
    assert plan.screens[1].corners == ((400, 0), (800, 0), (800, 600), (400, 600))
    assert not is_plain(plan)
    assert is_plain(plan_stage((WIDE,), HALF, stretched=True))
    assert not is_plain(plan_stage((OLD,), HALF, stretched=False))


def test_a_show_on_one_display_as_it_comes_plans_nothing() -> None:
    wall = Wall(WallChoice(0, table=HALF))
    assert wall.make_plan(WIDE, (WIDE, OLD), fullscreen=True) is None
    assert wall.make_plan(OLD, (WIDE, OLD), fullscreen=True) is not None
    assert wall.make_plan(OLD, (WIDE, OLD), fullscreen=False) is None


def test_all_displays_or_those_of_a_list_and_who_is_not_there_is_left_out() -> None:
    for asked in ("all", "Old,Wide", "Wide, Old, Gone"):
        plan = Wall(WallChoice(asked)).make_plan(OLD, (WIDE, OLD), fullscreen=True)
        assert plan is not None
        assert [each.display for each in plan.screens] == [OLD, WIDE]
    assert Wall(WallChoice("Old,Gone")).make_plan(OLD, (WIDE, OLD), fullscreen=True) is None
    assert Wall(WallChoice("all")).make_plan(WIDE, (WIDE,), fullscreen=True) is None
