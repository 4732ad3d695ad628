"""Letters of any script, in the order of reading."""

from __future__ import annotations

import pygame
import pytest

from visualizer.stage.titles.fonts import SHIPPED, FontChain, find_directions, find_script, order_runs, split_clusters


@pytest.fixture
def fonts() -> FontChain:
    return FontChain()


@pytest.mark.parametrize("letter", "aÄßЖΩאبԱა9€")
def test_letters_come_from_the_fonts_that_ship(fonts: FontChain, letter: str) -> None:
    assert fonts.find(letter).endswith(SHIPPED)
    assert pygame.surfarray.array_alpha(fonts.render(letter, 40)).max() == 255


def test_a_letter_that_no_font_has_draws_nothing_and_fails_nothing(fonts: FontChain) -> None:
    fonts._others = iter(())
    assert fonts.find("日") == fonts._paths[0]
    assert fonts.render("日", 40).get_width() > 0


def test_fonts_of_the_system_are_asked_in_turn_and_kept(fonts: FontChain, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fonts, "_has", lambda path, letter: asked.append(path) or path == "second")
    fonts._others = iter(["first", "second", "third"])
    assert fonts.find("日") == "second"
    assert asked[-2:] == ["first", "second"]
    asked.clear()
    assert fonts.find("本") == "second"
    assert "third" not in asked


def test_what_belongs_together_stays_together() -> None:
    assert split_clusters("e\u0301a👩\u200d🎤👍🏽🇩🇪!") == ["e\u0301", "a", "👩\u200d🎤", "👍🏽", "🇩🇪", "!"]


def directions(line: str) -> str:
    starts, ways = find_directions(list(line))
    return ("<" if starts else ">") + "".join("<" if way else ">" for way in ways)


def test_directions() -> None:
    assert directions("ab 12") == ">>>>>>"
    assert directions("אב גד") == "<<<<<<"
    assert directions("a אב b") == ">>><<>>"
    assert directions("אב 12 ג") == "<<<<>><<"
    assert directions("a אב!") == ">>><<>"  # the sign at the end goes with the line


def test_runs_are_put_in_the_order_of_reading(fonts: FontChain) -> None:
    def read(line: str) -> list[str]:
        return [run.text.strip() for run in fonts.split(line) if not run.text.isspace()]

    assert read("one אבג two") == ["one", "אבג", "two"]
    assert read("אבג one דהו") == ["דהו", "one", "אבג"]
    assert order_runs([], True) == []


def test_arabic_letters_are_joined(fonts: FontChain) -> None:
    """Joined they are narrower than one by one."""
    joined = fonts.render("مرحبا", 60).get_width()
    alone = sum(fonts.render(letter, 60).get_width() for letter in "مرحبا")
    assert joined < 0.9 * alone
    assert find_script("1 مرحبا") == "Arab"


@pytest.mark.parametrize("line", ["Happy birthday", "שלום 123", "a", ""])
def test_measuring_is_about_what_is_rendered(fonts: FontChain, line: str) -> None:
    for spacing in (0.0, 5.0):
        assert fonts.measure(line, 50, spacing) == pytest.approx(fonts.render(line, 50, spacing).get_width(), abs=8)
