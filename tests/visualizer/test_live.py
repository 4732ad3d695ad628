"""The loop, with a clock, a dancer, an ear and a window that the test holds in its hands."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import pygame
import pytest

from tests.support import fakes
from tests.support.live_fakes import FakeEar, FakeTakes, FakeTime, FakeWindow, make_live, text_of
from tests.support.show_fakes import PICTURE, FakeDancer
from visualizer.frame_times import FrameTimes
from visualizer.live import ESCAPE_SECONDS, LATE_SECONDS, Forecast, LiveShow, describe_hearing, play
from visualizer.remote.inbox import MOST_A_FRAME, Sent
from visualizer.stage.governor import Governor
from visualizer.stage.looks import shipped_looks


@pytest.fixture
def live() -> LiveShow:
    return make_live()


def key(code: int, mod: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod)


def test_keys_change_style_look_and_seed_and_say_so(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live.handle([key(pygame.K_RIGHT)], 0.0)
    assert live.show.dancer.style == "waltz"
    live.handle([key(pygame.K_LEFT)] * 3, 0.0)
    assert live.show.dancer.style == "techno"
    live.handle([key(pygame.K_UP)], 0.0)
    assert live.show.look == shipped_looks()[1]
    live.handle([key(pygame.K_DOWN), key(pygame.K_DOWN)], 0.0)
    assert live.show.look == shipped_looks()[-1]
    live.handle([key(pygame.K_SPACE), key(pygame.K_SPACE)], 0.0)
    assert isinstance(live.show.dancer, FakeDancer)
    assert len(set(live.show.dancer.seeds)) == 2
    live.draw_frame(0.0)
    assert isinstance(live.window, FakeWindow)
    assert text_of(live).toasts


def toasts(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [r.getMessage().removeprefix("toast: ") for r in caplog.records]
    caplog.clear()
    return said


def test_after_the_last_style_comes_the_one_that_fits_the_music(
    live: LiveShow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(live.source, FakeEar)
    live.handle([key(pygame.K_LEFT)], 0.0)
    assert toasts(caplog) == ["style: by the music"]
    live.source.mix = (("techno", 1.0),)
    for now in range(0, 10):  # 2 beats a second: within one phrase and over its end
        live.draw_frame(now)
    assert live.show.dancer.style == "techno"
    assert toasts(caplog) == ["style: techno (sounds like techno)"]
    live.handle([key(pygame.K_RIGHT)], 0.0)
    live.source.mix = (("disco", 1.0),)
    for now in range(10, 60):
        live.draw_frame(now)
    assert live.show.dancer.style == "salsa"  # whoever chooses by hand keeps it
    assert toasts(caplog) == ["style: salsa"]


def test_the_help_says_what_the_ear_hears(live: LiveShow) -> None:
    live.draw_frame(0.0)
    assert text_of(live).status == ""
    live.run_command("help", 0.1)
    live.draw_frame(0.1)
    assert text_of(live).status == "a test: 120 BPM, sure by 100%, loudness ▮▮▮▮▮▯▯▯"
    quiet = replace(fakes.hearing(0.0, 90.0, 0.0), confidence=0.0)
    assert describe_hearing("microphone", quiet) == "microphone: 90 BPM, keeping the tempo, loudness ▯▯▯▯▯▯▯▯"


def test_the_lamp_of_the_help_is_lit_on_the_beat(live: LiveShow) -> None:
    lit = []
    for quarter in range(16):  # 2 beats a second, seen 1/60 s after they are drawn
        live.draw_frame(10.05 + quarter / 8 - 1 / 60)
        lit.append(text_of(live).lamp)
    assert lit == [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


def test_escape_twice_and_closing_the_window_end_the_show(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live.run_command("help", 0.0)
    live.handle([key(pygame.K_ESCAPE)], 1.0)
    assert live.running
    assert not live.help  # the first closes the help
    caplog.clear()
    live.handle([key(pygame.K_ESCAPE)], 2.0)
    live.handle([key(pygame.K_ESCAPE)], 2.1 + ESCAPE_SECONDS)  # too late: it counts as the first again
    assert live.running
    assert toasts(caplog) == ["Esc again ends the show"] * 2
    live.handle([key(pygame.K_ESCAPE)], 2.1 + 2 * ESCAPE_SECONDS)
    assert not live.running
    live.running = True
    live.handle([pygame.event.Event(pygame.QUIT)], 0.0)
    assert not live.running


def test_a_frame_leads_by_the_time_it_takes_to_the_screen(live: LiveShow) -> None:
    live.draw_frame(10.0)
    assert isinstance(live.window, FakeWindow)
    assert isinstance(live.show.dancer, FakeDancer)
    assert live.window.drawn[-1][1] == pytest.approx((10.0 + 1 / 60) * 2)
    assert live.show.dancer.steps[-1] == (pytest.approx((10.0 + 1 / 60) * 2), 0.6)


def test_what_the_ear_says_is_shown(live: LiveShow) -> None:
    assert isinstance(live.source, FakeEar)
    assert isinstance(live.window, FakeWindow)
    live.draw_frame(0.0)
    assert not live.window.drawn[-1][2]
    live.toasts("microphone is gone")
    live.draw_frame(0.1)
    assert live.window.drawn[-1][2]


def test_play_keeps_the_rate_ends_in_time_and_counts(live: LiveShow) -> None:
    time, firsts = FakeTime(), []
    times = play(
        live,
        rate=64,  # a period that floats can hold exactly
        seconds=2.0,
        clock=time,
        sleep=time.sleep,
        events=list,
        first_frame=lambda: firsts.append(time.now),
    )
    assert isinstance(live.window, FakeWindow)
    assert len(live.window.drawn) == 128
    assert time.now == pytest.approx(102.0, abs=0.03)
    assert firsts == [100.0]
    assert "64.0 fps" in times.report()
    assert "median 15.62, 95% 15.62, 99% 15.62, worst 15.62" in times.report()


def test_a_picture_is_drawn_for_the_moment_at_which_it_is_shown(live: LiveShow) -> None:
    """Even steps, however long drawing takes."""
    time, works = FakeTime(), itertools.cycle([0.001, 0.009, 0.004])

    def events() -> list[pygame.event.Event]:
        time.now += next(works)
        return []

    play(live, rate=64, seconds=1.0, clock=time, sleep=time.sleep, events=events)
    assert isinstance(live.window, FakeWindow)
    drawn = [beats / 2 for _, beats, _ in live.window.drawn]  # seconds, for there are 2 beats in each
    assert len(drawn) == 64
    assert drawn[10] - 100 == pytest.approx(10 / 64 + 1 / 120)  # and half a refresh until it is seen
    assert max(abs(b - a - 1 / 64) for a, b in itertools.pairwise(drawn[1:])) < 1e-9


def test_where_the_display_paces_nothing_waits_before_a_picture(live: LiveShow) -> None:
    time = FakeTime()
    assert isinstance(live.window, FakeWindow)
    live.window.vsync = True
    times = play(live, rate=64, seconds=1.0, clock=time, sleep=time.sleep, events=list)
    assert len(live.window.drawn) == 64
    assert live.window.drawn[10][1] / 2 - 100 == pytest.approx(9 / 64 + 1 / 60)
    assert max(times.work) == 0


def overload(live: LiveShow, seconds: float, work: float, now: float) -> float:
    """Let pictures take that much work for a while; the time afterwards."""
    for _ in range(round(seconds * 20)):
        now += 0.05
        live.note_work(work, now)
    return now


def test_a_machine_that_is_too_slow_gets_a_lower_rate_and_hears_of_it_once(caplog: pytest.LogCaptureFixture) -> None:
    live, now = make_live(), 0.0
    caplog.set_level("INFO", "visualizer")
    live.governor = Governor(60.0)
    for _ in range(2):
        now = overload(live, 12, 0.025, now)
        assert live.find_period(60.0) == pytest.approx(1 / 30)
        now = overload(live, 12, 0.005, now)
        assert live.find_period(60.0) == pytest.approx(1 / 60)
    live.draw_frame(now)
    said = [r.getMessage() for r in caplog.records if r.name == "visualizer"]
    assert said == ["toast: 30 frames a second for now: the processor is busy", "toast: 60 frames a second again"]
    assert isinstance(live.window, FakeWindow)
    assert live.window.details == []
    overload(live, 30, 0.05, now)
    assert live.window.details[0] == 1


def test_only_details_that_save_work_in_the_look_are_taken() -> None:
    for useful, taken in (((0,), []), ((0, 2), [2])):
        live = make_live()
        governor = live.governor = Governor(60.0)
        assert isinstance(live.window, FakeWindow)
        live.window.useful = useful
        for k in range(800):
            live.note_work(0.06 if governor.detail == 0 else 0.03, k / 20)
        assert live.window.details == taken


def test_a_gpu_has_time_for_all() -> None:
    live = make_live()
    live.governor = Governor(60.0)
    assert isinstance(live.window, FakeWindow)
    live.window.gpu = True
    overload(live, 60, 0.1, 0.0)
    assert live.window.details == []
    assert live.find_period(144.0) == pytest.approx(1 / 144)


def test_play_without_a_limit_never_sleeps(live: LiveShow) -> None:
    time = FakeTime()

    def events() -> list[pygame.event.Event]:
        time.now += 0.01
        return []

    def asleep(_seconds: float) -> None:
        raise AssertionError("slept")

    times = play(live, rate=0, seconds=1.0, clock=time, sleep=asleep, events=events)
    assert len(times.intervals) == 99


def test_a_late_frame_is_not_followed_by_a_burst(live: LiveShow) -> None:
    time, stamps = FakeTime(), []

    def events() -> list[pygame.event.Event]:
        stamps.append(time.now)
        if len(stamps) == 5:
            time.now += 0.5  # one frame takes half a second
        return []

    play(live, rate=50, seconds=1.5, clock=time, sleep=time.sleep, events=events)
    gaps = [after - before for before, after in itertools.pairwise(stamps[6:])]
    assert min(gaps) > 0.0199


def test_the_log_sums_up_each_minute(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    time = FakeTime()
    times = play(live, rate=2, seconds=130.0, clock=time, sleep=time.sleep, events=list, keep=False)
    minutes = [r.getMessage() for r in caplog.records if r.name == "visualizer.aside"]
    assert len(minutes) == 2
    assert minutes[0].startswith("stats: 120 frames in 60.00 s, 2.0 fps; frame ms: median 500.00")
    assert minutes[0].endswith("; a test")
    assert times.intervals == times.work == []  # a long night must not fill the memory


def test_a_report_of_nothing(live: LiveShow) -> None:
    assert "too few" in FrameTimes().report()
    assert live.report() == "stats: nothing was danced"


def test_the_report_says_how_long_a_beat_was_heard(live: LiveShow) -> None:
    assert isinstance(live.source, FakeEar)
    for now in range(4):
        live.source.sure = 0.8 if now == 2 else 0.0
        live.draw_frame(now)
    assert live.report() == "stats: ear: a test, on a beat that was heard in 25% of frames, 120 BPM at the end"


# --- sound, light and window


def test_latency_keys_move_the_dance_and_are_said(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(live.window, FakeWindow)
    live.handle([key(pygame.K_o)] * 3, 0.0)
    live.handle([key(pygame.K_o, pygame.KMOD_LSHIFT)], 0.0)
    assert toasts(caplog)[-1] == "the picture is seen 20 ms late"
    live.draw_frame(10.0)
    assert live.window.drawn[-1][1] == pytest.approx((10.0 + 1 / 60 + 0.02) * 2)
    assert live.show.choices.find_changes() == {"latency_ms": 20.0}
    live.handle([key(pygame.K_o, pygame.KMOD_LSHIFT)] * 60, 0.0)
    assert live.show.latency_ms == -500


def test_in_the_dark_only_keys_light_up(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(live.source, FakeEar)
    live.run_command("blackout", 0.0)
    live.toasts("microphone is gone")
    live.draw_frame(0.1)
    said = toasts(caplog)
    assert said == ["black: B brings the picture back", "toast, in the dark: microphone is gone"]
    assert isinstance(live.window, FakeWindow)
    assert text_of(live).toasts == ("black: B brings the picture back",)


def test_pictures_and_videos_are_asked_for(live: LiveShow) -> None:
    assert isinstance(live.takes, FakeTakes)
    live.handle([key(pygame.K_F12), key(pygame.K_r)], 0.0)
    live.draw_frame(0.0)
    assert text_of(live).recording
    live.handle([key(pygame.K_r)], 1.0)
    live.draw_frame(1.0)
    assert not text_of(live).recording
    assert live.takes.asked == ["picture", "record", "record"]


def test_m_goes_to_the_next_display_and_dragging_is_noticed(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(live.window, FakeWindow)
    live.handle([key(pygame.K_m)], 0.0)
    assert toasts(caplog) == ["display 1 (right, 800x600)"]
    assert live.show.choices.find_changes() == {"display": "right"}
    live.handle([pygame.event.Event(pygame.WINDOWDISPLAYCHANGED, display_index=0)], 0.0)
    assert live.window.display.number == 0
    live.window.displays = live.window.displays[:1]
    live.handle([key(pygame.K_m)], 0.0)
    assert toasts(caplog) == ["there is no other display"]
    live.window.moved = "display 1 (right, 800x600) is gone: on 0 (left, 640x480) now"
    live.draw_frame(1.0)
    assert toasts(caplog) == ["display 1 (right, 800x600) is gone: on 0 (left, 640x480) now"]


def test_only_a_hand_moves_the_pointer(live: LiveShow) -> None:
    assert isinstance(live.window, FakeWindow)
    motions = [pygame.event.Event(pygame.MOUSEMOTION, rel=rel, pos=(3, 3)) for rel in ((0, 0), (2, 0))]
    live.handle(motions[:1], 1.0)
    live.handle(motions[1:], 2.0)
    assert live.window.pointer == [2.0]


def test_only_what_keys_changed_for_good_is_remembered(live: LiveShow) -> None:
    keys = (pygame.K_UP, pygame.K_DOWN, pygame.K_RIGHT, pygame.K_5, pygame.K_u, pygame.K_MINUS, pygame.K_a, pygame.K_f)
    live.handle([key(code) for code in keys], 0.0)
    assert live.show.choices.find_changes() == {
        "style": "waltz", "dance": None, "troupe": 5, "sync": "unison", "temperature": "measured", "auto": True,
        "window": None,
    }  # fmt: skip
    live.handle([key(pygame.K_f), key(pygame.K_LEFT), key(pygame.K_LEFT)], 0.0)
    changes = live.show.choices.find_changes()
    assert changes["style"] == "auto"
    assert "window" not in changes  # as it was


def test_the_next_picture_is_foretold_as_pictures_come_and_music_goes() -> None:
    forecast = Forecast()
    assert forecast.push(10.0, 20.0) is None
    for k in range(1, 20):
        jitter = 0.002 * (-1) ** k
        foretold = forecast.push(10 + k / 60 + jitter, 20 + 2 * (k / 60 + jitter))
        assert foretold == pytest.approx(20 + 2 * ((k + 1) / 60 + jitter), abs=0.01)
    late = 10 + 19 / 60 + 0.3  # a stall does not count for what comes after it
    foretold = forecast.push(late, 20 + 2 * (late - 10))
    assert foretold == pytest.approx(20 + 2 * (late - 10 + 1 / 60), abs=0.01)
    assert forecast.push(late, 21.0) is None  # no time has passed
    assert forecast.push(late + 0.1, 21.0) is None  # the music stands


def test_at_an_even_pace_every_picture_but_the_first_two_was_made_ahead(live: LiveShow) -> None:
    dancer = live.show.dancer
    assert isinstance(dancer, FakeDancer)
    threads: list[str] = []
    dancer.picture = lambda _: threads.append(threading.current_thread().name) or PICTURE  # type: ignore[method-assign]
    for k in range(20):
        live.draw_frame(k / 60)
    assert live.show.dancer is dancer  # the picture in hand is made
    here = threading.current_thread().name
    assert [name == here for name in threads] == [True, True, *[False] * 19]
    live.draw_frame(5.0)  # after a stall, what was made ahead is of no use
    assert live.show.dancer is dancer
    assert [name == here for name in threads[-2:]] == [True, False]


@pytest.mark.parametrize(("spare", "in_the_wait"), [(0.010, True), (0.004, False), (0.0, False)])
def test_the_next_bodies_are_begun_in_the_wait_where_there_is_room_for_them(
    live: LiveShow, monkeypatch: pytest.MonkeyPatch, spare: float, in_the_wait: bool
) -> None:
    done: list[str] = []
    monkeypatch.setattr(type(live.show), "prepare_seconds", property(lambda _: 0.003))
    monkeypatch.setattr(live.show, "prepare", lambda *_: done.append("prepare"))
    assert isinstance(live.window, FakeWindow)
    draw = live.window.draw
    monkeypatch.setattr(live.window, "draw", lambda moment: (done.append("paint"), draw(moment)))
    live.window.before_show = lambda: (live.begin_next(), done.append("wait"))[1]
    live.draw_frame(0.0)
    done.clear()
    live.spare = spare
    live.draw_frame(1 / 60)
    assert done == (["paint", "prepare", "wait"] if in_the_wait else ["prepare", "paint", "wait"])


def test_how_long_pictures_waited_is_known_to_the_next(live: LiveShow) -> None:
    time = FakeTime()

    def events() -> list[pygame.event.Event]:
        time.now += 0.005
        return []

    play(live, rate=50, seconds=0.5, clock=time, sleep=time.sleep, events=events)
    assert live.spare == pytest.approx(0.015, abs=1e-6)


def test_what_a_remote_sends_is_run_and_answered_to_it(live: LiveShow) -> None:
    answers: list[str] = []
    for name, argument in (("look", "neon"), ("juggle", ""), ("troupe", "99"), ("blackout", "on")):
        assert live.inbox.send(Sent(name, argument, "a phone", answers.append))
    live.handle([], 1.0)
    assert live.show.look.name == "neon"
    assert live.show.dark
    assert answers == [
        f"look: {live.show.look.title}", "nothing is called 'juggle'", "a whole number from 1 to 9 is wanted, not '99'",
        "black: B brings the picture back",
    ]  # fmt: skip
    live.handle([key(pygame.K_b)], 2.0)
    assert len(answers) == 4  # what keys do is answered on the screen


def test_a_flood_of_commands_is_spread_over_pictures(live: LiveShow) -> None:
    while live.inbox.send(Sent("reseed", sender="flood")):
        pass
    assert isinstance(live.show.dancer, FakeDancer)
    live.handle([], 0.0)
    assert len(live.show.dancer.seeds) == MOST_A_FRAME
    live.handle([], 1.0)
    assert len(live.show.dancer.seeds) == 2 * MOST_A_FRAME


@pytest.mark.parametrize(("sent", "counts"), [(9.9, 9.9), (None, 10.0), (-50.0, 10.0 - LATE_SECONDS), (77.0, 10.0)])
def test_a_tap_counts_when_it_was_meant(live: LiveShow, sent: float | None, counts: float) -> None:
    live.inbox.send(Sent("tap tempo", time=sent))
    live.handle([], 10.0)
    assert live.show.choices.time == counts
