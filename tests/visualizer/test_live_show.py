"""The loop, with a clock, a dancer, an ear and a window that the test holds in its hands."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pygame
import pytest

from tests.support import fakes
from tests.support.live_fakes import STYLES, FakeDancer, FakeEar, FakeTakes, FakeTime, FakeWindow, make_show, text_of
from visualizer.auto import HOLD, STAY, Auto, Kind, Preferences
from visualizer.commands import COMMANDS, NUDGE
from visualizer.errors import UserError
from visualizer.frame_times import FrameTimes
from visualizer.launch import find_pinned, read_preferences
from visualizer.live import ESCAPE_SECONDS, LiveShow, describe_hearing, play
from visualizer.music.analysis.energy import RESTING
from visualizer.options import Settings
from visualizer.show import FADE_SECONDS, adjust_sensitivity
from visualizer.stage.looks import shipped_looks


@pytest.fixture
def live() -> LiveShow:
    return make_show()


def key(code: int, mod: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod)


def test_every_control_does_something(live: LiveShow) -> None:
    for command in COMMANDS.values():
        argument = {"N": "3", "SEED": "3"}.get(command.argument, "")
        argument = {"style": "waltz", "look": "neon", "dance": "basic", "temperature": "wild", "sync": "canon"}.get(
            command.name, argument
        )
        live.run_command(command.name, 0.0, argument)
    with pytest.raises(KeyError, match="juggle"):
        live.run_command("juggle", 0.0)


@pytest.mark.parametrize(
    ("name", "argument", "said"),
    [
        ("style", "waltz", "style: waltz"),
        ("style", "auto", "style: by the music"),
        ("look", "mirror ball", "look: Mirror ball"),
        ("dance", "cucaracha", "dance: cucaracha"),
        ("troupe", "4", "4 dancers"),
        ("troupe", "12", "a whole number from 1 to 9 is wanted, not '12'"),
        ("troupe", "many", "a whole number from 1 to 9 is wanted, not 'many'"),
        ("troupe", "", "troupe N"),
        ("temperature", "bold", "temperature: bold"),
        ("temperature", "hot", "temperature is faithful, tame, measured, free, bold, wild or a number"),
        ("sync", "canon", "sync: canon"),
        ("reseed", "77", "a new dance, seed 77"),
        ("look", "plaid", "no look"),
        ("look", "", "look NAME"),
        ("next look", "neon", "next look takes nothing more"),
    ],
)
def test_commands_with_a_name_or_a_number(
    live: LiveShow, caplog: pytest.LogCaptureFixture, name: str, argument: str, said: str
) -> None:
    caplog.set_level("INFO", "visualizer")
    live.run_command(name, 0.0, argument)
    (text,) = toasts(caplog)
    assert text.casefold().startswith(said.casefold())
    refused = any(word in text for word in ("wanted", "no look", "temperature is", " N", "nothing more"))
    assert (live.show.choices.find_changes() == {}) or not refused


def test_a_style_that_there_is_not_leaves_the_show_as_it_is(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(style: str) -> None:
        raise UserError(f"no style '{style}'")

    caplog.set_level("INFO", "visualizer")
    live.run_command("style", 0.0, "auto")
    live.show.dancer.set_style = refuse  # type: ignore[method-assign]
    live.run_command("style", 1.0, "polka")
    assert toasts(caplog)[-1] == "no style 'polka'"
    assert live.show.style_selector is not None
    assert live.show.choices.find_changes() == {"style": "auto", "dance": None}


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


def test_d_goes_round_the_dances_of_the_style_and_says_which(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    seen = []
    for _ in range(3):
        live.handle([key(pygame.K_d)], 0.0)
        seen.append(live.show.dancer.dance)
    assert seen == ["basic", "cucaracha", None]
    assert toasts(caplog) == ["dance: basic", "dance: cucaracha", "dance: as it comes"]
    for mod in (pygame.KMOD_LSHIFT, pygame.KMOD_RSHIFT | pygame.KMOD_NUM):
        live.handle([key(pygame.K_d, mod)], 0.0)
    assert live.show.dancer.dance == "basic"
    live.show.dancer.set_dance(None)
    live.show.dancer.set_style("waltz")
    caplog.clear()
    live.handle([key(pygame.K_d)], 0.0)
    assert live.show.dancer.dance is None
    assert toasts(caplog) == ["waltz has no named dances: improvised"]


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


def test_a_dance_asked_for_keeps_its_style(live: LiveShow) -> None:
    assert isinstance(live.source, FakeEar)
    live.handle([key(pygame.K_LEFT), key(pygame.K_d)], 0.0)
    live.source.mix = (("techno", 1.0),)
    for now in range(0, 60):
        live.draw_frame(now)
    assert (live.show.dancer.style, live.show.dancer.dance) == ("salsa", "basic")


def test_taps_halving_doubling_and_nudging_reach_the_clock(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    steps = live.source.steps
    for beat in range(4):
        live.handle([key(pygame.K_t)], 10 + beat * 0.6)
    assert steps.bpm == pytest.approx(100)
    assert toasts(caplog)[-1] == "tap: 100 BPM"
    live.handle([key(pygame.K_COMMA)], 12.0)
    live.handle([key(pygame.K_PERIOD)] * 2, 12.0)
    assert toasts(caplog) == ["half tempo: 50 BPM", "double tempo: 100 BPM", "double tempo: 200 BPM"]
    live.handle([key(pygame.K_PERIOD)], 12.0)
    assert toasts(caplog) == ["no further: 200 BPM"]
    live.handle([key(pygame.K_t, pygame.KMOD_LSHIFT)], 12.0)
    assert steps.bpm == pytest.approx(100)
    assert toasts(caplog) == ["as the ear hears it"]

    before = steps.musical_time(30.0)  # by then nothing is left to be made up
    live.handle([key(pygame.K_PERIOD, pygame.KMOD_LSHIFT)] * 2, 30.0)
    assert steps.musical_time(40.0) == pytest.approx(before + (10 + 2 * NUDGE) * 100 / 60)
    live.handle([key(pygame.K_COMMA, pygame.KMOD_RSHIFT)] * 3, 40.0)
    assert toasts(caplog) == ["10 ms earlier", "20 ms earlier", "10 ms earlier", "on time", "10 ms later"]
    assert len(live.toasts.show(40.0)) == 1  # each takes the place of the one before


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


def test_digits_and_u_make_a_troupe(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live.handle([key(pygame.K_7), key(pygame.K_u), key(pygame.K_u), key(pygame.K_u), key(pygame.K_KP1)], 0.0)
    assert (live.show.dancer.troupe, live.show.dancer.sync) == (1, "each")
    said = toasts(caplog)
    assert said == ["7 dancers", "sync: unison", "sync: canon", "sync: each", "one dancer"]


def test_temperature_goes_by_named_steps_to_the_ends(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live.handle([key(pygame.K_MINUS)] * 4, 0.0)
    assert live.show.dancer.temperature == 0.3
    assert toasts(caplog)[-2:] == ["temperature: faithful", "temperature: faithful"]
    live.handle([key(pygame.K_RIGHTBRACKET)] * 5, 0.0)
    assert live.show.dancer.temperature == 1.6
    assert toasts(caplog)[-1] == "temperature: wild"


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


# --- what changes by itself


def run(live: LiveShow, seconds: float, start: float = 0.0, rate: float = 10.0) -> list[tuple[str, str, str | None]]:
    """Look, style and dance at each frame; two beats a second."""
    seen = []
    for k in range(round(seconds * rate)):
        live.draw_frame(start + k / rate)
        seen.append((live.show.look.name, live.show.dancer.style, live.show.dancer.dance))
    return seen


def test_auto_mode_changes_all_three_at_phrase_ends_and_only_if_it_is_on(live: LiveShow) -> None:
    assert len(set(run(live, 120))) == 1
    live = make_show(Auto(random.Random(1)))
    seen = run(live, 600)
    assert {look for look, *_ in seen} == {each.name for each in shipped_looks()}
    assert {style for _, style, _ in seen} == set(STYLES)
    assert {dance for *_, dance in seen} == {"basic", "cucaracha", None}
    live.run_command("auto", 600.0)
    assert len(set(run(live, 120, 600.0))) == 1


def test_what_a_key_chose_holds_for_a_while(live: LiveShow) -> None:
    for kind, code, place in (("look", pygame.K_UP, 0), ("style", pygame.K_RIGHT, 1), ("dance", pygame.K_d, 2)):
        live = make_show(Auto(random.Random(1)))
        run(live, 10)
        live.handle([key(code)], 10.0)
        seen = [each[place] for each in run(live, 200, 10.0)]
        held = next(k for k, each in enumerate(seen) if each != seen[0]) / 10 * 2  # beats
        # A style that holds lets its dances change; a dance holds its style too.
        assert held >= HOLD, kind
        assert held <= HOLD + STAY["style"][1] + 16, kind


def test_a_dance_from_the_command_line_is_never_left(live: LiveShow) -> None:
    asked = Settings(dance="basic", from_cli=frozenset({"dance"}))
    live = make_show(Auto(random.Random(1), pinned=find_pinned(asked)))
    live.show.dancer.set_dance("basic")
    seen = run(live, 300)
    assert {(style, dance) for _, style, dance in seen} == {("salsa", "basic")}
    assert len({look for look, *_ in seen}) > 1


def test_what_the_command_line_pins() -> None:
    def pins(**asked: str) -> set[Kind]:
        return find_pinned(Settings(**asked, from_cli=frozenset(asked)))  # type: ignore[arg-type]

    assert pins() == find_pinned(Settings(look="paper", style="salsa")) == set()
    assert pins(look="paper", style="auto") == {"look"}
    assert pins(style="salsa") == {"style"}
    assert pins(dance="basic") == {"dance", "style"}


def test_with_style_auto_the_music_chooses_and_auto_keeps_within_what_suits() -> None:
    live = make_show(Auto(random.Random(1)), by_music=True)
    assert isinstance(live.source, FakeEar)
    live.source.mix = (("techno", 1.0),)
    seen = run(live, 300)
    after = [style for _, style, _ in seen[100:]]
    assert set(after) == {"techno"}  # the one of the three that suits
    live.source.mix = (("latin", 1.0),)
    assert live.show.dancer.style == "techno"
    assert {style for _, style, _ in run(live, 200, 300.0)[600:]} == {"salsa"}
    live.source.mix = ()  # nothing is known of the music: auto goes through all
    assert {style for _, style, _ in run(live, 300, 500.0)} == set(STYLES)


def test_locked_nothing_changes_by_itself_and_unlocking_waits_for_the_phrase_end() -> None:
    live = make_show(Auto(random.Random(1)), by_music=True)
    assert isinstance(live.source, FakeEar)
    assert isinstance(live.show.dancer, FakeDancer)
    live.run_command("lock", 0.0)
    assert live.show.dancer.held
    live.source.mix = (("techno", 1.0),)
    assert len(set(run(live, 101))) == 1  # into the middle of a phrase
    live.run_command("lock", 101.0)
    assert not live.show.dancer.held
    seen = run(live, 4, 101.0, 60.0)
    first = next(k for k, each in enumerate(seen) if each != seen[0])
    beat = 2 * (101 + first / 60 + 1 / 60)
    assert beat % 8 > 7  # a little before the phrase ends, so that the dance is there with the next
    assert seen[-1][1] == "techno"


def test_a_key_bans_the_look_and_it_never_comes_again(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live = make_show(Auto(random.Random(1)))
    live.handle([key(pygame.K_x)], 0.0)
    assert toasts(caplog)[-1] == "never again: look paper; Backspace takes it back"
    assert live.show.look.name != "paper"
    for _ in shipped_looks():
        live.handle([key(pygame.K_UP)], 0.0)
        assert live.show.look.name != "paper"
    assert "paper" not in {look for look, *_ in run(live, 200)}
    assert live.show.choices.find_changes()["never_looks"] == ("paper",)
    for _ in shipped_looks()[2:]:
        live.handle([key(pygame.K_x)], 200.0)
    last = live.show.look.name
    caplog.clear()
    live.handle([key(pygame.K_x)], 200.0)
    assert toasts(caplog) == [f"{last} is the last look there is: it stays"]
    assert live.show.look.name == last


def test_bans_of_dance_and_style_reach_the_dancer_and_the_stylist(live: LiveShow) -> None:
    live = make_show(by_music=True)
    assert isinstance(live.show.dancer, FakeDancer)
    assert isinstance(live.source, FakeEar)
    live.show.dancer.set_dance("cucaracha")
    live.handle([key(pygame.K_x, pygame.KMOD_LSHIFT)], 0.0)
    assert live.show.dancer.never == ("cucaracha",)
    assert live.show.dancer.dance is None
    for _ in range(4):
        live.handle([key(pygame.K_d)], 0.0)
        assert live.show.dancer.dance != "cucaracha"
    live.handle([key(pygame.K_BACKSPACE)], 0.0)
    assert live.show.dancer.never == ()
    assert live.show.dancer.dance == "cucaracha"
    live.show.dancer.set_dance(None)
    live.show.dancer.danced = (None,)
    live.handle([key(pygame.K_x, pygame.KMOD_LSHIFT)], 0.0)
    assert live.show.dancer.never == ()  # improvised: there is nothing to ban

    live.show.dancer.set_style("techno")
    live.handle([key(pygame.K_x, pygame.KMOD_LCTRL)], 0.0)
    assert live.show.dancer.style != "techno"
    live.source.mix = (("techno", 1.0),)
    assert "techno" not in {style for _, style, _ in run(live, 100)}
    live.handle([key(pygame.K_BACKSPACE)], 100.0)
    assert live.show.dancer.style == "techno"


def test_k_makes_favourites_of_all_that_is_on_and_back(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    live.handle([key(pygame.K_k)], 0.0)
    assert toasts(caplog) == ["paper, salsa, basic: comes more often"]
    wanted = {"favourite_looks": ("paper",), "favourite_styles": ("salsa",), "favourite_dances": ("basic",)}
    assert live.show.choices.find_changes() == wanted
    live.handle([key(pygame.K_k)], 0.0)
    assert toasts(caplog) == ["paper, salsa, basic: comes as often as others"]
    assert live.show.choices.find_changes() == {}
    live.handle([key(pygame.K_BACKSPACE), key(pygame.K_BACKSPACE)], 0.0)
    assert toasts(caplog) == ["taken back", "nothing to take back"]
    assert live.show.choices.find_changes() == wanted


def test_marks_come_out_of_the_settings() -> None:
    preferences = read_preferences(Settings(favourite_looks=("neon",), never_styles=("waltz",)))
    assert (preferences.favourite["look"], preferences.never["style"], preferences.never["look"]) == (
        ("neon",),
        ("waltz",),
        (),
    )


def test_a_show_does_not_begin_with_what_nobody_wants_to_see() -> None:
    preferences = Preferences()
    preferences.never = {"look": ("paper",), "style": ("salsa",), "dance": ()}
    live = make_show(preferences=preferences)
    live.show.avoid_unwanted(frozenset({"look"}))
    assert live.show.look.name == "paper"  # asked for by name
    assert live.show.dancer.style != "salsa"


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


def test_sensitivity_bends_what_is_heard_but_neither_silence_nor_rest() -> None:
    heard = replace(fakes.hearing(), bass=0.0, treble=1.0, energy=0.5)
    livelily, calmly = adjust_sensitivity(heard, 2), adjust_sensitivity(heard, -2)
    assert adjust_sensitivity(heard, 0) is heard
    for name in ("loudness", "mid", "energy"):
        assert getattr(calmly, name) < getattr(heard, name) < getattr(livelily, name) < 1
    assert (livelily.bass, livelily.treble, calmly.bass, calmly.treble) == (0, 1, 0, 1)
    for rest in (0.0, RESTING / 2, RESTING):
        assert adjust_sensitivity(replace(heard, energy=rest), 4).energy == rest
    assert adjust_sensitivity(replace(heard, energy=1.0), -4).energy == 1


def test_sensitivity_reaches_the_dancer(live: LiveShow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    assert isinstance(live.show.dancer, FakeDancer)
    live.draw_frame(0.0)
    live.handle([key(pygame.K_g)] * 9, 0.0)
    assert toasts(caplog)[-1] == "sensitivity: +4"
    live.draw_frame(0.1)
    assert live.show.dancer.steps[1][1] > live.show.dancer.steps[0][1]
    live.handle([key(pygame.K_g, pygame.KMOD_LSHIFT)] * 4, 0.0)
    assert toasts(caplog)[-1] == "sensitivity: as heard"
    assert live.show.choices.find_changes() == {}


def test_blackout_fades_within_half_a_second_evenly_and_back(live: LiveShow) -> None:
    for k in range(30):
        live.draw_frame(k / 60)
    live.run_command("blackout", 0.5)
    levels = []
    for k in range(30, 130):
        live.draw_frame(k / 60)
        levels.append(text_of(live).black)
        if k == 90:
            live.run_command("blackout", 1.5)
    dark = levels.index(1.0)
    assert (dark + 1) / 60 == pytest.approx(FADE_SECONDS, abs=0.03)
    assert levels[-1] == 0.0
    assert max(abs(b - a) for a, b in itertools.pairwise(levels)) < 0.06  # no jump, at sixty frames a second
    assert levels[:dark] == sorted(levels[:dark])


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
