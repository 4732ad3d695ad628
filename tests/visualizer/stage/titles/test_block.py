"""Where titles stand, how large they are, and that they fit."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer.moment import Logo, Titles
from visualizer.stage.looks import Look, TitleLook, shipped_looks
from visualizer.stage.titles.block import (
    LEAST,
    draw_code,
    find_code_place,
    make_capitals,
    set_titles,
    shorten_address,
    wrap,
)
from visualizer.stage.titles.fonts import FontChain

SIZE = (640, 360)
LOGO = Logo("logo.png", np.full((40, 80, 4), 200, np.uint8))
ALL = Titles("Happy birthday\nAna", "1:05", "21:30 · Artist – Song", LOGO, "https://example.org/party")


@pytest.fixture(scope="module")
def fonts() -> FontChain:
    return FontChain()


def boxes(titles: Titles, style: TitleLook, size: tuple[int, int], fonts: FontChain) -> list[pygame.Rect]:
    return [image.get_rect(topleft=corner) for image, corner in set_titles(titles, style, size, fonts)]


@pytest.mark.parametrize("look", shipped_looks(), ids=lambda each: each.name)
def test_every_look_says_how_titles_look_and_all_of_them_fit(look: Look, fonts: FontChain) -> None:
    for size in (SIZE, (360, 640)):
        for titles in (ALL, Titles("Congratulations to all of you who came here tonight")):
            whole = pygame.Rect(0, 0, *size)
            found = boxes(titles, look.titles, size, fonts)
            assert all(whole.contains(box.clip(whole.inflate(40, 40))) for box in found), found
    assert look.titles.colours is not None


@pytest.mark.parametrize(
    ("place", "column", "row"), [("top left", 0, 0), ("right", 2, 1), ("bottom", 1, 2), ("bottom right", 2, 2)]
)
def test_titles_stand_in_their_place(place: str, column: int, row: int, fonts: FontChain) -> None:
    (box,) = boxes(Titles("Hi"), TitleLook(place=place), SIZE, fonts)
    assert (box.centerx * 3 // SIZE[0], box.centery * 3 // SIZE[1]) == (column, row)


def test_titles_beside_the_dancer_stand_above_in_an_upright_picture(fonts: FontChain) -> None:
    (box,) = boxes(Titles("Hi"), TitleLook(place="left"), (360, 640), fonts)
    assert box.centery < 640 / 3


@pytest.mark.parametrize("text", ["a", "word " * 40, "x" * 200])
def test_no_line_is_too_small_to_be_read(text: str, fonts: FontChain, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    render = FontChain.render
    monkeypatch.setattr(FontChain, "render", lambda self, line, size, spacing=0.0: sizes.append(size) or render(self, line, size, spacing))  # noqa: E501 # fmt: skip
    set_titles(Titles(text.strip()), TitleLook(place="left"), SIZE, fonts)
    assert min(sizes) >= round(LEAST * SIZE[1])


def test_a_line_is_kept_whole_where_that_makes_it_only_a_little_smaller(fonts: FontChain) -> None:
    style = TitleLook(place="left")
    assert len(set_titles(Titles("Ana & Tom"), style, SIZE, fonts)) == 1
    assert len(set_titles(Titles("Congratulations to Ana & Tom"), style, SIZE, fonts)) >= 2


def test_capitals() -> None:
    assert [make_capitals(text) for text in ("Straße", "Αθήνα", "é")] == ["STRASSE", "ΑΘΗΝΑ", "É"]


def test_lines_are_cut_between_words(fonts: FontChain) -> None:
    lines = wrap("one two three\nfour", TitleLook(), 40, 150, fonts)
    assert " ".join(lines) == "one two three four"
    assert len(lines) > 2
    assert lines[-1] == "four"
    assert wrap("", TitleLook(), 40, 150, fonts) == []


def test_a_code_can_be_read_and_stands_where_the_title_does_not(fonts: FontChain) -> None:
    cv2 = pytest.importorskip("cv2")
    card = draw_code("https://example.org/party?x=1", 200, fonts)
    plain = pygame.Surface((card.get_width() + 40, card.get_height() + 40), 0, 32)
    plain.blit(card, (20, 20))
    pixels = pygame.surfarray.array3d(plain).transpose(1, 0, 2)
    assert cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(pixels))[0] == "https://example.org/party?x=1"
    assert find_code_place("left", SIZE) == "bottom right"
    assert find_code_place("bottom right", SIZE) == "top left"


def test_addresses_are_shortened_for_people() -> None:
    assert shorten_address("https://www.example.org/party/?token=1") == "example.org/party"
    assert shorten_address("https://example.org/a/very/long/path/that/goes/on") == "example.org"
