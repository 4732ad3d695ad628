"""A show is stepped: what it dances, what changes by itself, what is written over it. No window, no clock."""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import replace

import pytest

from tests.support import fakes
from tests.support.show_fakes import PICTURE, STYLES, Stage
from visualizer.auto import Auto, Preferences
from visualizer.launch import find_pinned
from visualizer.music.analysis.energy import RESTING
from visualizer.options import Settings
from visualizer.pace import Count
from visualizer.show import FADE_SECONDS, adjust_sensitivity
from visualizer.stage.looks import shipped_looks


def test_auto_mode_changes_all_three_at_phrase_ends_and_only_if_it_is_on() -> None:
    assert len(set(Stage().steps(120))) == 1
    stage = Stage(Auto(random.Random(1)))
    round_of_looks = 32 * len(shipped_looks())  # seconds: none stays for more than 64 beats
    seen = stage.steps(round_of_looks)
    assert {look for look, *_ in seen} == {each.name for each in shipped_looks() if not each.for_figures}
    assert {style for _, style, _ in seen} == set(STYLES)
    assert {dance for *_, dance in seen} == {"basic", "cucaracha", None}
    stage.run("auto", now=float(round_of_looks))
    assert len(set(stage.steps(120, float(round_of_looks)))) == 1


def test_what_changes_by_itself_is_told_of() -> None:
    stage = Stage(Auto(random.Random(1)))
    (before,) = stage.steps(0.1)
    told = []
    for k in range(1, 1000):
        (after,) = stage.steps(0.1, k / 10)
        looks_and_styles = [(kind, name) for kind, name in zip(("look", "style"), after, strict=False)]
        changed = [each for each, old in zip(looks_and_styles, before, strict=False) if each[1] != old]
        assert [(each.kind, each.name) for each in stage.show.changed if each.kind != "dance"] == changed
        told += changed
        before = after
    assert {kind for kind, _ in told} == {"look", "style"}


def test_a_dance_from_the_command_line_is_never_left() -> None:
    asked = Settings(dance="basic", from_cli=frozenset({"dance"}))
    stage = Stage(Auto(random.Random(1), pinned=find_pinned(asked)))
    stage.dancer.set_dance("basic")
    seen = stage.steps(300)
    assert {(style, dance) for _, style, dance in seen} == {("salsa", "basic")}
    assert len({look for look, *_ in seen}) > 1


def test_a_dance_asked_for_keeps_its_style() -> None:
    stage = Stage()
    stage.run("previous style", "next dance")
    stage.mix = (("techno", 1.0),)
    stage.steps(60, rate=1)
    assert (stage.dancer.style, stage.dancer.dance) == ("salsa", "basic")


def test_with_style_auto_the_music_chooses_and_auto_keeps_within_what_suits() -> None:
    stage = Stage(Auto(random.Random(1)), by_music=True)
    stage.mix = (("techno", 1.0),)
    seen = stage.steps(300)
    after = [style for _, style, _ in seen[100:]]
    assert set(after) == {"techno"}  # the one of the three that suits
    stage.mix = (("latin", 1.0),)
    assert stage.dancer.style == "techno"
    assert {style for _, style, _ in stage.steps(200, 300.0)[600:]} == {"salsa"}
    stage.mix = ()  # nothing is known of the music: auto goes through all
    assert {style for _, style, _ in stage.steps(300, 500.0)} == set(STYLES)


def test_locked_nothing_changes_by_itself_and_unlocking_waits_for_the_phrase_end() -> None:
    stage = Stage(Auto(random.Random(1)), by_music=True)
    stage.run("lock")
    assert stage.dancer.held
    stage.mix = (("techno", 1.0),)
    assert len(set(stage.steps(101))) == 1  # into the middle of a phrase
    stage.run("lock", now=101.0)
    assert not stage.dancer.held
    seen = stage.steps(4, 101.0, 60.0)
    first = next(k for k, each in enumerate(seen) if each != seen[0])
    beat = 2 * (101 + first / 60)
    assert beat % 8 > 7  # a little before the phrase ends, so that the dance is there with the next
    assert seen[-1][1] == "techno"


