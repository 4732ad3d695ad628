"""What is written over the picture, and the help that is drawn from the table of keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pygame
import pytest

from visualizer.messages import MOST_TOASTS
from visualizer.moment import Text
from visualizer.remote.keys import GROUPS, KEYS, Key
from visualizer.stage import overlay
from visualizer.stage.overlay import Overlay, help_lines, plan_help


def test_help_is_drawn_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key more makes the panel one line higher: nothing is written in two places."""

    def panel() -> pygame.Surface:
        each = Overlay((640, 1280))
        surface, changed = each.render(Text(help=True))
        assert surface is not None
        assert changed
        return surface.subsurface(surface.get_bounding_rect())

    lines = [label for _, rows in help_lines(GROUPS) for label, _ in rows]
    assert " ".join(lines).split() == [word for key in KEYS for word in key.label.split()]
    before = panel()
    extra = Key((pygame.K_z,), "Z", "quit")
    (title, group), *others = GROUPS
    monkeypatch.setattr(overlay, "GROUPS", ((title, (*group, extra)), *others))
    assert panel().get_height() > before.get_height()


SIZES = [(320, 180), (640, 360), (640, 400), (800, 600), (1280, 720), (1920, 1080), (3440, 1440), (720, 1280)]


@pytest.mark.parametrize("size", SIZES)
def test_the_help_fits_every_window(size: tuple[int, int]) -> None:
    each = Overlay(size)
    status = "a song with a very long name.flac: 120 BPM, sure by 100%, loudness ▮▮▮▮▮▮▮▮" * 2
    on_now = "auto · a style with a long name · a dance with a long name · look With A Long Name " * 3
    surface, _ = each.render(Text(help=True, status=status, on_now=on_now))
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


def test_the_status_line_is_drawn_again_only_with_the_help_and_when_it_changes() -> None:
    each = Overlay((640, 480))
    text = Text(status="microphone: 120 BPM")
    assert each.render(text) == (None, False)
    text = replace(text, help=True)
    surface, changed = each.render(text)
    assert surface is not None
    assert changed
    assert each.render(text) == (surface, False)
    before = surface.copy()
    text = replace(text, status="microphone: 131 BPM")
    assert each.render(text) == (surface, True)
    assert pygame.surfarray.array2d(before).tolist() != pygame.surfarray.array2d(surface).tolist()
    for lamp in (1, 2, 0):
        before = surface.copy()
        assert each.render(replace(text, lamp=lamp)) == (surface, True)
        rows, columns = np.nonzero(pygame.surfarray.array2d(before) != pygame.surfarray.array2d(surface))
        assert 0 < np.ptp(rows) < 20  # only the lamp
        assert 0 < np.ptp(columns) < 20


def test_the_help_does_not_shrink_and_grow_with_what_the_ear_says() -> None:
    each = Overlay((640, 480))
    widths = []
    for status in ("microphone", "microphone: " + "▮" * 60, "microphone: 120 BPM", ""):
        surface, _ = each.render(Text(help=True, status=status, on_now=status))
        assert surface is not None
        widths.append(surface.get_bounding_rect().width)
    assert len(set(widths)) == 1


def test_the_font_can_write_every_label() -> None:
    each = Overlay((640, 480))
    words = [*(key.label for key in KEYS), "▮▯"]
    missing = [word for word in words if None in each._font.metrics(word)]
    assert not missing


def test_toasts_come_and_go() -> None:
    each = Overlay((640, 480))
    assert each.render(Text()) == (None, False)
    text = Text(toasts=("style: waltz",))
    surface, changed = each.render(text)
    assert surface is not None
    assert changed
    assert surface.get_bounding_rect().width > 50
    assert each.render(text) == (surface, False)  # nothing new: it need not be sent to the GPU again
    assert each.render(Text()) == (None, True)


def test_a_toast_that_is_too_long_goes_on_in_a_second_line() -> None:
    heights = []
    for text in ("picture: /home/me/Pictures/dance.png", "picture: /home/me/" + "Pictures/" * 9 + "dance.png"):
        each = Overlay((640, 480))
        surface, _ = each.render(Text(toasts=(text,)))
        assert surface is not None
        box = surface.get_bounding_rect()
        assert box.width < 640
        heights.append(box.height)
    line = Overlay((640, 480))._font.get_linesize()
    assert abs(heights[1] - heights[0] - line) <= 2


def test_many_and_long_toasts_stay_on_the_screen() -> None:
    each = Overlay((320, 240))
    toasts = tuple(f"{number} " + "long " * 100 for number in range(MOST_TOASTS))
    surface, _ = each.render(Text(toasts=toasts))
    assert surface is not None
    box = surface.get_bounding_rect()
    assert box.width < 320
    assert box.height < 240


def test_blackout_lies_below_what_is_written() -> None:
    each = Overlay((640, 480))
    surface, changed = each.render(Text(black=0.5))
    assert surface is not None
    assert changed
    assert set(pygame.surfarray.array_alpha(surface).ravel().tolist()) == {128}
    assert each.render(Text(black=0.5)) == (surface, False)
    surface, _ = each.render(Text(toasts=("black",), black=1.0))
    assert surface is not None
    assert pygame.surfarray.array_alpha(surface).min() == 255
    assert pygame.surfarray.array3d(surface).max() > 200
    assert each.render(Text()) == (None, True)


def test_a_recording_is_a_red_dot() -> None:
    each = Overlay((640, 480))
    surface, _ = each.render(Text(recording=True))
    assert surface is not None
    box = surface.get_bounding_rect()
    assert box.left > 600
    assert box.bottom < 40
    red, green, blue, alpha = surface.get_at(box.center)
    assert red > 200
    assert max(green, blue) < 60
    assert alpha == 255
    assert each.render(Text()) == (None, True)
