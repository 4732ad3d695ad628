"""What the person at the party chose: defaults < settings file < command line."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from visualizer.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "coreml")
STAGES = ("auto", "shader", "painter")
# Of the choreographer's choices: 1 is as the dances are that it learned from.
TEMPERATURES = {"faithful": 0.3, "tame": 0.55, "measured": 0.8, "free": 1.0, "bold": 1.3, "wild": 1.6}
AUTO = "auto"  # in place of a style: the one that fits the music
LONGEST_LATENCY = 500  # ms
MOST_SENSITIVE = 4  # steps either way

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """All choices for the live show."""

    window: tuple[int, int] | None = None  # pixels; None: fullscreen
    display: int | str = 0  # its number, or a part of its name
    seed: int | None = None  # None: a new one each time, so no two shows are alike
    style: str | None = None  # None: the seed's choice; "auto": the music's
    dance: str | None = None  # a named dance, which has its style; None: as it comes
    troupe: int = 1  # dancers
    formation: str = "each"
    temperature: float = 1.0
    look: str = "neon"
    auto: bool = True  # looks, styles and dances change by themselves
    sensitivity: float = 0.0  # steps: how lively the dance is to the same music
    pack: str | None = None  # name of a pack that ships or was added, or a path; None: the default one
    seconds: float | None = None  # None: until somebody ends it
    device: str = "auto"  # where the networks run
    audio: str = "auto"  # a song, "mic", "mic:NAME", "loopback", "link", "none", or "auto": the microphone if one works
    bpm: float = 120.0  # own tempo, when nothing is heard
    latency_ms: float = 0.0  # how late the picture is seen, beyond what is measured: the projector's delay
    stage: str = "auto"  # who paints
    stats: bool = False  # print frame times at the end
    fps: float | None = None  # None: the display's own rate; 0: as fast as it goes
    screenshot: str | None = None  # PNG of the last picture
    dev: bool = False  # read looks anew when their files change
    favourite_looks: tuple[str, ...] = ()  # these come more often in auto mode
    favourite_styles: tuple[str, ...] = ()
    favourite_dances: tuple[str, ...] = ()
    never_looks: tuple[str, ...] = ()  # these never come unless asked for by name
    never_styles: tuple[str, ...] = ()
    never_dances: tuple[str, ...] = ()
    remember: bool = True  # whether what keys choose is written into the settings file
    from_file: frozenset[str] = frozenset()  # which of these the settings file decided
    asked: frozenset[str] = frozenset()  # and which the command line


IN_FILE = (
    "window", "display", "style", "dance", "troupe", "formation", "temperature", "look", "auto", "pack", "device",
    "audio", "bpm", "latency_ms", "sensitivity", "stage", "favourite_looks", "favourite_styles", "favourite_dances",
    "never_looks", "never_styles", "never_dances",
)  # fmt: skip
NAMES = tuple(key for key in IN_FILE if key.startswith(("favourite_", "never_")))  # lists of names


def parse_size(text: str) -> tuple[int, int]:
    """'1280x720' -> (1280, 720). UserError if it is anything else or absurd."""
    match = re.fullmatch(r"(\d+)[xX×](\d+)", text.strip())
    if not match:
        raise UserError(f"a size is written like 1280x720, not '{text}'")
    width, height = int(match[1]), int(match[2])
    if not (64 <= width <= 16384 and 64 <= height <= 16384):
        raise UserError(f"a size must lie between 64x64 and 16384x16384, not {text}")
    return width, height


def parse_temperature(text: str | float) -> float:
    """A name of TEMPERATURES, or a number. UserError if it is neither; `check` knows the range."""
    if isinstance(text, str) and text in TEMPERATURES:
        return TEMPERATURES[text]
    try:
        return float(text)
    except ValueError:
        raise UserError(f"a temperature is {_range_of_temperatures()}, not '{text}'") from None


def _range_of_temperatures() -> str:
    least, most = min(TEMPERATURES.values()), max(TEMPERATURES.values())
    return f"{', '.join(TEMPERATURES)} or a number from {least:g} to {most:g}"


def next_temperature(temperature: float, step: int) -> tuple[str, float]:
    """The named temperature that is a step up (1) or down (-1), or the last one there is."""
    ladder = sorted(TEMPERATURES.items(), key=lambda pair: pair[1])
    further = [pair for pair in ladder[::step] if (pair[1] - temperature) * step > 1e-6]
    return further[0] if further else ladder[::step][-1]


def check(settings: Settings) -> Settings:
    """The same settings; UserError if a value makes no sense. Styles and dances are the pack's to check, displays
    the window's."""
    from visualizer.dancer.pack import MOST_DANCERS, SYNCS
    from visualizer.stage.looks import find_look

    find_look(settings.look)
    if settings.device not in DEVICES:
        raise UserError(f"no device is called '{settings.device}'; there are: {', '.join(DEVICES)}")
    if settings.stage not in STAGES:
        raise UserError(f"no stage is called '{settings.stage}'; there are: {', '.join(STAGES)}")
    if not settings.audio:
        from visualizer.music.sources import NO_SONGS

        raise UserError(f"no song is named; {NO_SONGS}")
    if not 30 <= settings.bpm <= 300:
        raise UserError(f"a tempo must lie between 30 and 300 BPM, not {settings.bpm:g}")
    if not -LONGEST_LATENCY <= settings.latency_ms <= LONGEST_LATENCY:
        raise UserError(f"a latency lies within {LONGEST_LATENCY} ms either way, not {settings.latency_ms:g}")
    if not -MOST_SENSITIVE <= settings.sensitivity <= MOST_SENSITIVE:
        raise UserError(f"a sensitivity lies within {MOST_SENSITIVE} steps either way, not {settings.sensitivity:g}")
    if not 1 <= settings.troupe <= MOST_DANCERS:
        raise UserError(f"a troupe has 1 to {MOST_DANCERS} dancers, not {settings.troupe}")
    if settings.formation not in SYNCS:
        raise UserError(f"no formation is called '{settings.formation}'; there are: {', '.join(SYNCS)}")
    if not min(TEMPERATURES.values()) <= settings.temperature <= max(TEMPERATURES.values()):
        raise UserError(f"a temperature is {_range_of_temperatures()}, not {settings.temperature:g}")
    if settings.seconds is not None and not settings.seconds > 0:
        raise UserError(f"the show must last longer than {settings.seconds:g} seconds")
    if settings.seed is not None and not 0 <= settings.seed < 2**63:
        raise UserError(f"a seed must be a whole number from 0 to 2^63 - 1, not {settings.seed}")
    if settings.fps is not None and not settings.fps >= 0:
        raise UserError(f"frames per second cannot be {settings.fps:g}")
    return settings


