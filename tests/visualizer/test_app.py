"""The loop, with a clock, a dancer, an ear and a window that the test holds in its hands."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pygame
import pytest

from tests.visualizer import fakes
from visualizer.app import FADE, NUDGE, SURE, FrameTimes, Show, livelier, marks_of, pinned, play, status
from visualizer.auto import HOLD, STAY, Auto, Kind, Marks
from visualizer.controls import ACTIONS
from visualizer.moment import Bodies
from visualizer.music.clock import Hearing, MusicClock
from visualizer.music.energy import RESTING
from visualizer.recorder import Takes
from visualizer.settings import Settings
from visualizer.stage.displays import Display
from visualizer.stage.looks import shipped_looks

PICTURE = fakes.picture(0.0)


class FakeDancer:
    style = "salsa"
    dance: str | None = None
    troupe = 1
    sync = "each"
    temperature = 1.0
    view = 16 / 9
    dances: tuple[str, ...] = ("basic", "cucaracha")

    danced: tuple[str | None, ...] = ("basic",)
    held = False
    never: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.news: list[str] = []
        self.seeds: list[int] = []
        self.steps: list[tuple[float, float]] = []

    def step_to(self, musical_time: float, energy: float) -> None:
        self.steps.append((musical_time, energy))

    def picture(self, musical_time: float) -> Bodies:
        return PICTURE

    def reseed(self, seed: int) -> None:
        self.seeds.append(seed)

    def set_style(self, style: str) -> None:
        if style != self.style:
            self.dance = None
        self.style = style
        self.dances = () if style == "waltz" else FakeDancer.dances

    def set_dance(self, dance: str | None) -> None:
        self.dance = dance

    def set_troupe(self, troupe: int) -> None:
        self.troupe = troupe

    def set_sync(self, sync: str) -> None:
        self.sync = sync

    def set_never(self, dances: tuple[str, ...]) -> None:
        self.never = dances

    def set_held(self, held: bool) -> None:
        self.held = held

    def toasts(self) -> list[str]:
        news, self.news = self.news, []
        return news


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

    def sounds(self, begins: float) -> None:
        return None

    def close(self) -> None: ...


class FakeWindow:
    def __init__(self) -> None:
        self.size: tuple[int, int] = (320, 240)
        self.fullscreen = False
        self.gpu = False
        self.resized = False
        self.drawn: list[tuple] = []
        self.displays: tuple[Display, ...] = (Display(0, "left", (640, 480), 60), Display(1, "right", (800, 600), 60))
        self.display = self.displays[0]
        self.moved: str | None = None
        self.pointer: list[float] = []
        self.news: list[str] = []
        self.details: list[int] = []

    @property
    def windowed(self) -> tuple[int, int]:
        return (320, 240)

    def next_display(self) -> bool:
        self.display = self.displays[(self.display.number + 1) % len(self.displays)]
        return len(self.displays) > 1

    def dragged_to(self, number: int) -> None:
        self.display = self.displays[number]

    def follow_displays(self) -> str | None:
        moved, self.moved = self.moved, None
        return moved

    def pointer_moved(self, now: float) -> None:
        self.pointer.append(now)

    def rest_pointer(self, now: float) -> None: ...

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


class FakeTakes(Takes):
    """Notes what it is asked for, and takes nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.news: list[str] = []

    @property
    def recording(self) -> bool:
        return self.asked.count("record") % 2 == 1

    def picture(self) -> None:
        self.asked.append("picture")

    def record(self, seen: float, size: tuple[int, int], sounds_from: object) -> str:
        self.asked.append("record")
        return "recording" if self.recording else "recording ends"

    def aim(self, seen: float) -> None: ...

    def develop(self, black: float) -> None: ...

    def toasts(self) -> list[str]:
        news, self.news = self.news, []
        return news


STYLES = ("salsa", "waltz", "techno")


