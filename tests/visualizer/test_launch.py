"""What a show is made of before it is opened."""

from __future__ import annotations

from visualizer.auto import Kind
from visualizer.launch import find_pinned, read_preferences
from visualizer.options import Settings


def test_what_the_command_line_pins() -> None:
    def pins(**asked: str) -> set[Kind]:
        return find_pinned(Settings(**asked, from_cli=frozenset(asked)))  # type: ignore[arg-type]

    assert pins() == find_pinned(Settings(look="paper", style="salsa")) == set()
    assert pins(look="paper", style="auto") == {"look"}
    assert pins(style="salsa") == {"style"}
    assert pins(dance="basic") == {"dance", "style"}


def test_preferences_come_out_of_the_settings() -> None:
    preferences = read_preferences(Settings(favourite_looks=("neon",), never_styles=("waltz",)))
    assert (preferences.favourite["look"], preferences.never["style"], preferences.never["look"]) == (
        ("neon",),
        ("waltz",),
        (),
    )
