"""The settings file: what the person at the party chose, between the defaults and the command line.

What may stand in it, and what values, says the table of options.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from visualizer.errors import UserError
from visualizer.options import Settings, check, old_names, options_of
from visualizer.screen_setup import ScreenTable

T = TypeVar("T")

FILE_OPTIONS = {name: each for name, each in options_of(Settings).items() if each.in_file}
OLD_NAMES = old_names(Settings)


def settings_file() -> Path:
    """Where the settings file of this user lies, whether or not there is one."""
    return Path(platformdirs.user_config_dir("dancing-screen")) / "settings.toml"


def _from_table(table: dict[str, Any]) -> tuple[Settings, str | None]:
    """Settings and a word about a look that is not there (any more): that is no reason to put the file aside.

    ValueError or UserError if a key is unknown or a value has the wrong type or makes no sense.
    """
    from visualizer.stage.looks import find_look

    chosen: dict[str, Any] = {}
    for key, value in table.items():
        name = OLD_NAMES.get(key, key)
        if name not in FILE_OPTIONS:
            raise ValueError(f"'{key}' is no setting; there are: {', '.join(FILE_OPTIONS)}")
        if name in chosen:
            raise ValueError(f"'{key}' is there twice, under its old and its new name")
        kind = FILE_OPTIONS[name].kind
        if isinstance(value, bool) != (bool in kind.types) or not isinstance(value, kind.types):
            raise ValueError(f"{key} = {value!r} has the wrong type")
        chosen[name] = kind.read(key, value)
    note = None
    try:
        find_look(chosen.get("look", Settings.look))
    except UserError as error:
        note = f"settings file: {error}; using {Settings.look}"
        del chosen["look"]
    return check(Settings(**chosen, from_file=frozenset(chosen))), note


TOO_DEEP = "lists or tables within one another, too many"  # for all readers of TOML


def read_settings(path: Path) -> tuple[Settings, str | None]:
    """Settings from the file, which is left as it is, and a word about it for the screen, if there is one to say.

    OSError or UnicodeDecodeError if it is not there or cannot be read; UserError if it is broken.
    """
    text = path.read_text(encoding="utf-8")
    try:
        return _from_table(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError, UserError) as error:
        raise UserError(f"settings {path} are broken ({error})") from error
    except RecursionError as error:
        raise UserError(f"settings {path} are broken ({TOO_DEEP})") from error


def load_settings(path: Path) -> tuple[Settings, str | None]:
    """Settings from the file and a word about it for the screen, if there is one to say.

    No file: defaults. A broken file is renamed, so that it is kept and the next start is clean; defaults are used.
    """
    try:
        return read_settings(path)
    except FileNotFoundError:
        return Settings(), None
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), f"settings {path} cannot be read ({error}); using defaults"
    except UserError as error:
        broken = str(error)
    aside = path.with_suffix(".broken.toml")
    number = 2
    while aside.exists():
        aside = path.with_suffix(f".broken-{number}.toml")
        number += 1
    try:
        path.rename(aside)
    except OSError as error:
        return Settings(), f"{broken} and cannot be moved ({error}); using defaults"
    return Settings(), f"{broken}; kept as {aside.name}; using defaults"


def remember(path: Path, changes: Mapping[str, Any]) -> None:
    """Write `changes` into the settings file; a None takes the line out.

    Whatever else is in the file, comments too, stays as it is. The file is replaced whole, so it is never half written.
    UserError if it cannot be read or written, or is no settings file: then it is left alone.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    changes = {OLD_NAMES.get(key, key): value for key, value in changes.items()}
    if unknown := set(changes) - set(FILE_OPTIONS):
        raise ValueError(f"no settings: {', '.join(sorted(unknown))}")
    path = path.resolve()  # a link stays a link
    try:
        text = path.read_bytes().decode("utf-8")  # with its own ends of lines
    except FileNotFoundError:
        text = "# What The Dancing Screen begins with. Keys that were pressed in a show are remembered here.\n\n"
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error})") from error
    try:
        text = _renamed(text)
        table = tomlkit.parse(text)
        for old in [old for old, name in OLD_NAMES.items() if old in table and name in changes]:
            del table[old]
        for key, value in changes.items():
            if value is not None:
                table[key] = _plain(value)
            elif key in table:
                del table[key]
        text = tomlkit.dumps(table)
        _from_table(tomllib.loads(text))
    except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, UserError) as error:
        raise UserError(f"{path} is broken ({error})") from error
    except RecursionError as error:
        raise UserError(f"{path} is broken ({TOO_DEEP})") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=".settings-", delete=False
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                if path.exists():
                    shutil.copymode(path, file.name)
                file.close()
                os.replace(file.name, path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror or error})") from error


def _plain(value: Any) -> Any:
    """As it stands in a file that people read: sizes as 1280x720, lists, whole numbers without a point."""
    if isinstance(value, ScreenTable):
        return value.as_toml()
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if value and isinstance(value[0], int) else list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _renamed(text: str) -> str:
    """The text of a settings file with the names that settings have now; comments and order stay."""
    table = tomllib.loads(text)
    for old, name in OLD_NAMES.items():
        if old in table and name not in table:
            renamed = re.sub(rf"^([ \t]*){old}(?=[ \t]*=)", rf"\1{name}", text, count=1, flags=re.MULTILINE)
            value = table.pop(old)
            if tomllib.loads(renamed) == {**table, name: value}:  # else it stood in quotes, or in a text of many lines
                text = renamed
    return text


def with_fallback(settings: Settings, keys: tuple[str, ...], attempt: Callable[[Settings], T], notes: list[str]) -> T:
    """`attempt(settings)`; where it fails, again without what the settings file says of `keys`, and a word in `notes`.

    A party does not stop for the projector of last week. What was asked for on the command line stays a UserError.
    """
    if not keys:
        return attempt(settings)
    key, others = keys[0], keys[1:]
    try:
        return with_fallback(settings, others, attempt, notes)
    except UserError as error:
        if key not in settings.from_file:
            raise
        # One key at a time, so that what was innocent is kept and each that was not is named.
        result = with_fallback(dataclasses.replace(settings, **{key: getattr(Settings, key)}), others, attempt, notes)
        notes.append(f"settings file: {error}; using the default")
        return result
