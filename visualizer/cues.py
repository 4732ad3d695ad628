"""A list of cues: what a show does one after the other, out of a TOML file.

    loop = false                      # whether the first follows the last

    [[cue]]
    name = "arrival"
    do = ["look neon", "title Welcome"]   # commands, as commands.py has them
    beats = 64                            # or seconds = 30; with neither it stays until it is told
    phrase = true                         # goes on only where a phrase of the music ends

What a cue chooses holds as long as it is on, whatever auto mode would like, and is not remembered for the next show.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer.auto import KINDS, Kind
from visualizer.choices import Choices
from visualizer.commands import COMMANDS, run_command
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.errors import UserError
from visualizer.files import read_at_most
from visualizer.names import bare
from visualizer.remote.inbox import drop_answer

if TYPE_CHECKING:
    from visualizer.show import Show

LARGEST_FILE = 1 << 20  # bytes
MOST_CUES, MOST_COMMANDS = 500, 32
LONGEST_SECONDS, LONGEST_BEATS = 86_400, 100_000
NOT_IN_CUES = ("quit", "help", "next cue", "previous cue", "cue")
WORDS = ("name", "do", "beats", "seconds", "phrase")

Order = tuple[str, str]  # a command and its argument


@dataclass(frozen=True)
class Cue:
    """One step of a list; of `beats` and `seconds` at most one is there."""

    name: str
    orders: tuple[Order, ...]
    beats: float | None = None
    seconds: float | None = None
    phrase: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether it ends by itself."""
        return self.beats is not None or self.seconds is not None or self.phrase


@dataclass(frozen=True)
class CueList:
    """At least one cue, in their order."""

    cues: tuple[Cue, ...]
    loop: bool = False

    def find(self, name: str) -> int:
        """The place of the cue of that name, or number from 1; UserError names those there are."""
        for k, cue in enumerate(self.cues):
            if bare(cue.name) == bare(name):
                return k
        if name.isascii() and name.isdecimal() and 1 <= int(name[:9]) <= len(self.cues):
            return int(name) - 1
        names = ", ".join(cue.name for cue in self.cues[:12])
        raise UserError(f"no cue is called '{name[:40]}'; there are: {names}{' …' if len(self.cues) > 12 else ''}")


# --- out of a file


class _Wrong(ValueError):
    """What is wrong, in which cue (None: before the first) and at which word."""

    def __init__(self, said: str, number: int | None = None, word: str = "") -> None:
        super().__init__(said)
        self.number, self.word = number, word


