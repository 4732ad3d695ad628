"""What is to be read over the picture, and when: title, countdown, clock, song, logo and QR code.

No pygame, no files and no clock of its own, as in show.py: a film asks for the same titles at the same seconds. What is
shown changes by a fade to nothing and back; figures of a countdown and of the clock change at once.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from visualizer.errors import UserError
from visualizer.moment import Logo, Titles

LONGEST_TITLE = 300  # characters
MOST_LINES = 6
FADE_SECONDS = 0.4  # from nothing to all of a title
KEPT_FORMATS = "\u200c\u200d"  # that join and part letters and emoji; all others are invisible or turn the writing

Clock = Callable[[], str]


class TitleBoard:
    """What is asked for. `at` says what of it is seen at a time."""

    def __init__(
        self, *, text: str = "", logo: Logo | None = None, qr: str = "", countdown: float | None = None
    ) -> None:
        """`countdown`: seconds, from the first picture on. UserError for a text or address that is too long."""
        self.text, self.logo, self.qr = clean_title(text), logo, check_qr(qr)
        self.song = ""  # what plays, in one line
        self.shows_song = self.shows_clock = False
        self.clock: Clock | None = None  # the time of day, where there is one; a film has none
        self.folder = Path()  # where logos lie that are asked for by name
        self._ends: float | None = None  # of the countdown
        self._left = countdown  # of one that begins with the next picture
        self._shown = Titles()
        self._share, self._last_time = 0.0, -math.inf

    def set_text(self, text: str) -> None:
        """Another title; "": none. UserError if it is too long."""
        self.text = clean_title(text)

    def count_down(self, seconds: float | None) -> None:
        """Count down from the next picture on; None: no longer."""
        self._left, self._ends = seconds, None

    @property
    def counts_down(self) -> bool:
        """Whether a countdown is on."""
        return self._left is not None or self._ends is not None

    def at(self, time: float) -> Titles:
        """What is seen at `time`, seconds on the driver's clock, which does not run backwards."""
        passed = max(time - self._last_time, 0.0) if math.isfinite(self._last_time) else 0.0
        self._last_time = time
        wanted = self.find_wanted(time)
        if _parts(wanted) == _parts(self._shown):
            self._shown, step = wanted, passed
        else:
            step = -passed
        self._share = min(max(self._share + step / FADE_SECONDS, 0.0), 1.0)
        if not self._share and _parts(wanted) != _parts(self._shown):
            self._shown = wanted
        return replace(self._shown, cover=self._share**2 * (3 - 2 * self._share))

    def find_wanted(self, time: float) -> Titles:
        """All that is asked for, without a fade."""
        if self._left is not None:
            self._ends, self._left = time + self._left, None
        counter = ""
        if self._ends is not None:
            left = self._ends - time
            if left > -1:  # zero stays for a second
                counter = format_seconds(left)
            else:
                self._ends = None
        clock = self.clock() if self.shows_clock and self.clock else ""
        song = self.song if self.shows_song else ""
        return Titles(self.text, counter, " · ".join(filter(None, (clock, song))), self.logo, self.qr)


def _parts(titles: Titles) -> tuple[object, ...]:
    """What a fade leads from and to: figures that run are one and the same."""
    runs = "".join("0" if char.isdecimal() else char for char in titles.small)
    return titles.text, bool(titles.counter), runs, titles.logo, titles.qr


def format_seconds(left: float) -> str:
    """Seconds that are left, whole ones begun: 9, 1:05, 2:00:00."""
    seconds = max(math.ceil(left), 0)
    if seconds < 60:
        return str(seconds)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def clean_title(text: str) -> str:
    r"""The lines of a title: those of `text`, in which \n stands for the end of a line too. What cannot be seen, or
    would turn the direction of writing, is left out. UserError if it is too long."""
    if len(text) > LONGEST_TITLE:
        raise UserError(f"a title has up to {LONGEST_TITLE} characters, not {len(text)}")
    lines = [_visible(line) for line in text.replace("\\n", "\n").splitlines()]
    lines = lines if any(lines) else []
    if len(lines) > MOST_LINES:
        raise UserError(f"a title has up to {MOST_LINES} lines, not {len(lines)}")
    return "\n".join(lines)


def _visible(line: str) -> str:
    kept = (c if unicodedata.category(c)[0] != "C" or c in KEPT_FORMATS else " " if c == "\t" else "" for c in line)
    return "".join(kept).strip()


def check_qr(text: str) -> str:
    """The text of a QR code. UserError if it is too long to be read across a room, or cannot be seen."""
    if len(text) > 200:
        raise UserError(f"a QR code that can be read across a room has up to 200 characters, not {len(text)}")
    if not text.isprintable():
        raise UserError("a QR code is an address or a text without control characters")
    return text.strip()