def test_a_break_is_danced_at_half_time_and_the_drop_is_not() -> None:
    stage = Stage()
    stage.steps(16, 0.0)
    stage.energy = 0.1
    stage.steps(16, 16.0)
    begun, ended = stage.dancer.steps[-100][0], stage.dancer.steps[-1][0]
    assert ended - begun == pytest.approx(9.9 * 2 / 2)  # of 2 beats a second
    stage.energy = 0.9
    stage.steps(16, 32.0)
    (leap,) = stage.dancer.leaps
    assert leap == 14  # behind by half of the 28 beats that were danced so
    assert stage.dancer.steps[-1] == (pytest.approx(2 * 47.9), 0.9)


def test_auto_mode_chooses_dances_that_suit_the_energy_and_a_drop_ends_a_quiet_one() -> None:
    stage = Stage(Auto(random.Random(1), pinned={"style"}))
    stage.dancer.tells_energy = True
    stage.energy = 0.3
    assert {dance for *_, dance in stage.steps(300)} == {"basic", None}
    stage.dancer.set_dance("basic")
    stage.energy = 0.9
    after = [dance for *_, dance in stage.steps(300, 300.0)]
    assert set(after[40:]) == {"cucaracha", None}  # within a phrase, which takes four seconds


@pytest.mark.parametrize("known", [False, True])
def test_phrases_of_auto_mode_are_the_musics_own(known: bool) -> None:
    """A drop 12 beats into what the count has as a phrase; of a song that was heard whole the phrases are known."""
    stage = Stage(Auto(random.Random(1)))
    for k in range(2400):
        time = k / 10
        heard = replace(fakes.hearing(time, 120), energy=0.3 if 2 * time < 76 else 0.9, phrases_known=known)
        stage.show.step(2 * time, heard)
    assert stage.dancer.leaps == ([] if known else [20])
    changed = stage.dancer.steps[-1][0] - 2 * 239.9
    assert changed == pytest.approx(0 if known else 20)


def test_a_show_does_not_begin_with_what_is_never_to_come() -> None:
    preferences = Preferences()
    preferences.never = {"look": ("paper",), "style": ("salsa",), "dance": ()}
    stage = Stage(preferences=preferences)
    stage.show.avoid_unwanted(frozenset({"look"}))
    assert stage.show.look.name == "paper"  # asked for by name
    assert stage.dancer.style != "salsa"


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