def settings_file() -> Path:
    """Where the settings file of this user lies, whether or not there is one."""
    return Path(platformdirs.user_config_dir("dancing-screen")) / "settings.toml"


def _from_table(table: dict[str, Any]) -> tuple[Settings, str | None]:
    """Settings and a word about a look that is not there (any more): that is no reason to put the file aside.

    ValueError or UserError if a key is unknown or a value has the wrong type or makes no sense.
    """
    from visualizer.stage.looks import find_look

    kinds: dict[str, type | tuple[type, ...]] = {
        "display": (int, str), "troupe": int, "bpm": (int, float), "latency_ms": (int, float),
        "temperature": (int, float, str), "auto": bool, "sensitivity": (int, float), **dict.fromkeys(NAMES, list),
    }  # fmt: skip
    parsers: dict[str, Callable[[Any], Any]] = {
        "window": parse_size, "temperature": parse_temperature, **dict.fromkeys(NAMES, tuple),
    }  # fmt: skip
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key not in IN_FILE:
            raise ValueError(f"'{key}' is no setting; there are: {', '.join(IN_FILE)}")
        kind = kinds.get(key, str)
        if isinstance(value, bool) != (kind is bool) or not isinstance(value, kind):
            raise ValueError(f"{key} = {value!r} has the wrong type")
        if key in NAMES and not all(isinstance(name, str) for name in value):
            raise ValueError(f"{key} = {value!r} must be a list of names")
        chosen[key] = parsers[key](value) if key in parsers else value
    note = None
    try:
        find_look(chosen.get("look", Settings.look))
    except UserError as error:
        note = f"settings file: {error}; using {Settings.look}"
        del chosen["look"]
    return check(Settings(**chosen, from_file=frozenset(chosen))), note


TOO_DEEP = "lists or tables within one another, too many"  # for whoever reads TOML


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


def merged(settings: Settings, **chosen: Any) -> Settings:
    """`settings` with what was chosen on the command line; None means: not chosen. Checked."""
    chosen = {key: value for key, value in chosen.items() if value is not None}
    asked = settings.asked | set(chosen)
    return check(dataclasses.replace(settings, **chosen, from_file=settings.from_file - asked, asked=asked))


def remember(path: Path, changes: Mapping[str, Any]) -> None:
    """Write `changes` into the settings file; a None takes the line out.

    Whatever else is in the file, comments too, stays as it is. The file is replaced whole, so it is never half written.
    UserError if it cannot be read or written, or is no settings file: then it is left alone.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if unknown := set(changes) - set(IN_FILE):
        raise ValueError(f"no settings: {', '.join(sorted(unknown))}")
    path = path.resolve()  # a link stays a link
    try:
        text = path.read_bytes().decode("utf-8")  # with its own ends of lines
    except FileNotFoundError:
        text = "# What The Dancing Screen begins with. Keys that were pressed in a show are remembered here.\n\n"
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error})") from error
    try:
        table = tomlkit.parse(text)
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
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if value and isinstance(value[0], int) else list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def temperature_name(temperature: float) -> str | float:
    """Its name if it has one."""
    return next((name for name, value in TEMPERATURES.items() if abs(value - temperature) < 1e-6), temperature)


def met(settings: Settings, keys: tuple[str, ...], attempt: Callable[[Settings], T], notes: list[str]) -> T:
    """`attempt(settings)`; where it fails, again without what the settings file says of `keys`, and a word in `notes`.

    A party does not stop for the projector of last week. What was asked for on the command line stays a UserError.
    """
    if not keys:
        return attempt(settings)
    key, others = keys[0], keys[1:]
    try:
        return met(settings, others, attempt, notes)
    except UserError as error:
        if key not in settings.from_file:
            raise
        # One key at a time, so that what was innocent is kept and each that was not is named.
        result = met(dataclasses.replace(settings, **{key: getattr(Settings, key)}), others, attempt, notes)
        notes.append(f"settings file: {error}; using the default")
        return result
