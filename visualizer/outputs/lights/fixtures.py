"""The map of the lamps, out of a TOML file: where each is, and what it does.

send = "artnet"            # or "sacn"
to = "192.168.1.50"        # of the node; sACN without it: multicast

[[fixture]]
name = "left"
universe = 0               # sACN counts from 1
address = 1                # its first channel, 1 to 512
channels = ["dimmer", "red", "green", "blue", 0]   # in their order; a number stays as it is
follow = "beat"            # or "energy", "steady"
colour = "accent"          # of the look; or "dancer", "backdrop"
most = 1.0                 # how bright, 0 to 1
"""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.files import read_at_most

LARGEST_FILE = 1 << 18  # bytes
MOST_FIXTURES = 128
CHANNELS = ("dimmer", "red", "green", "blue", "white")
FOLLOWS = ("beat", "energy", "steady")
COLOURS = ("backdrop", "dancer", "accent")  # in the order of the swatches of looks
PROTOCOLS = ("artnet", "sacn")
UNIVERSES = {"artnet": (0, 32_767), "sacn": (1, 63_999)}
SIZE = 512  # channels of a universe


@dataclass(frozen=True)
class Fixture:
    """One lamp. Of `channels` those that are numbers never change."""

    name: str
    universe: int
    address: int
    channels: tuple[str | int, ...]
    follow: str = "beat"
    colour: str = "accent"
    most: float = 1.0


@dataclass(frozen=True)
class LightMap:
    """All lamps, and where they are sent to; `to` "": sACN by multicast."""

    fixtures: tuple[Fixture, ...]
    send: str
    to: str = ""

    @property
    def universes(self) -> tuple[int, ...]:
        """Those in which there are lamps."""
        return tuple(sorted({each.universe for each in self.fixtures}))


def load_lights(path: Path) -> LightMap:
    """Read a map. UserError names the file, the fixture and what is wrong with it."""
    try:
        data = tomllib.loads(read_at_most(path, LARGEST_FILE).decode("utf-8"))
    except OSError as error:
        raise UserError(f"lights {path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"lights {path}: not a text in UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"lights {path}: no TOML: {error}") from error
    try:
        return _parse(data)
    except ValueError as error:
        raise UserError(f"lights {path}: {error}") from error


def _parse(data: dict[str, Any]) -> LightMap:
    _must_know(data, ("send", "to", "fixture"), "the map")
    send, to = data.get("send", "artnet"), data.get("to", "")
    if send not in PROTOCOLS:
        raise ValueError(f"send is {' or '.join(PROTOCOLS)}")
    if to or send == "artnet":
        try:  # no name is looked up
            ipaddress.IPv4Address(to)
        except ValueError:
            raise ValueError('to is an IPv4 address, such as "192.168.1.50"') from None
    tables = data.get("fixture")
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        raise ValueError("there is no [[fixture]]")
    if len(tables) > MOST_FIXTURES:
        raise ValueError(f"{len(tables)} fixtures; up to {MOST_FIXTURES} are taken")
    fixtures = tuple(_parse_fixture(each, k, send) for k, each in enumerate(tables))
    _must_not_overlap(fixtures)
    return LightMap(fixtures, send, to)


def _parse_fixture(table: dict[str, Any], number: int, send: str) -> Fixture:
    name = table.get("name", f"fixture {number + 1}")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 60:
        raise ValueError(f"fixture {number + 1}: name is a text of up to 60 characters")
    _must_know(table, ("name", "universe", "address", "channels", "follow", "colour", "most"), name)
    least, most = UNIVERSES[send]
    universe = _read_number(table.get("universe", least), least, most, f"{name}: universe")
    channels = table.get("channels", ["red", "green", "blue"])
    if not isinstance(channels, list) or not 0 < len(channels) <= 64:
        raise ValueError(f'{name}: channels is a list such as ["dimmer", "red", "green", "blue"]')
    for channel in channels:
        if channel not in CHANNELS or isinstance(channel, bool):
            _read_number(channel, 0, 255, f"{name}: a channel is {', '.join(CHANNELS)} or a number, which")
    address = _read_number(table.get("address"), 1, SIZE + 1 - len(channels), f"{name}: address")
    chosen = {key: table.get(key, default) for key, default in (("follow", "beat"), ("colour", "accent"))}
    for key, there in (("follow", FOLLOWS), ("colour", COLOURS)):
        if chosen[key] not in there:
            raise ValueError(f"{name}: {key} is {', '.join(there)}")
    bright = table.get("most", 1.0)
    if isinstance(bright, bool) or not isinstance(bright, int | float) or not 0 <= bright <= 1:
        raise ValueError(f"{name}: most is a number from 0 to 1")
    return Fixture(name, universe, address, tuple(channels), **chosen, most=float(bright))


def _read_number(value: Any, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{what} is a whole number from {least} to {most}")
    return value


def _must_know(table: dict[str, Any], words: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in words:
            raise ValueError(f"{where}: '{key[:40]}' is not known; there are: {', '.join(words)}")


def _must_not_overlap(fixtures: tuple[Fixture, ...]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for each in fixtures:
        for channel in range(each.address, each.address + len(each.channels)):
            other = taken.setdefault((each.universe, channel), each.name)
            if other != each.name:
                raise ValueError(f"{each.name}: channel {channel} of universe {each.universe} is {other}'s")
