"""Each command, asked of a show whose dancer is a stand-in: what it changes, what it answers, what it refuses."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.support.show_fakes import Stage
from visualizer.auto import HOLD, STAY, Auto
from visualizer.commands import COMMANDS, GROUPS, NUDGE, run_command
from visualizer.errors import UserError
from visualizer.show import Show
from visualizer.stage.looks import shipped_looks

ARGUMENTS = {
    "style": "waltz",
    "look": "neon",
    "dance": "basic",
    "temperature": "wild",
    "sync": "canon",
    "follow clock": "124.5 8",
    "learn": "look",
    "pin move": "1 0",
}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_or_asks_the_host(stage: Stage, name: str) -> None:
    argument = ARGUMENTS.get(name, {"N": "3", "SEED": "3"}.get(COMMANDS[name].argument, ""))
    stage.run(f"{name}: {argument}" if argument else name)
    assert len(stage.said()) + len(stage.host.asked) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_asked_of_a_show_that_nobody_sees(stage: Stage, name: str) -> None:
    """As in a film: there is no host, and no source of music whose tempo could be tapped."""
    stage.show.host = stage.show.tempo = None
    argument = ARGUMENTS.get(name, {"N": "3", "SEED": "3"}.get(COMMANDS[name].argument, ""))
    stage.run(f"{name}: {argument}" if argument else name)
    assert stage.host.asked == []
    assert stage.step(0.0).look == stage.show.look


def test_no_two_commands_have_one_name() -> None:
    names = [command.name for _, rows in GROUPS for command in rows]
    assert len(names) == len(set(names)) == len(COMMANDS)


def test_a_clock_from_outside_leads_the_tempo(stage: Stage) -> None:
    stage.run("follow clock: 131.5 8", now=1.0)
    assert stage.show.tempo is not None
    assert stage.show.tempo.led(1.0)
    assert stage.show.tempo.bpm == 131.5


def test_an_unknown_command_is_an_error(stage: Stage) -> None:
    with pytest.raises(KeyError, match="juggle"):
        stage.run("juggle")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("style: waltz", "style: waltz"),
        ("style: auto", "style: by the music"),
        ("look: mirror ball", "look: Mirror ball"),
        ("dance: cucaracha", "dance: cucaracha"),
        ("troupe: 4", "4 dancers"),
        ("troupe: 12", "a whole number from 1 to 9 is wanted, not '12'"),
        ("troupe: many", "a whole number from 1 to 9 is wanted, not 'many'"),
        ("troupe", "troupe N"),
        ("temperature: bold", "temperature: bold"),
        ("temperature: hot", "temperature is faithful, tame, measured, free, bold, wild or a number"),
        ("sync: canon", "sync: canon"),
        ("reseed: 77", "a new dance, seed 77"),
        ("input: room", "listening to: mic:room"),
        ("input: kitchen", "no input is called 'kitchen'"),
        ("dance", "dance: as it comes"),
        ("sensitivity: -2.5", "sensitivity: -2.5"),
        ("sensitivity: 5", "sensitivity 5: must be a number from -4 to 4"),
        ("sensitivity: nan", "sensitivity nan: must be a number from -4 to 4"),
        ("blackout: loud", "on or off is wanted, not 'loud'"),
        ("look: plaid", "no look"),
        ("look", "look NAME"),
        ("next look: neon", "next look takes nothing more"),
    ],
)
def test_commands_with_a_name_or_a_number(stage: Stage, command: str, said: str) -> None:
    stage.run(command)
    (text,) = stage.said()
    assert text.casefold().startswith(said.casefold())
    refused = any(word in text for word in ("wanted", "no look", "temperature is", " N", "nothing more", "must"))
    assert (stage.show.choices.find_changes() == {}) or not refused


@pytest.mark.parametrize(("name", "is_on"), [
    ("blackout", lambda show: show.dark), ("lock", lambda show: show.locked), ("auto", lambda show: show.auto.on),
])  # fmt: skip
def test_a_switch_is_set_or_turned_over(stage: Stage, name: str, is_on: Callable[[Show], bool]) -> None:
    for word, wanted in (("on", True), ("ON", True), ("off", False), ("off", False)):
        stage.run(f"{name}: {word}")
        assert is_on(stage.show) is wanted
    stage.run(name)
    assert is_on(stage.show) is True
    stage.run(name)
    assert is_on(stage.show) is False


def test_who_sent_a_command_hears_what_is_replied_to_it_and_to_no_other(stage: Stage) -> None:
    heard: list[str] = []
    for name, argument in (("look", "neon"), ("look", "plaid"), ("troupe", "")):
        run_command(stage.show, name, 0.0, argument, heard.append)
    stage.run("troupe: 3")
    said = stage.said()
    assert heard == said[:3]
    assert len(said) == 4


def test_a_style_that_there_is_not_leaves_the_show_as_it_is(stage: Stage) -> None:
    def refuse(style: str) -> None:
        raise UserError(f"no style '{style}'")

    stage.run("style: auto")
    stage.dancer.set_style = refuse  # type: ignore[method-assign]
    stage.run("style: polka", now=1.0)
    assert stage.said()[-1] == "no style 'polka'"
    assert stage.show.style_selector is not None
    assert stage.show.choices.find_changes() == {"style": "auto", "dance": None}


def test_styles_and_looks_go_round(stage: Stage) -> None:
    stage.run("next style")
    assert stage.dancer.style == "waltz"
    stage.run(*["previous style"] * 3)
    assert stage.dancer.style == "techno"
    stage.run("next look")
    assert stage.show.look == shipped_looks()[1]
    stage.run("previous look", "previous look")
    assert stage.show.look == shipped_looks()[-1]
    stage.run("reseed", "reseed")
    assert len(set(stage.dancer.seeds)) == 2


def test_dances_of_the_style_go_round_and_are_said(stage: Stage) -> None:
    seen = []
    for _ in range(3):
        stage.run("next dance")
        seen.append(stage.dancer.dance)
    assert seen == ["basic", "cucaracha", None]
    assert stage.said() == ["dance: basic", "dance: cucaracha", "dance: as it comes"]
    stage.run("previous dance", "previous dance")
    assert stage.dancer.dance == "basic"
    stage.dancer.set_dance(None)
    stage.dancer.set_style("waltz")
    stage.said()
    stage.run("next dance")
    assert stage.dancer.dance is None
    assert stage.said() == ["waltz has no named dances: improvised"]


def test_taps_halving_doubling_and_nudging_reach_the_clock(stage: Stage) -> None:
    clock = stage.show.tempo
    assert clock is not None
    for beat in range(4):
        stage.run("tap tempo", now=10 + beat * 0.6)
    assert clock.bpm == pytest.approx(100)
    assert stage.said()[-1] == "tap: 100 BPM"
    stage.run("half tempo", "double tempo", "double tempo", now=12.0)
    assert stage.said() == ["half tempo: 50 BPM", "double tempo: 100 BPM", "double tempo: 200 BPM"]
    stage.run("double tempo", now=12.0)
    assert stage.said() == ["no further: 200 BPM"]
    stage.run("trust the ear", now=12.0)
    assert clock.bpm == pytest.approx(100)
    assert stage.said() == ["as the ear hears it"]

    before = clock.musical_time(30.0)  # by then nothing is left to be made up
    stage.run("earlier", "earlier", now=30.0)
    assert clock.musical_time(40.0) == pytest.approx(before + (10 + 2 * NUDGE) * 100 / 60)
    stage.run("later", "later", "later", now=40.0)
    assert stage.said() == ["10 ms earlier", "20 ms earlier", "10 ms earlier", "on time", "10 ms later"]
    assert len(set(stage.topics)) == 1  # each takes the place of the one before


def test_a_troupe_and_how_it_dances_together(stage: Stage) -> None:
    stage.run("troupe: 7", "next sync", "next sync", "next sync", "troupe: 1")
    assert (stage.dancer.troupe, stage.dancer.sync) == (1, "each")
    assert stage.said() == ["7 dancers", "sync: unison", "sync: canon", "sync: each", "one dancer"]


def test_temperature_goes_by_named_steps_to_the_ends(stage: Stage) -> None:
    stage.run(*["tamer"] * 4)
    assert stage.dancer.temperature == 0.3
    assert stage.said()[-2:] == ["temperature: faithful", "temperature: faithful"]
    stage.run(*["wilder"] * 5)
    assert stage.dancer.temperature == 1.6
    assert stage.said()[-1] == "temperature: wild"


@pytest.mark.parametrize(
    ("kind", "command", "place"), [("look", "next look", 0), ("style", "next style", 1), ("dance", "next dance", 2)]
)
def test_what_was_chosen_holds_for_a_while(kind: str, command: str, place: int) -> None:
    stage = Stage(Auto(random.Random(1)))
    stage.steps(10)
    stage.run(command, now=10.0)
    seen = [each[place] for each in stage.steps(200, 10.0)]
    held = next(k for k, each in enumerate(seen) if each != seen[0]) / 10 * 2  # beats
    # A style that holds lets its dances change; a dance holds its style too.
    assert held >= HOLD
    assert held <= HOLD + STAY["style"][1] + 16


def test_a_banned_look_never_comes_again() -> None:
    stage = Stage(Auto(random.Random(1)))
    stage.run("never look")
    assert stage.said()[-1] == "never again: look paper; Backspace takes it back"
    assert stage.show.look.name != "paper"
    for _ in shipped_looks():
        stage.run("next look")
        assert stage.show.look.name != "paper"
    assert "paper" not in {look for look, *_ in stage.steps(200)}
    assert stage.show.choices.find_changes()["never_looks"] == ("paper",)
    for _ in shipped_looks()[2:]:
        stage.run("never look", now=200.0)
    last = stage.show.look.name
    stage.said()
    stage.run("never look", now=200.0)
    assert stage.said() == [f"{last} is the last look there is: it stays"]
    assert stage.show.look.name == last


def test_bans_of_dance_and_style_reach_the_dancer_and_the_style_selector() -> None:
    stage = Stage(by_music=True)
    stage.dancer.set_dance("cucaracha")
    stage.run("never dance")
    assert stage.dancer.never == ("cucaracha",)
    assert stage.dancer.dance is None
    for _ in range(4):
        stage.run("next dance")
        assert stage.dancer.dance != "cucaracha"
    stage.run("take back")
    assert stage.dancer.never == ()
    assert stage.dancer.dance == "cucaracha"
    stage.dancer.set_dance(None)
    stage.dancer.danced = (None,)
    stage.run("never dance")
    assert stage.dancer.never == ()  # improvised: there is nothing to ban

    stage.dancer.set_style("techno")
    stage.run("never style")
    assert stage.dancer.style != "techno"
    stage.mix = (("techno", 1.0),)
    assert "techno" not in {style for _, style, _ in stage.steps(100)}
    stage.run("take back", now=100.0)
    assert stage.dancer.style == "techno"


def test_favourites_of_all_that_is_on_and_back(stage: Stage) -> None:
    stage.run("favourite")
    assert stage.said() == ["paper, salsa, basic: comes more often"]
    wanted = {"favourite_looks": ("paper",), "favourite_styles": ("salsa",), "favourite_dances": ("basic",)}
    assert stage.show.choices.find_changes() == wanted
    stage.run("favourite")
    assert stage.said() == ["paper, salsa, basic: comes as often as others"]
    assert stage.show.choices.find_changes() == {}
    stage.run("take back", "take back")
    assert stage.said() == ["taken back", "nothing to take back"]
    assert stage.show.choices.find_changes() == wanted


def test_latency_goes_by_steps_to_its_end(stage: Stage) -> None:
    stage.run("more latency", "more latency", "more latency", "less latency")
    assert stage.said()[-1] == "the picture is seen 20 ms late"
    assert stage.show.choices.find_changes() == {"latency_ms": 20.0}
    stage.run(*["less latency"] * 60)
    assert stage.show.latency_ms == -500


def test_sensitivity_reaches_the_dancer(stage: Stage) -> None:
    stage.step(0.0)
    stage.run(*["more sensitive"] * 9)
    assert stage.said()[-1] == "sensitivity: +4"
    stage.step(0.1)
    assert stage.dancer.steps[1][1] > stage.dancer.steps[0][1]
    stage.run(*["less sensitive"] * 4)
    assert stage.said()[-1] == "sensitivity: as heard"
    assert stage.show.choices.find_changes() == {}


def test_figures_go_on_are_shuffled_and_chosen_by_name(stage: Stage) -> None:
    stage.dancer.figures = ("ada", "bo", "cy")
    stage.run("next figure", "next figure", "next figure")
    assert stage.said() == ["figure: bo", "figure: cy", "figure: ada"]
    stage.run("troupe: 3", "figure: cy,ada")
    assert stage.dancer.worn == ("cy", "ada", "cy")
    assert stage.show.choices.find_changes()["figure"] == "cy,ada,cy"
    stage.run("figure: zed")
    assert stage.said()[-1] == "no figure zed"
    for _ in range(5):
        before = stage.dancer.worn
        stage.run("shuffle figures")
        assert stage.dancer.worn != before
        assert len(set(stage.dancer.worn)) == 3


def test_a_pack_without_figures_says_so_in_one_line(stage: Stage) -> None:
    for command in ("next figure", "shuffle figures", "figure: ada", "never figure"):
        stage.run(command)
        assert stage.said() == ["this pack's dancers are flat: it has no figures to choose from"]


def test_a_banned_figure_never_comes_again_and_a_favourite_is_kept() -> None:
    stage = Stage(Auto(random.Random(1)))
    stage.dancer.figures = ("ada", "bo", "cy", "di")
    stage.run("favourite", "never figure")
    assert stage.dancer.worn[0] != "ada"
    assert stage.show.choices.find_changes()["never_figures"] == ("ada",)
    seen = set()
    for k in range(2000):
        stage.step(k / 10)
        seen.update(stage.dancer.worn)
    assert seen == {"bo", "cy", "di"}
    stage.run("take back", now=200.0)
    assert stage.dancer.worn[0] == "ada"
