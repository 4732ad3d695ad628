"""Kinds of values that an option can have: how each is read from text or TOML, checked, and described.

Each kind says in words what it takes, for help, messages and the documentation, so that none of them can disagree.
Nothing heavy is imported here: the command line reads this before anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from visualizer.errors import UserError

if TYPE_CHECKING:
    from fractions import Fraction

# Of the choreographer's choices: 1 is as the dances are that it learned from.
TEMPERATURES = {"faithful": 0.3, "tame": 0.55, "measured": 0.8, "free": 1.0, "bold": 1.3, "wild": 1.6}
FINEST_RATE = 100_000  # denominator of a frame rate; FFmpeg's rationals and the time base of an MP4 have 31 bits


class Kind(Protocol):
    """What values an option takes. `name` is the option's, for messages; UserError for a value that does not fit."""

    @property
    def metavar(self) -> str | None: ...  # for --help
    @property
    def span(self) -> str: ...  # what may be given, in words
    @property
    def types(self) -> tuple[type, ...]: ...  # of the values in a TOML file
    def read(self, name: str, given: Any) -> Any: ...  # from text, or a value of one of `types`
    def check(self, name: str, value: Any) -> Any: ...  # the value as it is used from here on


@dataclass(frozen=True)
class Number:
    """A number from `least` to `most`, both included."""

    least: float
    most: float
    unit: str = ""
    metavar: str = "N"
    whole: bool = False

    @property
    def span(self) -> str:
        return f"{_plain(self.least)} to {_plain(self.most)}{f' {self.unit}' if self.unit else ''}"

    @property
    def types(self) -> tuple[type, ...]:
        return (int,) if self.whole else (int, float)

    def read(self, name: str, given: Any) -> float:
        try:
            return int(given) if self.whole else float(given)
        except (ValueError, OverflowError):
            raise self._wrong(name, given) from None

    def check(self, name: str, value: float) -> float:
        if not self.least <= value <= self.most:  # so that NaN is refused
            raise self._wrong(name, _plain(value))
        return value

    def _wrong(self, name: str, given: object) -> UserError:
        return UserError(f"{name} {_short(given)}: must be a{' whole' if self.whole else ''} number from {self.span}")


@dataclass(frozen=True)
class Duration:
    """Seconds, also as minutes:seconds or hours:minutes:seconds."""

    least: float
    most: float
    metavar = "TIME"
    types = (int, float, str)

    @property
    def span(self) -> str:
        return f"{_plain(self.least)} to {_plain(self.most)} seconds, such as 75, 1:15 or 1:02:30"

    def read(self, name: str, given: Any) -> float:
        clock = re.fullmatch(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)", str(given).strip(), re.ASCII)
        if clock is None:
            try:
                return float(given)
            except (ValueError, OverflowError):
                raise self._wrong(name, given) from None
        hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), float(clock[3])
        if seconds >= 60 or (clock[1] and minutes >= 60):
            raise self._wrong(name, given)
        return 3600 * hours + 60 * minutes + seconds

    def check(self, name: str, value: float) -> float:
        if not self.least <= value <= self.most:
            raise self._wrong(name, _plain(value))
        return value

    def _wrong(self, name: str, given: object) -> UserError:
        return UserError(f"{name} {_short(given)}: must be from {self.span}")


@dataclass(frozen=True)
class Rate:
    """Frames a second as an exact fraction; 29.97 and its kin are n * 1000/1001, as television has them."""

    least: int
    most: int
    metavar = "RATE"
    types = (int, float, str)

    @property
    def span(self) -> str:
        return f"{self.least} to {self.most} frames a second, such as 30, 29.97 or 24000/1001"

    def read(self, name: str, given: Any) -> Fraction:
        from fractions import Fraction

        text = str(given).strip()
        # Bounded before Fraction sees it: it would reckon 1e999999999 out.
        if not re.fullmatch(r"\d{1,6}(\.\d{1,9})?|\d{1,9}/0*[1-9]\d{0,8}", text, re.ASCII):
            raise self._wrong(name, given)
        return _television(text) or Fraction(text).limit_denominator(FINEST_RATE)

    def check(self, name: str, value: Any) -> Fraction:
        from fractions import Fraction

        if not self.least <= value <= self.most:
            raise self._wrong(name, value)
        return Fraction(value)

    def _wrong(self, name: str, given: object) -> UserError:
        return UserError(f"{name} {_short(given)}: must be from {self.span}")


def _television(text: str) -> Fraction | None:
    """The rate n * 1000/1001 that a decimal such as 23.976, 23.98 or 59.94 stands for; None if it does for none."""
    from fractions import Fraction

    whole, _, decimals = text.partition(".")
    if len(decimals) < 2 or not int(decimals):
        return None
    nominal = int(whole) + 1
    if nominal % 12 and nominal % 15:  # 25 and its kin have no such slower brother
        return None
    exact = Fraction(nominal * 1000, 1001)
    return exact if abs(exact - Fraction(text)) <= Fraction(1, 2 * 10 ** len(decimals)) else None


