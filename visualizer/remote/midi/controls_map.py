"""Which control of which MIDI device is which command: a small TOML file, one table for each device.

["Launchkey Mini MK3"]
"cc 1 21" = "temperature"      # channel 1, controller 21: a knob
"note 1 36" = "look neon"      # a pad
"program 1 4" = "style house"
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from visualizer.errors import UserError
from visualizer.files import read_at_most, write_whole
from visualizer.remote.controls import REMOTE_COMMANDS
from visualizer.settings import settings_file

LARGEST = 1 << 18  # bytes of the file
_CONTROL = re.compile(r"(cc|note|program) (\d{1,2}) (\d{1,3})", re.ASCII)


@dataclass(frozen=True)
class Control:
    """One knob, pad or key, or one program. Channels are 1 to 16, numbers 0 to 127."""

    kind: str  # cc, note or program
    channel: int
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {self.number}"


@dataclass(frozen=True)
class Action:
    """A command and what it is given; without an argument a knob gives it."""

    command: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.command} {self.argument}".strip()


Maps = dict[str, dict[Control, Action]]  # by device


def map_file() -> Path:
    """Where what was learned is kept: beside the settings."""
    return settings_file().with_name("midi.toml")


def clean_name(port: str) -> str:
    """The name of a device without the numbers that its port has today."""
    return re.sub(r"( \d+:\d+| \d+)$", "", port).strip() or port


def read_control(text: str) -> Control:
    """ "cc 1 21" as a control. UserError for anything else."""
    found = _CONTROL.fullmatch(text)
    if not found or not (1 <= int(found[2]) <= 16 and int(found[3]) <= 127):
        raise UserError(f'\'{text[:40]}\' is no control: write it as "cc 1 21", "note 1 36" or "program 1 4"')
    return Control(found[1], int(found[2]), int(found[3]))


def read_action(text: str) -> Action:
    """ "look neon" as a command and its argument. UserError where no command is called so."""
    for name in sorted(REMOTE_COMMANDS, key=len, reverse=True):
        if text == name or text.startswith(f"{name} "):
            return Action(name, text[len(name) :].strip())
    raise UserError(f"no command is called '{text[:40]}'")


def load_maps(path: Path) -> Maps:
    """What the file says; nothing where there is none. UserError with its name for what is wrong in it."""
    try:
        data = tomllib.loads(read_at_most(path, LARGEST).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    maps: Maps = {}
    for device, table in data.items():
        if not isinstance(table, dict):
            raise UserError(f'{path}: {device}: a table for each device is wanted, as ["My device"]')
        try:
            maps[device] = {read_control(key): read_action(_text(value)) for key, value in table.items()}
        except UserError as error:
            raise UserError(f"{path}: {device}: {error}") from None
    return maps


def save_control(path: Path, device: str, control: Control, action: Action) -> None:
    """Write one control into the file and leave all else in it as it is. OSError where that cannot be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = read_at_most(path, LARGEST).decode() if path.exists() else ""
    document = tomlkit.parse(text)
    table: Any = document.setdefault(device, tomlkit.table())
    table[str(control)] = str(action)
    with write_whole(path) as part:
        part.write_text(tomlkit.dumps(document), encoding="utf-8")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UserError(f"{value!r} must be the name of a command, in quotes")
    return value
