"""The file that says which control is which command."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.remote.midi.controls_map import (
    Action,
    Control,
    clean_name,
    load_maps,
    read_action,
    save_control,
)

FILE = """# mine
["Launchkey Mini"]
"cc 1 21" = "temperature"   # the first knob
"note 10 36" = "look mirrorball"
"""


def test_a_file_is_read_by_device(tmp_path: Path) -> None:
    path = tmp_path / "midi.toml"
    assert load_maps(path) == {}
    path.write_text(FILE)
    assert load_maps(path) == {
        "Launchkey Mini": {
            Control("cc", 1, 21): Action("temperature"), Control("note", 10, 36): Action("look", "mirrorball"),
        }
    }  # fmt: skip


def test_what_is_learned_is_added_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "midi.toml"
    save_control(path, "Pads", Control("note", 1, 60), Action("style", "house"))
    assert load_maps(path) == {"Pads": {Control("note", 1, 60): Action("style", "house")}}
    path.write_text(FILE)
    save_control(path, "Launchkey Mini", Control("cc", 1, 21), Action("sensitivity"))
    save_control(path, "Pads", Control("program", 2, 0), Action("look", "ink"))
    assert "# mine" in path.read_text()
    assert "# the first knob" in path.read_text()
    maps = load_maps(path)
    assert maps["Launchkey Mini"][Control("cc", 1, 21)] == Action("sensitivity")
    assert len(maps["Launchkey Mini"]) == 2
    assert maps["Pads"] == {Control("program", 2, 0): Action("look", "ink")}


@pytest.mark.parametrize("text", [
    "nonsense", "[a]\n\"cc 1 1\" = 7", '[a]\n"cc 1 1" = "juggle"', '[a]\n"cc 17 1" = "look"', '[a]\n"cc 0 1" = "look"',
    '[a]\n"cc 1 128" = "look"', '[a]\n"knob 1" = "look"', 'a = "look"', '[a]\n"cc 1 1" = "quit"', "a = " + "[" * 5000,
    "\xff\xfe",
])  # fmt: skip
def test_what_is_wrong_is_one_line_with_the_name_of_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "midi.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"midi\.toml") as said:
        load_maps(path)
    assert "\n" not in str(said.value)
    assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize(("text", "action"), [
    ("look", Action("look")), ("next look", Action("next look")), ("dance running man", Action("dance", "running man")),
    ("never look", Action("never look")), ("tap tempo", Action("tap tempo")), ("troupe 4", Action("troupe", "4")),
])  # fmt: skip
def test_a_command_is_found_by_its_whole_name(text: str, action: Action) -> None:
    assert read_action(text) == action
    assert str(action) == text


@pytest.mark.parametrize(("port", "name"), [
    ("Launchkey Mini MK3:Launchkey Mini MK3 MIDI 1 20:0", "Launchkey Mini MK3:Launchkey Mini MK3 MIDI 1"),
    ("nanoKONTROL2 0", "nanoKONTROL2"), ("IAC Driver Bus", "IAC Driver Bus"), (" 20:0", " 20:0"),
])  # fmt: skip
def test_a_device_keeps_its_name_in_another_socket(port: str, name: str) -> None:
    assert clean_name(port) == name
