"""What a knob means to each command."""

from __future__ import annotations

import pytest

from tests.support.live_fakes import make_live
from tests.support.phones import make_state
from tests.support.show_fakes import STYLES
from visualizer.commands import run_command
from visualizer.remote.controls import REMOTE_COMMANDS, find_argument, find_choices, find_value
from visualizer.stage.looks import shipped_looks

STATE = make_state(troupe="5", look="neon", sync="canon", sensitivity="4", temperature="0.3")
LOOKS = [look.name for look in shipped_looks()]


@pytest.mark.parametrize(("name", "value", "argument"), [
    ("troupe", 0.0, "1"), ("troupe", 0.5, "5"), ("troupe", 1.0, "9"), ("troupe", 7.0, "9"), ("sensitivity", 0.0, "-4"),
    ("temperature", 1.0, "1.6"), ("blackout", 1.0, "on"), ("blackout", 0.0, "off"), ("lock", 0.5, "on"),
    ("reseed", 1.0, ""), ("reseed", 0.0, None), ("tap tempo", 0.3, None), ("style", 0.0, STYLES[0]),
    ("style", 1.0, STYLES[-1]), ("sync", 0.5, "unison"), ("look", 1.0, LOOKS[-1]),
])  # fmt: skip
def test_a_knob_has_a_meaning(name: str, value: float, argument: str | None) -> None:
    assert find_argument(name, value, STATE) == argument


@pytest.mark.parametrize("name", REMOTE_COMMANDS)
@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 1.0])
def test_a_show_takes_what_a_knob_says(name: str, value: float) -> None:
    live, answers = make_live(), []
    argument = find_argument(name, value, STATE)
    if argument is not None:
        run_command(live.show, name, 0.0, argument, answers.append)
    refusals = ("wanted", "must be", "is called", "takes nothing", "NAME", "temperature is")
    assert [text for text in answers if any(word in text for word in refusals)] == []


def test_nothing_is_chosen_of_what_is_not_known() -> None:
    assert find_choices("style", None) == ()
    assert find_argument("style", 0.5, None) is None
    assert find_value("troupe", None) is None


@pytest.mark.parametrize(("name", "value"), [("troupe", 0.5), ("sensitivity", 1.0), ("temperature", 0.0)])
def test_a_knob_knows_where_the_show_is(name: str, value: float) -> None:
    assert find_value(name, STATE) == pytest.approx(value)
    assert find_argument(name, value, STATE) is not None


@pytest.mark.parametrize("name", ["style", "look", "sync"])
def test_a_knob_at_its_place_says_what_is_on(name: str) -> None:
    value = find_value(name, STATE)
    assert value is not None
    assert find_argument(name, value, STATE) == getattr(STATE, name)


def test_a_button_has_no_place() -> None:
    assert find_value("reseed", STATE) is None
