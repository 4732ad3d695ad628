"""The loop, with a clock, a dancer, an ear and a window that the test holds in its hands."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pygame
import pytest

from tests.visualizer import fakes
from visualizer.app import NUDGE, FrameTimes, Show, play, status
from visualizer.controls import ACTIONS
from visualizer.dancer.dancer import Picture
from visualizer.music.clock import Hearing, MusicClock
from visualizer.stage.looks import LOOKS


class FakeDancer:
    style = "salsa"
    dance: str | None = None
    troupe = 1
    formation = "each"
    temperature = 1.0
    view = 16 / 9
    dances: tuple[str, ...] = ("basic", "cucaracha")

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.steps: list[tuple[float, float]] = []

    def step_to(self, musical_time: float, energy: float) -> None:
        self.steps.append((musical_time, energy))

    def picture(self, musical_time: float) -> Picture:
        return fakes.picture(musical_time)

    def reseed(self, seed: int) -> None:
        self.seeds.append(seed)

    def set_style(self, style: str) -> None:
        self.style = style
        self.dances = () if style == "waltz" else FakeDancer.dances

    def set_dance(self, dance: str | None) -> None:
        self.dance = dance

    def set_troupe(self, troupe: int) -> None:
        self.troupe = troupe

    def set_formation(self, formation: str) -> None:
        self.formation = formation


class FakeEar:
    name = "a test"

    def __init__(self) -> None:
        self.news: list[str] = []
        self.steps = MusicClock(0.0, 120.0)
        self.mix: tuple[tuple[str, float], ...] = ()
        self.sure = 1.0

    def hearing(self, now: float) -> Hearing:
        return replace(fakes.hearing(now), mix=self.mix, confidence=self.sure)

    def musical_time(self, now: float) -> float:
        return now * 2

    def toasts(self) -> list[str]:
        news, self.news = self.news, []
        return news

    def close(self) -> None: ...


class FakeWindow:
    def __init__(self) -> None:
        self.size: tuple[int, int] = (320, 240)
        self.fullscreen = False
        self.resized = False
        self.drawn: list[tuple] = []
        self.news: list[str] = []
        self.details: list[int] = []

    def draw(self, picture, look, hearing, musical_time, writing, changed) -> None:
        self.drawn.append((look.name, musical_time, writing is not None))

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen
        self.size = (640, 480) if self.fullscreen else (320, 240)

    def toasts(self) -> list[str]:
        news, self.news = self.news, []
        return news

    def set_detail(self, detail: int) -> None:
        self.details.append(detail)

    def follow_size(self) -> bool:
        resized, self.resized = self.resized, False
        return resized


class FakeTime:
    """A clock that moves only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def show() -> Show:
    return Show(FakeDancer(), FakeEar(), FakeWindow(), ("salsa", "waltz", "techno"), "paper", random.Random(3), 1 / 60)


def key(code: int, mod: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod)


def test_every_control_does_something(show: Show) -> None:
    for action in ACTIONS:
        show.act(action, 0.0)
    with pytest.raises(ValueError, match="juggle"):
        show.act("juggle", 0.0)


