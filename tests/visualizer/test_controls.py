"""The table of keys, and the help that is drawn from it."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer import controls
from visualizer.controls import ACTIONS, CONTROLS, action_of
from visualizer.stage import overlay
from visualizer.stage.overlay import MOST_TOASTS, TOAST_SECONDS, Overlay


def test_no_key_has_two_actions() -> None:
    keys = [(key, control.shift) for control in CONTROLS for key in control.keys]
    assert len(keys) == len(set(keys))
    labels = [control.label for control in CONTROLS]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("key", "action"),
    [
        (pygame.K_SPACE, "reseed"),
        (pygame.K_LEFT, "previous style"),
        (pygame.K_RIGHT, "next style"),
        (pygame.K_UP, "next look"),
        (pygame.K_DOWN, "previous look"),
        (pygame.K_f, "fullscreen"),
        (pygame.K_h, "help"),
        (pygame.K_ESCAPE, "quit"),
        (pygame.K_d, "next dance"),
        (pygame.K_MINUS, "tamer"),
        (pygame.K_EQUALS, "wilder"),
        (pygame.K_LEFTBRACKET, "tamer"),
        (pygame.K_RIGHTBRACKET, "wilder"),
        (pygame.K_1, "troupe 1"),
        (pygame.K_9, "troupe 9"),
        (pygame.K_KP1, "troupe 1"),
        (pygame.K_KP9, "troupe 9"),
        (pygame.K_0, None),
        (pygame.K_u, "formation"),
        (pygame.K_t, "tap tempo"),
        (pygame.K_COMMA, "half tempo"),
        (pygame.K_PERIOD, "double tempo"),
        (pygame.K_F12, None),
    ],
)
def test_keys(key: int, action: str | None) -> None:
    assert action_of(key) == action
    with_shift = {
        pygame.K_d: "previous dance",
        pygame.K_t: "trust the ear",
        pygame.K_COMMA: "later",
        pygame.K_PERIOD: "earlier",
    }
    assert action_of(key, True) == with_shift.get(key, action)


def test_every_digit_is_a_number_of_dancers() -> None:
    assert [a for a in ACTIONS if a.startswith("troupe")] == [f"troupe {n}" for n in range(1, 10)]


def test_help_is_drawn_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One control more makes the panel one line higher: nothing is written in two places."""

    def height() -> int:
        each = Overlay((640, 1280))
        each.help = True
        surface, changed = each.render(0.0)
        assert surface is not None
        assert changed
        return surface.get_bounding_rect().height

    before = height()
    extra = controls.Control((pygame.K_x,), "X", "quit", "one more")
    monkeypatch.setattr(overlay, "CONTROLS", (*CONTROLS, extra))
    assert height() > before


@pytest.mark.parametrize("size", [(320, 180), (640, 400), (1280, 720), (1920, 1080), (1080, 1920)])
def test_the_help_fits_every_window(size: tuple[int, int]) -> None:
    each = Overlay(size)
    each.help, each.status = True, "a song with a very long name.flac: 120 BPM, sure by 100%, loudness ▮▮▮▮▮▮▮▮" * 2
    surface, _ = each.render(0.0)
    assert surface is not None
    box = surface.get_bounding_rect()
    assert box.top > 0
    assert box.bottom < size[1]
    assert box.right < size[0]


def test_the_status_line_is_drawn_anew_only_with_the_help_and_when_it_changes() -> None:
    each = Overlay((640, 480))
    each.status = "microphone: 120 BPM"
    assert each.render(0.0) == (None, False)
    each.help = True
    surface, changed = each.render(0.0)
    assert surface is not None
    assert changed
    assert each.render(0.1) == (surface, False)
    before = surface.copy()
    each.status = "microphone: 131 BPM"
    assert each.render(0.2) == (surface, True)
    assert pygame.surfarray.array2d(before).tolist() != pygame.surfarray.array2d(surface).tolist()
    for lamp in (1, 2, 0):
        before = surface.copy()
        each.lamp = lamp
        assert each.render(0.3) == (surface, True)
        rows, columns = np.nonzero(pygame.surfarray.array2d(before) != pygame.surfarray.array2d(surface))
        assert 0 < np.ptp(rows) < 20  # only the lamp
        assert 0 < np.ptp(columns) < 20


def test_the_help_does_not_shrink_and_grow_with_what_the_ear_says() -> None:
    each = Overlay((640, 480))
    each.help = True
    widths = []
    for status in ("microphone", "microphone: " + "▮" * 60, "microphone: 120 BPM", ""):
        each.status = status
        surface, _ = each.render(0.0)
        assert surface is not None
        widths.append(surface.get_bounding_rect().width)
    assert widths[0] < widths[1] == widths[2] == widths[3]


def test_a_toast_takes_the_place_of_the_last_of_its_topic() -> None:
    each = Overlay((640, 480))
    for text, topic in (("a", ""), ("10 ms", "time"), ("b", ""), ("20 ms", "time"), ("a", "")):
        each.toast(text, 0.0, topic)
    assert [text for text, *_ in each._toasts] == ["a", "b", "20 ms", "a"]


def test_the_font_can_write_every_label() -> None:
    each = Overlay((640, 480))
    words = [*(control.label for control in CONTROLS), "▮▯"]
    missing = [word for word in words if None in each._font.metrics(word)]
    assert not missing


def test_toasts_come_and_go() -> None:
    each = Overlay((640, 480))
    assert each.render(0.0) == (None, False)
    each.toast("style: waltz", 1.0)
    surface, changed = each.render(1.0)
    assert surface is not None
    assert changed
    assert surface.get_bounding_rect().width > 50
    assert each.render(1.1) == (surface, False)  # nothing new: it need not be sent to the GPU again
    assert each.render(1.0 + TOAST_SECONDS + 0.1) == (None, True)


def test_many_and_long_toasts_stay_on_the_screen() -> None:
    each = Overlay((320, 240))
    for number in range(20):
        each.toast(f"{number} " + "long " * 100, 0.0)
    surface, _ = each.render(0.0)
    assert surface is not None
    box = surface.get_bounding_rect()
    assert box.width < 320
    assert box.height < 240
    assert len(each._toasts) == MOST_TOASTS