def test_the_lamp_is_lit_on_the_beat() -> None:
    stage = Stage()
    lit = [stage.step(10.05 + quarter / 8).text.lamp for quarter in range(16)]  # 2 beats a second
    assert lit == [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


def test_blackout_fades_within_half_a_second_evenly_and_back() -> None:
    stage = Stage()
    for k in range(30):
        stage.step(k / 60)
    stage.run("blackout", now=0.5)
    levels = []
    for k in range(30, 130):
        levels.append(stage.step(k / 60).text.black)
        if k == 90:
            stage.run("blackout", now=1.5)
    dark = levels.index(1.0)
    assert (dark + 1) / 60 == pytest.approx(FADE_SECONDS, abs=0.03)
    assert levels[-1] == 0.0
    assert max(abs(b - a) for a, b in itertools.pairwise(levels)) < 0.06  # no jump, at sixty frames a second
    assert levels[:dark] == sorted(levels[:dark])


def test_a_show_says_what_is_on() -> None:
    stage = Stage()
    assert stage.show.describe() == "auto off · salsa · basic · look Paper"
    stage.run("auto", "style: auto", "look: neon")
    stage.dancer.danced = (None,)
    assert stage.show.describe() == "auto · salsa by the music · improvised · look Neon"
    stage.run("lock")
    assert stage.show.describe().startswith("locked · ")


def test_a_picture_that_was_prepared_is_shown_and_one_for_another_moment_is_not() -> None:
    stage = Stage()
    stage.step(0.0)
    stage.show.prepare(1.0, 0.7)
    assert stage.step(0.5).bodies is not None
    assert stage.dancer.steps == [(0.0, fakes.hearing().energy), (1.0, 0.7)]
    stage.show.prepare(2.0, 0.7)
    stage.step(5.0)  # a stall
    assert [moment for moment, _ in stage.dancer.steps] == [0.0, 1.0, 2.0, 10.0]


def test_whoever_asks_for_the_dancers_waits_until_nothing_is_made_of_them() -> None:
    stage, may = Stage(), threading.Event()
    stage.dancer.picture = lambda musical_time: may.wait(20.0) and PICTURE  # type: ignore[method-assign,assignment]
    stage.show.prepare(1.0, 0.5)
    assert stage.show.troupe == 1  # how many there are is known
    assert not may.is_set()
    threading.Timer(0.05, may.set).start()
    stage.run("troupe: 3")
    assert may.is_set()
    assert stage.dancer.troupe == 3
    assert stage.step(0.5).bodies is PICTURE


def test_a_picture_that_was_prepared_is_right_where_the_dance_leaps_to_the_next_phrase() -> None:
    stage = Stage()
    counts = iter([Count(0.0, 0.0), Count(9.0, 9.0, 8.0)])
    stage.show._count = lambda *_: next(counts)  # type: ignore[method-assign]
    stage.step(0.0)
    stage.show.prepare(1.0, 0.7)
    stage.step(0.5)
    assert stage.dancer.leaps == [8.0]
    assert [moment for moment, _ in stage.dancer.steps] == [0.0, 1.0]


def test_auto_mode_gives_a_troupe_different_figures_and_changes_them_at_phrase_ends() -> None:
    stage = Stage(Auto(random.Random(1)))
    stage.dancer.figures, stage.dancer.troupe = ("ada", "bo", "cy", "di", "eve", "silhouette"), 3
    worn, changes = stage.dancer.worn, 0
    for k in range(3000):
        stage.step(k / 10)
        if stage.dancer.worn != worn:
            worn, changes = stage.dancer.worn, changes + 1
            assert len(set(worn) - {"silhouette"}) == 3
            assert [each.name for each in stage.show.changed if each.kind == "figure"] == [", ".join(worn)]
    assert changes >= 5


def test_looks_made_for_figures_come_by_themselves_only_where_there_are_figures() -> None:
    made_for = {each.name for each in shipped_looks() if each.for_figures}
    assert len(shipped_looks()) - len(made_for) == 14
    assert all(each.wants_inside for each in shipped_looks() if each.for_figures)
    for figures in ((), ("ada", "bo")):
        stage = Stage(Auto(random.Random(1)))
        stage.dancer.figures = figures
        seen = {look for look, *_ in stage.steps(32 * len(shipped_looks()), rate=2)}
        assert bool(seen & made_for) == bool(figures)
    # Where nothing else may come, they do.
    preferences = Preferences()
    preferences.never["look"] = tuple(each.name for each in shipped_looks() if not each.for_figures)
    stage = Stage(preferences=preferences)
    stage.show.choose_next("look")
    assert stage.show.look.name in made_for


def test_figures_asked_for_by_name_stay() -> None:
    asked = Settings(figure="bo", from_cli=frozenset({"figure"}))
    stage = Stage(Auto(random.Random(1), pinned=find_pinned(asked)))
    stage.dancer.figures = ("ada", "bo", "cy")
    stage.dancer.set_figures(("bo",))
    stage.steps(300)
    assert stage.dancer.worn == ("bo",)


def test_dancers_are_told_whether_the_look_shows_what_is_inside() -> None:
    stage = Stage()
    told = []
    for k, look in enumerate(("paper", "toon", "paper")):
        stage.show.set_look(look)
        stage.step(k / 10)
        told.append(stage.dancer.wants_inside)
    assert told == [False, True, False]
