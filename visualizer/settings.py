"""What the person at the party chose: defaults < settings file < command line."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable
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

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """All choices for the live show."""

    window: tuple[int, int] | None = None  # pixels; None: fullscreen
    display: int = 0
    seed: int | None = None  # None: a new one each time, so no two shows are alike
    style: str | None = None  # None: the seed's choice; "auto": the music's
    dance: str | None = None  # a named dance, which has its style; None: as it comes
    troupe: int = 1  # dancers
    formation: str = "each"
    temperature: float = 1.0
    look: str = "neon"
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
    from_file: frozenset[str] = frozenset()  # which of these the settings file decided


IN_FILE = (
    "window", "display", "style", "dance", "troupe", "formation", "temperature", "look", "pack", "device", "audio",
    "bpm", "latency_ms", "stage",
)  # fmt: skip


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
    from visualizer.dancer.pack import FORMATIONS, MOST_DANCERS
    from visualizer.stage.looks import look

    look(settings.look)
    if settings.device not in DEVICES:
        raise UserError(f"no device is called '{settings.device}'; there are: {', '.join(DEVICES)}")
    if settings.stage not in STAGES:
        raise UserError(f"no stage is called '{settings.stage}'; there are: {', '.join(STAGES)}")
    if not 30 <= settings.bpm <= 300:
        raise UserError(f"a tempo must lie between 30 and 300 BPM, not {settings.bpm:g}")
    if not -LONGEST_LATENCY <= settings.latency_ms <= LONGEST_LATENCY:
        raise UserError(f"a latency lies within {LONGEST_LATENCY} ms either way, not {settings.latency_ms:g}")
    if not 1 <= settings.troupe <= MOST_DANCERS:
        raise UserError(f"a troupe has 1 to {MOST_DANCERS} dancers, not {settings.troupe}")
    if settings.formation not in FORMATIONS:
        raise UserError(f"no formation is called '{settings.formation}'; there are: {', '.join(FORMATIONS)}")
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
    from visualizer.stage.looks import look

    kinds: dict[str, type | tuple[type, ...]] = {
        "display": int, "troupe": int, "bpm": (int, float), "latency_ms": (int, float),
        "temperature": (int, float, str),
    }  # fmt: skip
    parsers: dict[str, Callable[[Any], Any]] = {"window": parse_size, "temperature": parse_temperature}
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key not in IN_FILE:
            raise ValueError(f"'{key}' is no setting; there are: {', '.join(IN_FILE)}")
        if isinstance(value, bool) or not isinstance(value, kinds.get(key, str)):
            raise ValueError(f"{key} = {value!r} has the wrong type")
        chosen[key] = parsers[key](value) if key in parsers else value
    note = None
    try:
        look(chosen.get("look", Settings.look))
    except UserError as error:
        note = f"settings file: {error}; using {Settings.look}"
        del chosen["look"]
    return check(Settings(**chosen, from_file=frozenset(chosen))), note


def load_settings(path: Path) -> tuple[Settings, str | None]:
    """Settings from the file and a word about it for the screen, if there is one to say.

    No file: defaults. A broken file is renamed, so that it is kept and the next start is clean; defaults are used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), None
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), f"settings {path} cannot be read ({error}); using defaults"
    try:
        return _from_table(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError, UserError) as error:
        reason = str(error)
    aside = path.with_suffix(".broken.toml")
    number = 2
    while aside.exists():
        aside = path.with_suffix(f".broken-{number}.toml")
        number += 1
    try:
        path.rename(aside)
    except OSError as error:
        return Settings(), f"settings {path} are broken ({reason}) and cannot be moved ({error}); using defaults"
    return Settings(), f"settings {path} are broken ({reason}); kept as {aside.name}; using defaults"


def merged(settings: Settings, **chosen: Any) -> Settings:
    """`settings` with what was chosen on the command line; None means: not chosen. Checked."""
    chosen = {key: value for key, value in chosen.items() if value is not None}
    return check(dataclasses.replace(settings, **chosen, from_file=settings.from_file - set(chosen)))


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
