"""The table of keys, and the help that is drawn from it."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer import controls
from visualizer.controls import ACTIONS, CONTROLS, GROUPS, action_of
from visualizer.stage import overlay
from visualizer.stage.overlay import MOST_TOASTS, TOAST_SECONDS, Overlay, help_lines, plan_help


def test_no_key_has_two_actions() -> None:
    keys = [(control.hold, key) for control in CONTROLS for key in control.keys]
    keys += [chord for control in CONTROLS for chord in control.also]
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
        (pygame.K_o, "more latency"),
        (pygame.K_g, "more sensitive"),
        (pygame.K_b, "blackout"),
        (pygame.K_s, "picture"),
        (pygame.K_F12, "picture"),
        (pygame.K_r, "record"),
        (pygame.K_F11, "fullscreen"),
        (pygame.K_m, "next display"),
        (pygame.K_a, "auto"),
        (pygame.K_l, "lock"),
        (pygame.K_k, "favourite"),
        (pygame.K_x, "never look"),
        (pygame.K_BACKSPACE, "take back"),
        (pygame.K_RETURN, None),
        (pygame.K_q, None),
        (pygame.K_F4, None),
    ],
)
def test_keys(key: int, action: str | None) -> None:
    assert action_of(key) == action
    with_shift = {
        pygame.K_d: "previous dance",
        pygame.K_t: "trust the ear",
        pygame.K_COMMA: "later",
        pygame.K_PERIOD: "earlier",
        pygame.K_o: "less latency",
        pygame.K_g: "less sensitive",
        pygame.K_x: "never dance",
    }
    for shift in (pygame.KMOD_LSHIFT, pygame.KMOD_RSHIFT | pygame.KMOD_NUM | pygame.KMOD_CAPS):
        assert action_of(key, shift) == with_shift.get(key, action)
    # With Ctrl, Alt or the system's key, keys are the window manager's, but for those in the table.
    for held in (pygame.KMOD_LCTRL, pygame.KMOD_RALT, pygame.KMOD_LMETA, pygame.KMOD_LCTRL | pygame.KMOD_LALT):
        chords = {(pygame.KMOD_LCTRL, pygame.K_x): "never style", (pygame.KMOD_RALT, pygame.K_RETURN): "fullscreen"}
        assert action_of(key, held) == chords.get((held, key))


def test_only_esc_ends_the_show() -> None:
    assert [control.label for control in CONTROLS if control.action == "quit"] == ["Esc"]


def test_every_digit_is_a_number_of_dancers() -> None:
    assert [a for a in ACTIONS if a.startswith("troupe")] == [f"troupe {n}" for n in range(1, 10)]


def test_help_is_drawn_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One control more makes the panel one line higher: nothing is written in two places."""

    def panel() -> pygame.Surface:
        each = Overlay((640, 1280))
        each.help = True
        surface, changed = each.render(0.0)
        assert surface is not None
        assert changed
        return surface.subsurface(surface.get_bounding_rect())

    lines = [label for _, rows in help_lines(GROUPS) for label, _ in rows]
    assert " ".join(lines).split() == [word for control in CONTROLS for word in control.label.split()]
    before = panel()
    extra = controls.Control((pygame.K_z,), "Z", "quit", "one more")
    (title, group), *others = GROUPS
    monkeypatch.setattr(overlay, "GROUPS", ((title, (*group, extra)), *others))
    assert panel().get_height() > before.get_height()


SIZES = [(320, 180), (640, 360), (640, 400), (800, 600), (1280, 720), (1920, 1080), (3440, 1440), (720, 1280)]


@pytest.mark.parametrize("size", SIZES)
def test_the_help_fits_every_window(size: tuple[int, int]) -> None:
    each = Overlay(size)
    each.help, each.status = True, "a song with a very long name.flac: 120 BPM, sure by 100%, loudness ▮▮▮▮▮▮▮▮" * 2
    each.on_now = "auto · a style with a long name · a dance with a long name · look With A Long Name " * 3
    surface, _ = each.render(0.0)
    assert surface is not None
    box = surface.get_bounding_rect()
    assert 0 < box.left < box.right < size[0]
    assert 0 < box.top < box.bottom < size[1]


@pytest.mark.parametrize("size", SIZES[1:])
def test_the_help_is_large_enough_to_read_and_leaves_room_for_a_toast(size: tuple[int, int]) -> None:
    each = Overlay(size)
    plan = plan_help(size, GROUPS, each._font.get_height())
    assert plan.font.get_height() >= max(12, 0.026 * min(size))
    assert plan.size[1] + 3 * plan.line <= size[1]
    for column in plan.columns:
        for _, rows in column.groups:
            for label, text in rows:  # nothing runs into its neighbour
                assert plan.font.size(label)[0] < column.label
                assert column.label + plan.font.size(text)[0] < column.width
    assert sum(column.width for column in plan.columns) <= plan.size[0] < size[0]


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
        each.status = each.on_now = status
        surface, _ = each.render(0.0)
        assert surface is not None
        widths.append(surface.get_bounding_rect().width)
    assert len(set(widths)) == 1


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


def test_a_toast_that_is_too_long_goes_on_in_a_second_line() -> None:
    heights = []
    for text in ("picture: /home/me/Pictures/dance.png", "picture: /home/me/" + "Pictures/" * 9 + "dance.png"):
        each = Overlay((640, 480))
        each.toast(text, 0.0)
        surface, _ = each.render(0.0)
        assert surface is not None
        box = surface.get_bounding_rect()
        assert box.width < 640
        heights.append(box.height)
    line = Overlay((640, 480))._font.get_linesize()
    assert abs(heights[1] - heights[0] - line) <= 2


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


def test_blackout_lies_below_what_is_written() -> None:
    each = Overlay((640, 480))
    each.black = 0.5
    surface, changed = each.render(0.0)
    assert surface is not None
    assert changed
    assert set(pygame.surfarray.array_alpha(surface).ravel().tolist()) == {128}
    assert each.render(0.1) == (surface, False)
    each.black = 1.0
    each.toast("black", 0.2)
    surface, _ = each.render(0.2)
    assert surface is not None
    assert pygame.surfarray.array_alpha(surface).min() == 255
    assert pygame.surfarray.array3d(surface).max() > 200
    each.black = 0.0
    assert each.render(0.2 + TOAST_SECONDS + 0.1) == (None, True)


def test_a_recording_is_a_red_dot() -> None:
    each = Overlay((640, 480))
    each.recording = True
    surface, _ = each.render(0.0)
    assert surface is not None
    box = surface.get_bounding_rect()
    assert box.left > 600
    assert box.bottom < 40
    red, green, blue, alpha = surface.get_at(box.center)
    assert red > 200
    assert max(green, blue) < 60
    assert alpha == 255
    each.recording = False
    assert each.render(0.1) == (None, True)