def make_show(auto: Auto | None = None, marks: Marks | None = None, **more) -> Show:
    return Show(
        FakeDancer(), FakeEar(), FakeWindow(), STYLES, "paper", random.Random(3), 1 / 60, **more,
        takes=FakeTakes(), auto=auto, marks=marks,
    )  # fmt: skip


@pytest.fixture
def show() -> Show:
    return make_show()


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
    assert show.look == shipped_looks()[1]
    show.handle([key(pygame.K_DOWN), key(pygame.K_DOWN)], 0.0)
    assert show.look == shipped_looks()[-1]
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
    assert (show.dancer.troupe, show.dancer.sync) == (1, "each")
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


def test_escape_twice_and_closing_the_window_end_the_show(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show.act("help", 0.0)
    show.handle([key(pygame.K_ESCAPE)], 1.0)
    assert show.running
    assert not show.overlay.help  # the first closes the help
    caplog.clear()
    show.handle([key(pygame.K_ESCAPE)], 2.0)
    show.handle([key(pygame.K_ESCAPE)], 2.1 + SURE)  # too late: it counts as the first again
    assert show.running
    assert toasts(caplog) == ["Esc again ends the show"] * 2
    show.handle([key(pygame.K_ESCAPE)], 2.1 + 2 * SURE)
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


def test_the_log_sums_up_each_minute(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    time = FakeTime()
    times = play(show, rate=2, seconds=130.0, clock=time, sleep=time.sleep, events=list, keep=False)
    minutes = [r.getMessage() for r in caplog.records if r.name == "visualizer.aside"]
    assert len(minutes) == 2
    assert minutes[0].startswith("stats: 120 frames in 60.00 s, 2.0 fps; frame ms: median 500.00")
    assert minutes[0].endswith("; a test")
    assert times.intervals == times.work == []  # a long night must not fill the memory


def test_a_report_of_nothing(show: Show) -> None:
    assert "too few" in FrameTimes().report()
    assert show.report() == "stats: nothing was danced"


def test_the_report_says_how_long_a_beat_was_heard(show: Show) -> None:
    assert isinstance(show.ear, FakeEar)
    for now in range(4):
        show.ear.sure = 0.8 if now == 2 else 0.0
        show.frame(now)
    assert show.report() == "stats: ear: a test, on a beat that was heard in 25% of frames, 120 BPM at the end"


# --- what changes by itself


def run(show: Show, seconds: float, start: float = 0.0, rate: float = 10.0) -> list[tuple[str, str, str | None]]:
    """Look, style and dance at each frame; two beats a second."""
    seen = []
    for k in range(round(seconds * rate)):
        show.frame(start + k / rate)
        seen.append((show.look.name, show.dancer.style, show.dancer.dance))
    return seen


def test_auto_mode_changes_all_three_at_phrase_ends_and_only_if_it_is_on(show: Show) -> None:
    assert len(set(run(show, 120))) == 1
    show = make_show(Auto(random.Random(1)))
    seen = run(show, 600)
    assert {look for look, *_ in seen} == {each.name for each in shipped_looks()}
    assert {style for _, style, _ in seen} == set(STYLES)
    assert {dance for *_, dance in seen} == {"basic", "cucaracha", None}
    show.act("auto", 600.0)
    assert len(set(run(show, 120, 600.0))) == 1


def test_what_a_key_chose_holds_for_a_while(show: Show) -> None:
    for kind, code, place in (("look", pygame.K_UP, 0), ("style", pygame.K_RIGHT, 1), ("dance", pygame.K_d, 2)):
        show = make_show(Auto(random.Random(1)))
        run(show, 10)
        show.handle([key(code)], 10.0)
        seen = [each[place] for each in run(show, 200, 10.0)]
        held = next(k for k, each in enumerate(seen) if each != seen[0]) / 10 * 2  # beats
        # A style that holds lets its dances change; a dance holds its style too.
        assert held >= HOLD, kind
        assert held <= HOLD + STAY["style"][1] + 16, kind


def test_a_dance_from_the_command_line_is_never_left(show: Show) -> None:
    asked = Settings(dance="basic", asked=frozenset({"dance"}))
    show = make_show(Auto(random.Random(1), pinned=pinned(asked)))
    show.dancer.set_dance("basic")
    seen = run(show, 300)
    assert {(style, dance) for _, style, dance in seen} == {("salsa", "basic")}
    assert len({look for look, *_ in seen}) > 1


def test_what_the_command_line_pins() -> None:
    def pins(**asked: str) -> set[Kind]:
        return pinned(Settings(**asked, asked=frozenset(asked)))  # type: ignore[arg-type]

    assert pins() == pinned(Settings(look="paper", style="salsa")) == set()
    assert pins(look="paper", style="auto") == {"look"}
    assert pins(style="salsa") == {"style"}
    assert pins(dance="basic") == {"dance", "style"}


def test_with_style_auto_the_music_chooses_and_auto_keeps_within_what_suits() -> None:
    show = make_show(Auto(random.Random(1)), by_music=True)
    assert isinstance(show.ear, FakeEar)
    show.ear.mix = (("techno", 1.0),)
    seen = run(show, 300)
    after = [style for _, style, _ in seen[100:]]
    assert set(after) == {"techno"}  # the one of the three that suits
    show.ear.mix = (("latin", 1.0),)
    assert show.dancer.style == "techno"
    assert {style for _, style, _ in run(show, 200, 300.0)[600:]} == {"salsa"}
    show.ear.mix = ()  # nothing is known of the music: auto goes through all
    assert {style for _, style, _ in run(show, 300, 500.0)} == set(STYLES)


def test_locked_nothing_changes_by_itself_and_unlocking_waits_for_the_phrase_end() -> None:
    show = make_show(Auto(random.Random(1)), by_music=True)
    assert isinstance(show.ear, FakeEar)
    assert isinstance(show.dancer, FakeDancer)
    show.act("lock", 0.0)
    assert show.dancer.held
    show.ear.mix = (("techno", 1.0),)
    assert len(set(run(show, 101))) == 1  # into the middle of a phrase
    show.act("lock", 101.0)
    assert not show.dancer.held
    seen = run(show, 4, 101.0, 60.0)
    first = next(k for k, each in enumerate(seen) if each != seen[0])
    beat = 2 * (101 + first / 60 + 1 / 60)
    assert beat % 8 > 7  # a little before the phrase ends, so that the dance is there with the next
    assert seen[-1][1] == "techno"


def test_a_key_bans_the_look_and_it_never_comes_again(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show = make_show(Auto(random.Random(1)))
    show.handle([key(pygame.K_x)], 0.0)
    assert toasts(caplog)[-1] == "never again: look paper; Backspace takes it back"
    assert show.look.name != "paper"
    for _ in shipped_looks():
        show.handle([key(pygame.K_UP)], 0.0)
        assert show.look.name != "paper"
    assert "paper" not in {look for look, *_ in run(show, 200)}
    assert show.changes()["never_looks"] == ("paper",)
    for _ in shipped_looks()[2:]:
        show.handle([key(pygame.K_x)], 200.0)
    last = show.look.name
    caplog.clear()
    show.handle([key(pygame.K_x)], 200.0)
    assert toasts(caplog) == [f"{last} is the last look there is: it stays"]
    assert show.look.name == last


def test_bans_of_dance_and_style_reach_the_dancer_and_the_stylist(show: Show) -> None:
    show = make_show(by_music=True)
    assert isinstance(show.dancer, FakeDancer)
    assert isinstance(show.ear, FakeEar)
    show.dancer.set_dance("cucaracha")
    show.handle([key(pygame.K_x, pygame.KMOD_LSHIFT)], 0.0)
    assert show.dancer.never == ("cucaracha",)
    assert show.dancer.dance is None
    for _ in range(4):
        show.handle([key(pygame.K_d)], 0.0)
        assert show.dancer.dance != "cucaracha"
    show.handle([key(pygame.K_BACKSPACE)], 0.0)
    assert show.dancer.never == ()
    assert show.dancer.dance == "cucaracha"
    show.dancer.set_dance(None)
    show.dancer.danced = (None,)
    show.handle([key(pygame.K_x, pygame.KMOD_LSHIFT)], 0.0)
    assert show.dancer.never == ()  # improvised: there is nothing to ban

    show.dancer.set_style("techno")
    show.handle([key(pygame.K_x, pygame.KMOD_LCTRL)], 0.0)
    assert show.dancer.style != "techno"
    show.ear.mix = (("techno", 1.0),)
    assert "techno" not in {style for _, style, _ in run(show, 100)}
    show.handle([key(pygame.K_BACKSPACE)], 100.0)
    assert show.dancer.style == "techno"


def test_k_makes_favourites_of_all_that_is_on_and_again_no_longer(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    show.handle([key(pygame.K_k)], 0.0)
    assert toasts(caplog) == ["paper, salsa, basic: comes more often"]
    wanted = {"favourite_looks": ("paper",), "favourite_styles": ("salsa",), "favourite_dances": ("basic",)}
    assert show.changes() == wanted
    show.handle([key(pygame.K_k)], 0.0)
    assert toasts(caplog) == ["paper, salsa, basic: comes as often as others"]
    assert show.changes() == {}
    show.handle([key(pygame.K_BACKSPACE), key(pygame.K_BACKSPACE)], 0.0)
    assert toasts(caplog) == ["taken back", "nothing to take back"]
    assert show.changes() == wanted


def test_marks_come_out_of_the_settings() -> None:
    marks = marks_of(Settings(favourite_looks=("neon",), never_styles=("waltz",)))
    assert (marks.favourite["look"], marks.never["style"], marks.never["look"]) == (("neon",), ("waltz",), ())


def test_a_show_does_not_begin_with_what_nobody_wants_to_see() -> None:
    marks = Marks()
    marks.never = {"look": ("paper",), "style": ("salsa",), "dance": ()}
    show = make_show(marks=marks)
    show.avoid(frozenset({"look"}))
    assert show.look.name == "paper"  # asked for by name
    assert show.dancer.style != "salsa"


# --- sound, light and window


def test_latency_keys_move_the_dance_and_are_said(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(show.window, FakeWindow)
    show.handle([key(pygame.K_o)] * 3, 0.0)
    show.handle([key(pygame.K_o, pygame.KMOD_LSHIFT)], 0.0)
    assert toasts(caplog)[-1] == "the picture is seen 20 ms late"
    show.frame(10.0)
    assert show.window.drawn[-1][1] == pytest.approx((10.0 + 1 / 60 + 0.02) * 2)
    assert show.changes() == {"latency_ms": 20.0}
    show.handle([key(pygame.K_o, pygame.KMOD_LSHIFT)] * 60, 0.0)
    assert show.latency_ms == -500


def test_sensitivity_bends_what_is_heard_but_neither_silence_nor_rest() -> None:
    heard = replace(fakes.hearing(), bass=0.0, treble=1.0, energy=0.5)
    livelily, calmly = livelier(heard, 2), livelier(heard, -2)
    assert livelier(heard, 0) is heard
    for name in ("loudness", "mid", "energy"):
        assert getattr(calmly, name) < getattr(heard, name) < getattr(livelily, name) < 1
    assert (livelily.bass, livelily.treble, calmly.bass, calmly.treble) == (0, 1, 0, 1)
    for rest in (0.0, RESTING / 2, RESTING):
        assert livelier(replace(heard, energy=rest), 4).energy == rest
    assert livelier(replace(heard, energy=1.0), -4).energy == 1


def test_sensitivity_reaches_the_dancer(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(show.dancer, FakeDancer)
    show.frame(0.0)
    show.handle([key(pygame.K_g)] * 9, 0.0)
    assert toasts(caplog)[-1] == "sensitivity: +4"
    show.frame(0.1)
    assert show.dancer.steps[1][1] > show.dancer.steps[0][1]
    show.handle([key(pygame.K_g, pygame.KMOD_LSHIFT)] * 4, 0.0)
    assert toasts(caplog)[-1] == "sensitivity: as heard"
    assert show.changes() == {}


def test_blackout_fades_within_half_a_second_evenly_and_back(show: Show) -> None:
    for k in range(30):
        show.frame(k / 60)
    show.act("blackout", 0.5)
    levels = []
    for k in range(30, 130):
        show.frame(k / 60)
        levels.append(show.overlay.black)
        if k == 90:
            show.act("blackout", 1.5)
    dark = levels.index(1.0)
    assert (dark + 1) / 60 == pytest.approx(FADE, abs=0.03)
    assert levels[-1] == 0.0
    assert max(abs(b - a) for a, b in itertools.pairwise(levels)) < 0.06  # no jump, at sixty frames a second
    assert levels[:dark] == sorted(levels[:dark])


def test_in_the_dark_only_keys_light_up(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(show.ear, FakeEar)
    show.act("blackout", 0.0)
    show.ear.news = ["microphone is gone"]
    show.frame(0.1)
    said = toasts(caplog)
    assert said == ["black: B brings the picture back", "toast, in the dark: microphone is gone"]
    assert len(show.overlay._toasts) == 1


def test_pictures_and_videos_are_asked_for(show: Show) -> None:
    assert isinstance(show.takes, FakeTakes)
    show.handle([key(pygame.K_F12), key(pygame.K_r)], 0.0)
    show.frame(0.0)
    assert show.overlay.recording
    show.handle([key(pygame.K_r)], 1.0)
    show.frame(1.0)
    assert not show.overlay.recording
    assert show.takes.asked == ["picture", "record", "record"]


def test_m_goes_to_the_next_display_and_dragging_is_noticed(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(show.window, FakeWindow)
    show.handle([key(pygame.K_m)], 0.0)
    assert toasts(caplog) == ["display 1 (right, 800x600)"]
    assert show.changes() == {"display": "right"}
    show.handle([pygame.event.Event(pygame.WINDOWDISPLAYCHANGED, display_index=0)], 0.0)
    assert show.window.display.number == 0
    show.window.displays = show.window.displays[:1]
    show.handle([key(pygame.K_m)], 0.0)
    assert toasts(caplog) == ["there is no other display"]
    show.window.moved = "display 1 (right, 800x600) is gone: on 0 (left, 640x480) now"
    show.frame(1.0)
    assert toasts(caplog) == ["display 1 (right, 800x600) is gone: on 0 (left, 640x480) now"]


def test_only_a_hand_moves_the_pointer(show: Show) -> None:
    assert isinstance(show.window, FakeWindow)
    motions = [pygame.event.Event(pygame.MOUSEMOTION, rel=rel, pos=(3, 3)) for rel in ((0, 0), (2, 0))]
    show.handle(motions[:1], 1.0)
    show.handle(motions[1:], 2.0)
    assert show.window.pointer == [2.0]


def test_only_what_keys_changed_for_good_is_remembered(show: Show) -> None:
    keys = (pygame.K_UP, pygame.K_DOWN, pygame.K_RIGHT, pygame.K_5, pygame.K_u, pygame.K_MINUS, pygame.K_a, pygame.K_f)
    show.handle([key(code) for code in keys], 0.0)
    assert show.changes() == {
        "style": "waltz", "dance": None, "troupe": 5, "formation": "unison", "temperature": "measured", "auto": True,
        "window": None,
    }  # fmt: skip
    show.handle([key(pygame.K_f), key(pygame.K_LEFT), key(pygame.K_LEFT)], 0.0)
    changes = show.changes()
    assert changes["style"] == "auto"
    assert "window" not in changes  # as it was