@dataclass(frozen=True)
class Size:
    """Width and height in pixels. Whichever is larger, `most` is meant either way up."""

    least: tuple[int, int]
    most: tuple[int, int]
    metavar = "WxH"
    types = (str,)

    @property
    def span(self) -> str:
        return f"{'x'.join(map(str, self.least))} to {'x'.join(map(str, self.most))} pixels"

    def read(self, name: str, given: Any) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,9})[xX×](\d{1,9})", str(given).strip(), re.ASCII)
        if not found:
            raise UserError(f"{name} '{_short(given)}': a size is written like 1280x720")
        return int(found[1]), int(found[2])

    def check(self, name: str, value: tuple[int, int]) -> tuple[int, int]:
        fits = min(self.least) <= min(value) <= min(self.most) and max(value) <= max(self.most)
        if not fits:
            raise UserError(f"{name} {'x'.join(map(str, value))}: must be from {self.span}")
        return value


ANY_SIZE = Size((64, 64), (16384, 16384))


def parse_size(text: str) -> tuple[int, int]:
    """'1280x720' -> (1280, 720). UserError if it is anything else or absurd."""
    return ANY_SIZE.check("size", ANY_SIZE.read("size", text))


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    names: tuple[str, ...]
    metavar = "NAME"
    types = (str,)

    @property
    def span(self) -> str:
        return f"{', '.join(self.names[:-1])} or {self.names[-1]}"

    def read(self, name: str, given: Any) -> str:
        return str(given).strip().lower()

    def check(self, name: str, value: str) -> str:
        if value not in self.names:
            raise UserError(f"no {name} is called '{value}'; there are: {', '.join(self.names)}")
        return value


class LookName:
    """The name or title of a look."""

    metavar = "NAME"
    span = "a look's name or title"
    types = (str,)

    def read(self, name: str, given: Any) -> str:
        return str(given)

    def check(self, name: str, value: str) -> str:
        from visualizer.stage.looks import find_look

        return find_look(value).name


class Temperature:
    """A name of TEMPERATURES, or a number from the first of them to the last."""

    metavar = "T"
    types = (int, float, str)
    least = min(TEMPERATURES.values())
    most = max(TEMPERATURES.values())

    @property
    def span(self) -> str:
        return f"{', '.join(TEMPERATURES)} or a number from {self.least:g} to {self.most:g}"

    def read(self, name: str, given: Any) -> float:
        word = str(given).strip().lower()
        if word in TEMPERATURES:
            return TEMPERATURES[word]
        try:
            return float(given)
        except (ValueError, OverflowError):
            raise UserError(f"{name} is {self.span}, not '{_short(given)}'") from None

    def check(self, name: str, value: float) -> float:
        if not self.least <= value <= self.most:
            raise UserError(f"{name} is {self.span}, not {value:g}")
        return value


@dataclass(frozen=True)
class Text:
    """Any text; what it may be is known where it is used. `empty`: what to say of none."""

    span: str
    metavar: str = "NAME"
    empty: str = ""
    types: tuple[type, ...] = (str,)

    def read(self, name: str, given: Any) -> Any:
        return given

    def check(self, name: str, value: Any) -> Any:
        if self.empty and not str(value).strip():
            raise UserError(self.empty)
        return value


@dataclass(frozen=True)
class Endpoint:
    """A port, or HOST:PORT; of a port alone the host is `host`. An IPv6 address stands in brackets."""

    host: str
    metavar = "[HOST:]PORT"
    types = (int, str)

    @property
    def span(self) -> str:
        return f"a port, on {self.host}, or HOST:PORT"

    def read(self, name: str, given: Any) -> str:
        return str(given).strip()

    def check(self, name: str, value: str) -> str:
        split_endpoint(name, value, self.host)
        return value


def split_endpoint(name: str, text: str, host: str) -> tuple[str, int]:
    """ "1.2.3.4:9000" -> ("1.2.3.4", 9000); of "9000" alone the host is `host`. UserError for anything else."""
    found = re.fullmatch(r"(?:(\[[0-9a-fA-F:.%]{2,60}\]|[A-Za-z0-9.-]{1,253}):)?(\d{1,5})", text, re.ASCII)
    if not found or not 1 <= int(found[2]) <= 65535:
        raise UserError(f"{name} '{_short(text)}': must be a port from 1 to 65535, or HOST:PORT")
    return (found[1] or host).strip("[]"), int(found[2])


class Flag:
    """Yes or no."""

    metavar = None
    span = "true or false"
    types = (bool,)

    def read(self, name: str, given: Any) -> bool:
        return bool(given)

    def check(self, name: str, value: bool) -> bool:
        return value


class Opposite(Flag):
    """Yes or no, of which the command line can only say no."""

    def read(self, name: str, given: Any) -> bool:
        return not given


class Names:
    """A list of names. In the settings file only."""

    metavar = None
    span = "a list of names"
    types = (list,)

    def read(self, name: str, given: Any) -> tuple[str, ...]:
        if not all(isinstance(each, str) for each in given):
            raise UserError(f"{name} = {given!r} must be a list of names")
        return tuple(given)

    def check(self, name: str, value: tuple[str, ...]) -> tuple[str, ...]:
        return value


def _short(given: object) -> str:
    text = str(given)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def next_temperature(temperature: float, step: int) -> tuple[str, float]:
    """The named temperature that is a step up (1) or down (-1), or the last one there is."""
    ladder = sorted(TEMPERATURES.items(), key=lambda pair: pair[1])
    further = [pair for pair in ladder[::step] if (pair[1] - temperature) * step > 1e-6]
    return further[0] if further else ladder[::step][-1]


def temperature_name(temperature: float) -> str | float:
    """Its name if it has one."""
    return next((name for name, value in TEMPERATURES.items() if abs(value - temperature) < 1e-6), temperature)
