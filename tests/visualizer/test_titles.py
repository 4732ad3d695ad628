"""What is to be read over the picture, and when."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import fakes
from tests.support.show_fakes import FakeDancer
from visualizer.commands import run_command
from visualizer.errors import UserError
from visualizer.moment import Logo
from visualizer.show import Show, ShowPlan
from visualizer.titles import FADE_SECONDS, LONGEST_TITLE, TitleBoard, clean_title, format_seconds


def make_show(titles: TitleBoard | None = None) -> tuple[Show, list[str]]:
    said: list[str] = []
    show = Show(FakeDancer(), ShowPlan(titles=titles or TitleBoard()), lambda text, *_: said.append(text))
    return show, said


@pytest.mark.parametrize(
    ("left", "said"), [(0.0, "0"), (-0.5, "0"), (0.2, "1"), (59, "59"), (59.1, "1:00"), (65, "1:05"), (7200, "2:00:00")]
)
def test_seconds_that_are_left(left: float, said: str) -> None:
    assert format_seconds(left) == said


def test_a_title_has_lines_and_shows_only_itself() -> None:
    assert clean_title(r"Happy\nbirthday") == "Happy\nbirthday"
    assert clean_title(" a\x1b[31m\u202eb \n\n c\t\x00d ") == "a[31mb\n\nc d"
    assert clean_title("👩\u200d🎤") == "👩\u200d🎤"
    assert clean_title(" \n ") == ""
    for text in ("x" * (LONGEST_TITLE + 1), "a\n" * 7):
        with pytest.raises(UserError, match="a title has up to"):
            clean_title(text)


def test_a_title_comes_and_goes_by_a_fade() -> None:
    board = TitleBoard(text="one")
    covers = [board.at(t).cover for t in np.linspace(10, 10 + FADE_SECONDS, 9)]
    assert covers[0] == 0
    assert covers == sorted(covers)
    assert covers[-1] == 1
    board.set_text("two")
    texts = [(seen.text, seen.cover) for seen in map(board.at, np.linspace(10.41, 11.41, 41))]
    assert texts[0][0] == "one"
    assert texts[-1] == ("two", 1.0)
    turn = next(k for k, (text, _) in enumerate(texts) if text == "two")
    assert texts[turn][1] < 0.1  # nothing is seen when one becomes the other


def test_a_countdown_begins_with_the_first_picture_and_goes_after_zero() -> None:
    board = TitleBoard(countdown=3)
    seen = {second: board.at(100 + second) for second in np.arange(0, 6, 0.25)}
    assert [seen[s].counter for s in (0.0, 0.25, 1.0, 2.5, 3.0, 3.75)] == ["3", "3", "2", "1", "0", "0"]
    assert seen[2.0].cover == 1  # running figures do not fade
    assert not seen[5.0]
    assert not board.counts_down


def test_the_clock_changes_without_a_fade() -> None:
    board, times = TitleBoard(), iter(["21:59", "21:59", "22:00"])
    board.clock, board.shows_clock, board.song, board.shows_song = lambda: next(times), True, "Nina – Tune", True
    board.at(0.0)
    board.at(1.0)
    seen = board.at(1.1)
    assert (seen.small, seen.cover) == ("22:00 · Nina – Tune", 1.0)


def test_moments_of_a_show_have_its_titles() -> None:
    show, said = make_show(TitleBoard(text="hello"))
    assert [show.step(t * 2, fakes.hearing(t)).titles.text for t in (0.0, 1.0)] == ["hello", "hello"]
    run_command(show, "title", 1.0, r"Ana\n30")
    assert said[-1] == "title: Ana …"
    seen = [show.step(t * 2, fakes.hearing(t)).titles for t in (1.1, 2.0, 3.0)][-1]
    assert (seen.text, seen.cover) == ("Ana\n30", 1.0)
    run_command(show, "title", 3.0)
    assert said[-1] == "title: none"
    assert not [show.step(t * 2, fakes.hearing(t)).titles for t in (3.1, 4.0, 5.0)][-1]


def test_commands_say_what_is_wrong_and_change_nothing() -> None:
    show, said = make_show(TitleBoard(text="stays"))
    for name, argument, wrong in (
        ("title", "x" * 400, "up to 300 characters"),
        ("countdown", "soon", "countdown soon: must be"),
        ("countdown", "-3", "countdown -3: must be"),
        ("clock", "", "no clock in a film"),
        ("now playing", "", "not known"),
        ("logo", "missing.png", "cannot be read"),
        ("logo", "../../etc/passwd", "must be a file in"),
        ("logo", "/etc/passwd", "must be a file in"),
        ("logo", "a\0b", "no name of a file"),
    ):
        run_command(show, name, 0.0, argument)
        assert wrong in said[-1], (name, argument)
    assert show.titles.text == "stays"
    assert show.titles.logo is None
    assert not show.titles.counts_down


def test_a_logo_is_equal_only_to_itself() -> None:
    one, other = (Logo("a.png", np.zeros((2, 2, 4), np.uint8)) for _ in range(2))
    assert one != other
    assert one == one