def load_cues(path: Path) -> CueList:
    """Read a list of cues. UserError names the file, the line and what is wrong there."""
    try:
        text = read_at_most(path, LARGEST_FILE).decode("utf-8")
    except OSError as error:
        raise UserError(f"cues {path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"cues {path}: not a text in UTF-8") from error
    try:
        return _parse(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"cues {path}: no TOML: {error}") from error
    except RecursionError as error:
        raise UserError(f"cues {path}: lists or tables within one another, too many") from error
    except _Wrong as error:
        raise UserError(f"cues {path}, line {_find_line(text, error)}: {error}") from error


def _parse(data: dict[str, Any]) -> CueList:
    for key in data:
        if key not in ("cue", "loop"):
            raise _Wrong(f"'{key}' is not known here; there are loop and [[cue]]", None, key)
    if not isinstance(loop := data.get("loop", False), bool):
        raise _Wrong("loop is true or false", None, "loop")
    tables = data.get("cue")
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        raise _Wrong("there is no [[cue]]")
    if len(tables) > MOST_CUES:
        raise _Wrong(f"{len(tables)} cues; up to {MOST_CUES} are taken")
    cues = tuple(_parse_cue(each, k) for k, each in enumerate(tables))
    seen: dict[str, int] = {}
    for k, cue in enumerate(cues):
        if bare(cue.name) in seen:
            raise _Wrong(f"cue {seen[bare(cue.name)] + 1} is called '{cue.name}' too", k, "name")
        seen[bare(cue.name)] = k
    return CueList(cues, loop)


def _parse_cue(table: dict[str, Any], number: int) -> Cue:
    for key in table:
        if key not in WORDS:
            raise _Wrong(f"a cue has no '{key}'; it knows {', '.join(WORDS)}", number, key)
    name, phrase = table.get("name", f"cue {number + 1}"), table.get("phrase", False)
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 60:
        raise _Wrong("name is a text of up to 60 characters", number, "name")
    if not isinstance(phrase, bool):
        raise _Wrong("phrase is true or false", number, "phrase")
    if "beats" in table and "seconds" in table:
        raise _Wrong("a cue is as long as its beats or its seconds, not both", number, "seconds")
    lengths = {
        key: _read_length(table[key], key, most, number)
        for key, most in (("beats", LONGEST_BEATS), ("seconds", LONGEST_SECONDS))
        if key in table
    }
    return Cue(name.strip(), _read_orders(table.get("do", []), number), phrase=phrase, **lengths)


def _read_length(value: Any, key: str, most: int, number: int) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= most:
        raise _Wrong(f"{key} is a number above 0, up to {most}", number, key)
    return float(value)


def _read_orders(lines: Any, number: int) -> tuple[Order, ...]:
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise _Wrong('do is a list of commands, such as ["look neon", "troupe 3"]', number, "do")
    if len(lines) > MOST_COMMANDS:
        raise _Wrong(f"a cue has up to {MOST_COMMANDS} commands", number, "do")
    orders = []
    for line in lines:
        try:
            orders.append(split_order(line))
        except UserError as error:
            raise _Wrong(str(error), number, line) from error
    return tuple(orders)


def split_order(line: str) -> Order:
    """ "look neon" -> ("look", "neon"). UserError for what is no command, or has too much or too little after it."""
    text = line.strip()
    found = [name for name in COMMANDS if text == name or text.startswith(f"{name} ")]
    if not found:
        raise UserError(f"'{text[:40]}' begins with no command")
    name = max(found, key=len)
    argument, takes = text[len(name) :].strip(), COMMANDS[name].argument
    if name in NOT_IN_CUES:
        raise UserError(f"'{name}' cannot be a part of a cue")
    if argument and not takes:
        raise UserError(f"'{name}' takes nothing more, such as '{argument[:40]}'")
    if takes and not argument and takes[0] != "[":
        raise UserError(f"'{name}' lacks its {takes}")
    if name == "look":
        from visualizer.stage.looks import find_look

        find_look(argument)
    return name, argument


def _find_line(text: str, wrong: _Wrong) -> int:
    """The line of the word in that cue; of the cue's beginning where it stands in none."""
    lines = text.splitlines()
    heads = [k for k, line in enumerate(lines) if re.match(r"\s*\[\[\s*cue\s*\]\]", line)]
    first = 0 if wrong.number is None or wrong.number >= len(heads) else heads[wrong.number]
    last = next((head for head in heads if head > first), len(lines)) if wrong.number is not None else len(lines)
    for k in range(first, last):
        if wrong.word and wrong.word in lines[k] and not lines[k].lstrip().startswith("#"):
            return k + 1
    return min(first + 1, max(len(lines), 1))


# --- in a show


class CuePlayer:
    """Where a show is in its list. `changed` is told the number of each cue that begins."""

    def __init__(self, cues: CueList, start: int = 0, changed: Callable[[int], None] = lambda _: None) -> None:
        self.list, self._changed = cues, changed
        self.names = tuple(cue.name for cue in cues.cues)  # of all, in their order
        self.number: int | None = None  # None: before the first picture
        self._wanted: int | None = min(max(start, 0), len(cues.cues) - 1)
        self._began = (0.0, 0.0)  # beats as counted, seconds
        self._pinned: set[Kind] = set()

    @property
    def now(self) -> Cue | None:
        """The cue that is on."""
        return None if self.number is None else self.list.cues[self.number]

    def go(self, number: int) -> None:
        """Begin the cue of that number with the next picture. UserError if there is none."""
        if not 0 <= number < len(self.list.cues) and not self.list.loop:
            raise UserError("that was the last cue" if number > 0 else "that was the first cue")
        self._wanted = number % len(self.list.cues)

    def step(self, steps: int) -> None:
        """So many cues on, or back."""
        before = self._wanted if self._wanted is not None else self.number
        self.go((before or 0) + steps)

    def find_next(self, phrases: float, time: float) -> int | None:
        """The cue that begins now; None: what is on stays on. Counted beats and seconds of the picture."""
        if self._wanted is not None:
            return self._wanted
        cue, number = self.now, self.number
        if cue is None or number is None or not cue.goes_on:
            return None
        beats, seconds = phrases - self._began[0], time - self._began[1]
        if cue.beats is not None and beats < cue.beats - 1e-6:
            return None
        if cue.seconds is not None and seconds < cue.seconds - 1e-9:
            return None
        if cue.phrase and not self._phrase_ended(cue, phrases):
            return None
        if number + 1 < len(self.list.cues):
            return number + 1
        return 0 if self.list.loop else None

    def _phrase_ended(self, cue: Cue, phrases: float) -> bool:
        """Whether a phrase has ended since the cue had lasted as long as it should. Its own beginning is no end."""
        due = self._began[0] + (cue.beats or 0.0)
        if cue.seconds is not None:  # whichever phrase ends after them
            return phrases % PHRASE_BEATS < 0.5 and phrases - self._began[0] >= 1
        end = math.ceil((due - 0.25) / PHRASE_BEATS) * PHRASE_BEATS
        return phrases >= (end if end > self._began[0] + 0.5 else end + PHRASE_BEATS)

    def follow(self, show: Show, phrases: float, time: float) -> None:
        """Begin the next cue if it is time: `phrases`, beats of the music as counted, and `time` s of the picture."""
        number = self.find_next(phrases, time)
        if number is None:
            return
        self.number, self._wanted, self._began = number, None, (phrases, time)
        cue = self.list.cues[number]
        show.auto.pinned.difference_update(self._pinned)
        self._pinned = set()
        choices, show.choices = show.choices, Choices()
        try:
            for name, argument in cue.orders:
                run_command(show, name, time, argument, drop_answer)  # as from afar: no list turns a camera on
        finally:
            show.choices = choices
        chosen: set[Kind] = {kind for kind in KINDS if kind in _words(cue.orders)}
        if "dance" in chosen:
            chosen.add("style")  # another would end the dance
        self._pinned = chosen - show.auto.pinned
        show.auto.pinned.update(self._pinned)
        show.reply(f"cue: {cue.name} ({number + 1} of {len(self.list.cues)})", "cue")
        self._changed(number)


def _words(orders: Sequence[Order]) -> set[str]:
    """What the commands of a cue are about: their last words."""
    return {name.split()[-1].removesuffix("s") for name, _ in orders}
