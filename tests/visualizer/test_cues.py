"""Lists of cues: read with a clear word about what is wrong, and played in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import fakes
from tests.support.show_fakes import FakeDancer, FakeHost
from visualizer.commands import run_command
from visualizer.cues import CueList, CuePlayer, load_cues, split_order
from visualizer.errors import UserError
from visualizer.show import Show, ShowPlan

GOOD = """
[[cue]]
name = "arrival"
do = ["look neon", "title Welcome"]
beats = 8

[[cue]]
name = "dinner"
do = ["look ink", "title", "troupe 3"]

[[cue]]
name = "dance"
do = ["look disco", "style techno"]
seconds = 10
"""


def read(tmp_path: Path, text: str) -> CueList:
    path = tmp_path / "set.toml"
    path.write_text(text, encoding="utf-8")
    return load_cues(path)


@pytest.fixture
def show() -> Show:
    return Show(FakeDancer(), ShowPlan(look="paper"))


def play(show: Show, until: float, begin: float = 0.0, step: float = 0.25) -> None:
    """At 120 BPM: two beats a second, from `begin` to `until` seconds."""
    time = begin
    while time <= until:
        show.step(2 * time, fakes.hearing(time))
        time += step


def on(show: Show) -> str:
    assert show.cues is not None
    assert show.cues.now is not None
    return show.cues.now.name


def test_a_list_is_read(tmp_path: Path) -> None:
    cues = read(tmp_path, GOOD)
    assert [cue.name for cue in cues.cues] == ["arrival", "dinner", "dance"]
    assert cues.cues[0].orders == (("look", "neon"), ("title", "Welcome"))
    assert cues.cues[1].orders == (("look", "ink"), ("title", ""), ("troupe", "3"))
    assert (cues.cues[0].beats, cues.cues[2].seconds) == (8, 10)
    assert [cue.goes_on for cue in cues.cues] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("[[cue]\n", 1, "no TOML"),
        ("", 1, "there is no [[cue]]"),
        ("cue = 3\n", 1, "there is no [[cue]]"),
        ("loop = 3\n[[cue]]\n", 1, "loop is true or false"),
        ("speed = 3\n[[cue]]\n", 1, "'speed' is not known here"),
        ('[[cue]]\n[[cue]]\ndo = ["look neon",\n  "jump high"]\n', 4, "'jump high' begins with no command"),
        ('[[cue]]\ndo = ["look nonsense"]\n', 2, "no look is called"),
        ('[[cue]]\ndo = ["look"]\n', 2, "'look' lacks its NAME"),
        ('[[cue]]\ndo = ["favourite me"]\n', 2, "takes nothing more"),
        ('[[cue]]\ndo = ["quit"]\n', 2, "cannot be a part of a cue"),
        ('[[cue]]\ndo = "look neon"\n', 2, "do is a list of commands"),
        ("[[cue]]\n[[cue]]\n# beats = 1\nbeats = 0\n", 4, "beats is a number above 0"),
        ("[[cue]]\nseconds = nan\n", 2, "seconds is a number above 0"),
        ("[[cue]]\nbeats = true\n", 2, "beats is a number above 0"),
        ("[[cue]]\nbeats = 8\nseconds = 3\n", 3, "not both"),
        ("[[cue]]\nphrase = 1\n", 2, "phrase is true or false"),
        ("[[cue]]\ntempo = 1\n", 2, "a cue has no 'tempo'"),
        ('[[cue]]\nname = "a"\n[[cue]]\nname = "A"\n', 4, "cue 1 is called"),
        ('[[cue]]\nname = ""\n', 2, "name is a text"),
        ("[[cue]]\n" * 501, 1, "up to 500"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_its_place(tmp_path: Path, text: str, line: int, wrong: str) -> None:
    with pytest.raises(UserError) as refused:
        read(tmp_path, text)
    said = str(refused.value)
    assert wrong in said
    assert f"line {line}" in said
    assert "set.toml" in said


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, wrong in (("none.toml", "cannot be read"), ("bytes.toml", "not a text"), (".", "cannot be read|not a")):
        with pytest.raises(UserError, match=wrong):
            load_cues(tmp_path / name)


def test_the_longest_name_of_a_command_counts() -> None:
    assert split_order("next look") == ("next look", "")
    assert split_order("never look") == ("never look", "")
    assert split_order(" title  now or never ") == ("title", "now or never")


def test_cues_follow_one_another(tmp_path: Path, show: Show) -> None:
    show.cues = CuePlayer(read(tmp_path, GOOD))
    play(show, 3.75)
    assert (on(show), show.look.name, show.titles.text) == ("arrival", "neon", "Welcome")
    play(show, 100, begin=4.0)
    assert (on(show), show.look.name, show.titles.text, show.dancer.troupe) == ("dinner", "ink", "", 3)
    run_command(show, "next cue", 100)
    play(show, 105, begin=100)
    assert (on(show), show.look.name, show.dancer.style) == ("dance", "disco", "techno")
    play(show, 200, begin=105)
    assert on(show) == "dance"  # the last stays


def test_a_list_that_loops_begins_again(tmp_path: Path, show: Show) -> None:
    show.cues = CuePlayer(read(tmp_path, "loop = true\n[[cue]]\nseconds = 2\n[[cue]]\nseconds = 2\n"))
    seen = []
    for second in range(9):
        play(show, second, begin=second)
        seen.append(show.cues.number)
    assert seen == [0, 0, 1, 1, 0, 0, 1, 1, 0]


def test_commands_go_to_any_cue(tmp_path: Path, show: Show) -> None:
    said: list[str] = []
    show.notify = lambda text, *_: said.append(text)
    run_command(show, "next cue", 0)
    assert "start with --cues" in said[-1]
    show.cues = CuePlayer(read(tmp_path, GOOD))
    play(show, 0)
    for name, argument, cue in (("cue", "Dance", "dance"), ("cue", "1", "arrival"), ("next cue", "", "dinner"),
                                ("previous cue", "", "arrival")):  # fmt: skip
        run_command(show, name, 0.5, argument)
        play(show, 0.5, begin=0.5)
        assert on(show) == cue
    run_command(show, "previous cue", 0.5)
    assert said[-1] == "that was the first cue"
    run_command(show, "cue", 0.5, "nonsense")
    assert "there are: arrival, dinner, dance" in said[-1]
    run_command(show, "cue", 0.5, "dance")
    run_command(show, "next cue", 0.5)
    assert said[-1] == "that was the last cue"
    play(show, 0.5, begin=0.5)
    assert on(show) == "dance"


def test_two_presses_between_two_pictures_are_two_cues(tmp_path: Path, show: Show) -> None:
    show.cues = CuePlayer(read(tmp_path, GOOD))
    play(show, 0)
    run_command(show, "next cue", 0.1)
    run_command(show, "next cue", 0.1)
    play(show, 0.2, begin=0.2)
    assert on(show) == "dance"


@pytest.mark.parametrize(
    ("length", "beats"), [("", 8), ("beats = 3\n", 8), ("beats = 12\n", 16), ("seconds = 5\n", 16)]
)
def test_a_cue_waits_for_the_end_of_a_phrase(tmp_path: Path, show: Show, length: str, beats: float) -> None:
    show.cues = CuePlayer(read(tmp_path, f"[[cue]]\nphrase = true\n{length}[[cue]]\n"))
    ends = None
    for k in range(100):
        show.step(k / 4, fakes.hearing(k / 8))
        if show.cues.number == 1:
            ends = k / 4
            break
    assert ends == beats


def test_what_a_cue_chooses_holds_and_is_not_remembered(tmp_path: Path, show: Show) -> None:
    show.cues = CuePlayer(read(tmp_path, GOOD))
    play(show, 1)
    assert "look" in show.auto.pinned
    assert not show.choices.find_changes()
    run_command(show, "cue", 1, "dance")
    play(show, 2, begin=1.25)
    assert show.auto.pinned == {"look", "style"}


def test_a_command_that_fails_ends_neither_cue_nor_show(tmp_path: Path, show: Show) -> None:
    said: list[str] = []
    show.notify = lambda text, *_: said.append(text)
    show.cues = CuePlayer(read(tmp_path, '[[cue]]\ndo = ["troupe 99", "look ink"]\n'))
    play(show, 1)
    assert show.look.name == "ink"
    assert any("from 1 to 9" in text for text in said)


def test_where_a_list_is_is_told(tmp_path: Path, show: Show) -> None:
    told: list[int] = []
    show.cues = CuePlayer(read(tmp_path, GOOD), start=1, changed=told.append)
    play(show, 1)
    run_command(show, "next cue", 1)
    play(show, 2, begin=1.25)
    assert told == [1, 2]
    assert CuePlayer(read(tmp_path, GOOD), start=99).names == ("arrival", "dinner", "dance")


def test_no_list_of_a_stranger_turns_a_camera_on(tmp_path: Path) -> None:
    """What a cue says comes as from afar: the host is told so."""
    host = FakeHost()
    show = Show(FakeDancer(), ShowPlan(look="paper"), host=host)
    afar: list[bool] = []
    host.toggle_camera = lambda wanted: afar.append(show.answer is not None)  # type: ignore[method-assign]
    show.cues = CuePlayer(read(tmp_path, '[[cue]]\ndo = ["camera on"]\n'))
    play(show, 1.0)
    assert afar == [True]
