"""The map of the lamps: what it says, and what is wrong with it in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.outputs.lights.fixtures import LARGEST_FILE, Fixture, load_lights

GOOD = """
to = "127.0.0.1"
[[fixture]]
name = "left"
address = 1
channels = ["dimmer", "red", "green", "blue", 255]
[[fixture]]
universe = 3
address = 510
follow = "steady"
colour = "backdrop"
most = 0.5
"""


def write(folder: Path, text: str) -> Path:
    (folder / "lamps.toml").write_text(text, encoding="utf-8")
    return folder / "lamps.toml"


def test_a_map_says_where_lamps_are(tmp_path: Path) -> None:
    lights = load_lights(write(tmp_path, GOOD))
    assert (lights.send, lights.to, lights.universes) == ("artnet", "127.0.0.1", (0, 3))
    assert lights.fixtures == (
        Fixture("left", 0, 1, ("dimmer", "red", "green", "blue", 255)),
        Fixture("fixture 2", 3, 510, ("red", "green", "blue"), "steady", "backdrop", 0.5),
    )
    sacn = load_lights(write(tmp_path, 'send = "sacn"\n[[fixture]]\naddress = 1\n'))
    assert (sacn.to, sacn.universes) == ("", (1,))


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "to is an IPv4"), ('to = "lamps.example.org"', "to is an IPv4"), ('to = "127.0.0.1"', r"no \[\[fixture\]\]"),
     ('send = "dmx"', "artnet or sacn"), ("[", "no TOML"), ("[" * 100_000, "no TOML"),
     (GOOD.replace("name", "nmae"), "'nmae' is not known"), (GOOD.replace("510", "511"), "address is a whole number"),
     (GOOD.replace("510", "true"), "address"), (GOOD.replace("universe = 3", "universe = 99999"), "universe"),
     (GOOD.replace('"dimmer"', '"strobe"'), "a channel is"), (GOOD.replace("255]", "256]"), "a channel is"),
     (GOOD.replace("255]", "true]"), "a channel is"), (GOOD.replace("steady", "strobe"), "follow is beat"),
     (GOOD.replace("backdrop", "red"), "colour is"), (GOOD.replace("0.5", "1.5"), "most is"),
     (GOOD.replace("universe = 3\naddress = 510", "address = 5"), "channel 5 of universe 0 is left's"),
     (GOOD.replace("[1]", "") + "[[fixture]]\naddress = 9\n" * 200, "up to 128")],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as error:
        load_lights(write(tmp_path, text))
    assert "lamps.toml" in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_lights(tmp_path / "none.toml")
    with pytest.raises(UserError, match="too large"):
        load_lights(write(tmp_path, "#" * (LARGEST_FILE + 1)))
    (tmp_path / "lamps.toml").write_bytes(b"\xff\xff")
    with pytest.raises(UserError, match="UTF-8"):
        load_lights(tmp_path / "lamps.toml")
