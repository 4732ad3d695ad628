"""What the screen says to who has never run a show: hints, the list of inputs, the sound check."""

from __future__ import annotations

from collections.abc import Callable

import pygame
import pytest

from tests.support.live_fakes import FakeEar, make_live, text_of
from visualizer.guide import CHECK_SECONDS, FIND_SECONDS, FIRST_HINT, HINT_SECONDS, SILENCE_HINT, SILENT_SECONDS
from visualizer.live import LiveShow
from visualizer.music.inputs import Input
from visualizer.music.sources.capture_thread import CaptureThread


def press(live: LiveShow, code: int, now: float, mod: int = 0) -> None:
    live.handle([pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod)], now)


def hint_at(live: LiveShow, now: float) -> str:
    live.draw_frame(now)
    return text_of(live).hint


def ear_of(live: LiveShow) -> FakeEar:
    assert isinstance(live.source, FakeEar)
    return live.source


def test_the_line_of_a_first_show_goes_for_good_with_the_first_key() -> None:
    live = make_live(first=True)
    assert hint_at(live, 0.0) == FIRST_HINT
    press(live, pygame.K_F4, 1.0)  # a key that does nothing
    live.run_command("next look", 1.0)  # a remote, not somebody at the keyboard
    assert hint_at(live, 1.0) == FIRST_HINT
    assert "hint" not in live.show.choices.find_changes()
    press(live, pygame.K_UP, 2.0)
    assert hint_at(live, 2.0) == ""
    assert live.show.choices.find_changes()["hint"] is False


def test_the_line_of_a_first_show_goes_by_itself() -> None:
    live = make_live(first=True)
    assert hint_at(live, 5.0) == FIRST_HINT
    assert hint_at(live, 4.9 + HINT_SECONDS) == FIRST_HINT
    assert hint_at(live, 5.0 + HINT_SECONDS) == ""
    assert live.show.choices.find_changes() == {"hint": False}


def test_a_later_show_begins_without_a_line() -> None:
    live = make_live()
    assert hint_at(live, 0.0) == ""
    press(live, pygame.K_UP, 0.0)
    assert "hint" not in live.show.choices.find_changes()


@pytest.mark.parametrize("first", [True, False])
def test_where_nothing_is_heard_the_screen_says_what_to_press(first: bool) -> None:
    live = make_live(first=first)
    end = SILENT_SECONDS + HINT_SECONDS
    for silence, shown in ((SILENT_SECONDS - 0.1, False), (SILENT_SECONDS, True), (end - 0.1, True), (end, False)):
        ear_of(live).silence = silence
        assert (hint_at(live, 1.0) == SILENCE_HINT) is shown
    ear_of(live).silence = 20.0
    live.run_command("blackout", 2.0)
    assert hint_at(live, 2.0) == ""  # a dark stage stays dark


def test_the_list_is_chosen_from_by_digits_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    live = make_live()
    chosen: list[str] = []
    monkeypatch.setattr(live.inputs, "choose", chosen.append)
    press(live, pygame.K_i, 0.0)
    live.draw_frame(0.0)
    panel = text_of(live).panel
    assert panel is not None
    assert panel.rows == ()
    assert panel.foot == ("looking for inputs …",)
    live.inputs.audio = "auto"
    live.inputs.found = (Input("mic", "Room", 4), Input("mic:USB", "USB", None, "cannot be opened"))
    live.draw_frame(0.1)
    panel = text_of(live).panel
    assert panel is not None
    assert [(row.label, row.text, row.level, row.chosen) for row in panel.rows] == [
        ("1", "Room", 4, True), ("2", "USB: cannot be opened", None, False),
    ]  # fmt: skip
    press(live, pygame.K_7, 0.2)  # there is no such row: the list stays
    assert chosen == []
    assert live.guide.is_listing
    press(live, pygame.K_2, 0.3)
    assert chosen == ["mic:USB"]
    assert live.show.dancer.troupe == 1
    assert live.show.choices.find_changes() == {"audio": "mic:USB"}
    assert not live.guide.is_listing
    assert live.guide.is_checking  # what was chosen is compared with the music at once
    live.guide.hide()
    press(live, pygame.K_2, 0.4)
    assert live.show.dancer.troupe == 2


def test_escape_and_the_same_key_close_the_list() -> None:
    live = make_live()
    for close in (pygame.K_i, pygame.K_ESCAPE):
        press(live, pygame.K_i, 0.0)
        live.draw_frame(0.0)
        assert text_of(live).panel is not None
        press(live, close, 0.1)
        live.draw_frame(0.1)
        assert text_of(live).panel is None
        assert live.running


def test_an_input_by_name_is_asked_for_from_afar_and_a_file_is_none() -> None:
    live = make_live()
    said: list[str] = []
    live.show.notify = lambda text, topic="", asked=False: said.append(text)
    live.run_command("input", 0.0, "loopback")
    live.run_command("input", 0.0, "/etc/passwd")
    assert said[0] == "listening to: loopback"
    assert said[1].startswith("no input is called '/etc/passwd'")
    assert live.show.choices.find_changes() == {"audio": "loopback"}


def test_the_sound_check_lasts_five_seconds_from_the_first_beat_and_longer_while_the_lamp_is_set() -> None:
    live = make_live()
    ear_of(live).sure = 0.0
    press(live, pygame.K_i, 0.0, pygame.KMOD_SHIFT)

    def is_shown(now: float) -> bool:
        live.draw_frame(now)
        return text_of(live).panel is not None

    assert is_shown(1.0)
    panel = text_of(live).panel
    assert panel is not None
    assert panel.lamp
    assert "waiting for a beat" in panel.foot[1]
    ear_of(live).sure = 1.0
    assert is_shown(10.0)
    panel = text_of(live).panel
    assert panel is not None
    assert "O" in panel.foot[2]
    assert is_shown(10.0 + CHECK_SECONDS - 0.1)
    press(live, pygame.K_o, 10.0 + CHECK_SECONDS - 0.1)
    assert live.show.latency_ms == 10.0
    assert is_shown(10.0 + CHECK_SECONDS + 0.1)
    panel = text_of(live).panel
    assert panel is not None
    assert "10 ms late" in panel.foot[2]
    assert not is_shown(10.0 + 2 * CHECK_SECONDS)
    press(live, pygame.K_o, 30.0)
    assert not is_shown(30.1)  # the key alone opens nothing


def test_a_beat_that_does_not_come_is_not_waited_for_all_evening() -> None:
    live = make_live()
    ear_of(live).sure = 0.0
    live.run_command("sound check", 0.0)
    live.draw_frame(FIND_SECONDS - 0.1)
    assert text_of(live).panel is not None
    live.draw_frame(FIND_SECONDS)
    assert text_of(live).panel is None


@pytest.fixture
def make_thread() -> Callable[[bool], CaptureThread]:
    def make(reopen: bool) -> CaptureThread:
        thread = CaptureThread.__new__(CaptureThread)
        thread._reopen, thread._sounded, thread._has_sounded = reopen, 100.0, False
        return thread

    return make


def test_what_a_computer_plays_may_pause_and_a_room_is_never_still(
    make_thread: Callable[[bool], CaptureThread],
) -> None:
    for reopen, later in ((False, 30.0), (True, 0.0)):
        thread = make_thread(reopen)
        assert thread.find_silence(112.0) == 12.0
        thread._sounded, thread._has_sounded = 120.0, True
        assert thread.find_silence(150.0) == later