def test_keys_change_style_look_and_seed_and_say_so(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show.handle([key(pygame.K_RIGHT)], 0.0)
    assert show.dancer.style == "waltz"
    show.handle([key(pygame.K_LEFT)] * 3, 0.0)
    assert show.dancer.style == "techno"
    show.handle([key(pygame.K_UP)], 0.0)
    assert show.look == LOOKS[1]
    show.handle([key(pygame.K_DOWN), key(pygame.K_DOWN)], 0.0)
    assert show.look == LOOKS[-1]
    show.handle([key(pygame.K_SPACE), key(pygame.K_SPACE)], 0.0)
    assert isinstance(show.dancer, FakeDancer)
    assert len(set(show.dancer.seeds)) == 2
    assert show.overlay.render(0.0)[0] is not None


def toasts(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [r.getMessage().removeprefix("toast: ") for r in caplog.records]
    caplog.clear()
    return said


def test_d_goes_round_the_dances_of_the_style_and_says_which(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    seen = []
    for _ in range(3):
        show.handle([key(pygame.K_d)], 0.0)
        seen.append(show.dancer.dance)
    assert seen == ["basic", "cucaracha", None]
    assert toasts(caplog) == ["dance: basic", "dance: cucaracha", "dance: as it comes"]
    for mod in (pygame.KMOD_LSHIFT, pygame.KMOD_RSHIFT | pygame.KMOD_NUM):
        show.handle([key(pygame.K_d, mod)], 0.0)
    assert show.dancer.dance == "basic"
    show.dancer.set_dance(None)
    show.dancer.set_style("waltz")
    caplog.clear()
    show.handle([key(pygame.K_d)], 0.0)
    assert show.dancer.dance is None
    assert toasts(caplog) == ["waltz has no named dances: improvised"]


def test_after_the_last_style_comes_the_one_that_fits_the_music(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(show.ear, FakeEar)
    show.handle([key(pygame.K_LEFT)], 0.0)
    assert toasts(caplog) == ["style: by the music"]
    show.ear.mix = (("techno", 1.0),)
    for now in range(0, 10):  # 2 beats a second: within one phrase and over its end
        show.frame(now)
    assert show.dancer.style == "techno"
    assert toasts(caplog) == ["style: techno (sounds like techno)"]
    show.handle([key(pygame.K_RIGHT)], 0.0)
    show.ear.mix = (("disco", 1.0),)
    for now in range(10, 60):
        show.frame(now)
    assert show.dancer.style == "salsa"  # whoever chooses by hand keeps it
    assert toasts(caplog) == ["style: salsa"]


def test_a_dance_asked_for_keeps_its_style(show: Show) -> None:
    assert isinstance(show.ear, FakeEar)
    show.handle([key(pygame.K_LEFT), key(pygame.K_d)], 0.0)
    show.ear.mix = (("techno", 1.0),)
    for now in range(0, 60):
        show.frame(now)
    assert (show.dancer.style, show.dancer.dance) == ("salsa", "basic")


def test_taps_halving_doubling_and_nudging_reach_the_clock(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    steps = show.ear.steps
    for beat in range(4):
        show.handle([key(pygame.K_t)], 10 + beat * 0.6)
    assert steps.bpm == pytest.approx(100)
    assert toasts(caplog)[-1] == "tap: 100 BPM"
    show.handle([key(pygame.K_COMMA)], 12.0)
    show.handle([key(pygame.K_PERIOD)] * 2, 12.0)
    assert toasts(caplog) == ["half tempo: 50 BPM", "double tempo: 100 BPM", "double tempo: 200 BPM"]
    show.handle([key(pygame.K_PERIOD)], 12.0)
    assert toasts(caplog) == ["no further: 200 BPM"]
    show.handle([key(pygame.K_t, pygame.KMOD_LSHIFT)], 12.0)
    assert steps.bpm == pytest.approx(100)
    assert toasts(caplog) == ["as the ear hears it"]

    before = steps.musical_time(30.0)  # by then nothing is left to be made up
    show.handle([key(pygame.K_PERIOD, pygame.KMOD_LSHIFT)] * 2, 30.0)
    assert steps.musical_time(40.0) == pytest.approx(before + (10 + 2 * NUDGE) * 100 / 60)
    show.handle([key(pygame.K_COMMA, pygame.KMOD_RSHIFT)] * 3, 40.0)
    assert toasts(caplog) == ["10 ms earlier", "20 ms earlier", "10 ms earlier", "on time", "10 ms later"]
    assert len(show.overlay._toasts) == 1  # each takes the place of the one before


def test_the_help_says_what_the_ear_hears(show: Show) -> None:
    show.frame(0.0)
    assert show.overlay.status == ""
    show.act("help", 0.1)
    show.frame(0.1)
    assert show.overlay.status == "a test: 120 BPM, sure by 100%, loudness ▮▮▮▮▮▯▯▯"
    quiet = replace(fakes.hearing(0.0, 90.0, 0.0), confidence=0.0)
    assert status("microphone", quiet) == "microphone: 90 BPM, keeping the tempo, loudness ▯▯▯▯▯▯▯▯"


def test_the_lamp_of_the_help_is_lit_on_the_beat(show: Show) -> None:
    lit = []
    for quarter in range(16):  # 2 beats a second, seen 1/60 s after they are drawn
        show.frame(10.05 + quarter / 8 - 1 / 60)
        lit.append(show.overlay.lamp)
    assert lit == [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


def test_digits_and_u_make_a_troupe(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show.handle([key(pygame.K_7), key(pygame.K_u), key(pygame.K_u), key(pygame.K_u), key(pygame.K_KP1)], 0.0)
    assert (show.dancer.troupe, show.dancer.formation) == (1, "each")
    said = toasts(caplog)
    assert said == ["7 dancers", "formation: unison", "formation: canon", "formation: each", "one dancer"]


def test_temperature_goes_by_named_steps_and_stops_at_the_ends(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show.handle([key(pygame.K_MINUS)] * 4, 0.0)
    assert show.dancer.temperature == 0.3
    assert toasts(caplog)[-2:] == ["temperature: faithful", "temperature: faithful"]
    show.handle([key(pygame.K_RIGHTBRACKET)] * 5, 0.0)
    assert show.dancer.temperature == 1.6
    assert toasts(caplog)[-1] == "temperature: wild"


def test_escape_and_closing_the_window_end_the_show(show: Show) -> None:
    show.handle([key(pygame.K_ESCAPE)], 0.0)
    assert not show.running
    show.running = True
    show.handle([pygame.event.Event(pygame.QUIT)], 0.0)
    assert not show.running


def test_fullscreen_and_resizing_carry_the_writing_along(show: Show) -> None:
    show.act("fullscreen", 0.0)
    assert show.overlay.size == (640, 480)
    assert isinstance(show.window, FakeWindow)
    show.window.size, show.window.resized = (200, 100), True
    show.frame(0.0)
    assert show.overlay.size == (200, 100)


def test_a_frame_leads_by_the_time_it_takes_to_the_screen(show: Show) -> None:
    show.frame(10.0)
    assert isinstance(show.window, FakeWindow)
    assert isinstance(show.dancer, FakeDancer)
    assert show.window.drawn[-1][1] == pytest.approx((10.0 + 1 / 60) * 2)
    assert show.dancer.steps[-1] == (pytest.approx((10.0 + 1 / 60) * 2), 0.6)


def test_what_the_ear_says_is_shown(show: Show) -> None:
    assert isinstance(show.ear, FakeEar)
    assert isinstance(show.window, FakeWindow)
    show.frame(0.0)
    assert not show.window.drawn[-1][2]
    show.ear.news = ["microphone is gone"]
    show.frame(0.1)
    assert show.window.drawn[-1][2]


def test_play_keeps_the_rate_ends_in_time_and_counts(show: Show) -> None:
    time, firsts = FakeTime(), []
    times = play(
        show,
        rate=64,  # a period that floats can hold exactly
        seconds=2.0,
        clock=time,
        sleep=time.sleep,
        events=list,
        first_frame=lambda: firsts.append(time.now),
    )
    assert isinstance(show.window, FakeWindow)
    assert len(show.window.drawn) == 128
    assert time.now == pytest.approx(102.0, abs=0.03)
    assert firsts == [100.0]
    assert "64.0 fps" in times.report()
    assert "median 15.62, 95% 15.62, 99% 15.62, worst 15.62" in times.report()


def test_play_without_a_limit_never_sleeps(show: Show) -> None:
    time = FakeTime()

    def events() -> list[pygame.event.Event]:
        time.now += 0.01
        return []

    def asleep(_seconds: float) -> None:
        raise AssertionError("slept")

    times = play(show, rate=0, seconds=1.0, clock=time, sleep=asleep, events=events)
    assert len(times.intervals) == 99


def test_a_late_frame_is_not_followed_by_a_burst(show: Show) -> None:
    time, stamps = FakeTime(), []

    def events() -> list[pygame.event.Event]:
        stamps.append(time.now)
        if len(stamps) == 5:
            time.now += 0.5  # one frame takes half a second
        return []

    play(show, rate=50, seconds=1.5, clock=time, sleep=time.sleep, events=events)
    gaps = [after - before for before, after in itertools.pairwise(stamps[6:])]
    assert min(gaps) > 0.0199


def test_a_report_of_nothing(show: Show) -> None:
    assert "too few" in FrameTimes().report()
    assert show.report() == "stats: nothing was danced"


def test_the_report_says_how_long_a_beat_was_heard(show: Show) -> None:
    assert isinstance(show.ear, FakeEar)
    for now in range(4):
        show.ear.sure = 0.8 if now == 2 else 0.0
        show.frame(now)
    assert show.report() == "stats: ear: a test, on a beat that was heard in 25% of frames, 120 BPM at the end"
