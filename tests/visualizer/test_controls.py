"""The table of keys, and the help that is drawn from it."""

from __future__ import annotations

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
        (pygame.K_t, None),
        (pygame.K_F12, None),
    ],
)
def test_keys(key: int, action: str | None) -> None:
    assert action_of(key) == action
    assert action_of(key, True) == (action if key != pygame.K_d else "previous dance")


def test_every_digit_is_a_number_of_dancers() -> None:
    assert [a for a in ACTIONS if a.startswith("troupe")] == [f"troupe {n}" for n in range(1, 10)]


def test_help_is_drawn_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One control more makes the panel one line higher: nothing is written in two places."""

    def height() -> int:
        each = Overlay((640, 480))
        each.help = True
        surface, changed = each.render(0.0)
        assert surface is not None
        assert changed
        return surface.get_bounding_rect().height

    before = height()
    extra = controls.Control((pygame.K_x,), "X", "quit", "one more")
    monkeypatch.setattr(overlay, "CONTROLS", (*CONTROLS, extra))
    assert height() > before


def test_the_font_can_write_every_label() -> None:
    each = Overlay((640, 480))
    missing = [label.label for label in CONTROLS if None in each._font.metrics(label.label)]
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
