"""What the screen says to who has never run a show: which keys there are, what to do where nothing is heard, what
there is to listen to, and whether the beat is seen when it is heard.

There are no questions at the start. The line of a first show goes away for good with the first key or after half a
minute; see the setting `hint`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from visualizer.choices import Choices
from visualizer.moment import Panel, PanelRow, Text
from visualizer.music.clock import Hearing
from visualizer.music.inputs import Inputs

FIRST_HINT = "H: all keys · I: what it listens to · Space: another dance · Esc twice: end"
SILENCE_HINT = "Nothing is heard. I: choose what to listen to · T: tap the beat"
HINT_SECONDS = 30.0  # that a line stays
SILENT_SECONDS = 10.0  # without any sound, after which that is said
CHECK_SECONDS = 5.0  # that the lamp is compared with the music
FIND_SECONDS = 15.0  # that a beat is waited for before
MOST_ROWS = 9  # as many as there are digits
LISTING = "looking for inputs …"


class Guide:
    """Lines and panels over the picture, by the state of a show that somebody may see for the first time."""

    def __init__(self, inputs: Inputs, choices: Choices, first: bool = False) -> None:
        """`first`: no key was ever pressed in a show on this computer."""
        self.inputs, self._choices = inputs, choices
        self.is_listing = False
        self._first = first
        self._began: float | None = None  # time of the first picture, s
        self._check_begun: float | None = None  # when the sound check was asked for
        self._check_until = -math.inf  # when it is over
        self._has_beat = False  # whether the seconds of the check have begun

    @property
    def is_checking(self) -> bool:
        """Whether the sound check is shown."""
        return self._check_begun is not None

    def note_key(self) -> None:
        """A key was pressed: the keys are known."""
        if self._first:
            self._first = False
            self._choices.note("hint", True, False)

    def toggle_list(self) -> None:
        """Show what there is to listen to, or hide it."""
        self.is_listing = not self.is_listing
        self._check_begun = None
        (self.inputs.start_listing if self.is_listing else self.inputs.stop_listing)()

    def hide(self) -> bool:
        """Hide the list or the check. False where there was none."""
        shown = self.is_listing or self._check_begun is not None
        if self.is_listing:
            self.toggle_list()
        self._check_begun = None
        return shown

    def choose(self, wanted: str, now: float) -> str:
        """Listen to what is `wanted`, see `Inputs.find`, remember it, and check it. Returns it as --audio has it."""
        audio = self.inputs.find(wanted)
        before = self.inputs.audio
        self.is_listing = False
        self.inputs.choose(audio)
        self._choices.note("audio", before, audio)
        self.check(now)
        return audio

    def check(self, now: float) -> None:
        """Show the lamp against the music: five seconds from the first beat that is heard."""
        if self.is_listing:
            self.toggle_list()
        self._check_begun, self._check_until, self._has_beat = now, now + FIND_SECONDS, False

    def note_latency(self, now: float) -> None:
        """The picture was set earlier or later: who compares goes on."""
        if self._check_begun is not None:
            self._check_until = max(self._check_until, now + CHECK_SECONDS)

    def write(self, text: Text, hearing: Hearing, status: str, latency_ms: float, dark: bool) -> Text:
        """`text` with what is to be said besides. `status` is what is heard, in one line; `dark`: the stage was made
        dark, and no line of ours lights it up."""
        now = hearing.time
        self._began = now if self._began is None else self._began
        self._follow_check(now, hearing.confidence > 0)
        panel = self._list() if self.is_listing else self._check(status, latency_ms)
        return replace(text, hint="" if dark or panel else self._find_hint(now), panel=panel)

    def _find_hint(self, now: float) -> str:
        if SILENT_SECONDS <= self.inputs.source.find_silence(now) < SILENT_SECONDS + HINT_SECONDS:
            return SILENCE_HINT
        if self._first and self._began is not None and now - self._began >= HINT_SECONDS:
            self.note_key()  # it was there to be read
        return FIRST_HINT if self._first else ""

    def _follow_check(self, now: float, has_beat: bool) -> None:
        if self._check_begun is not None and has_beat and not self._has_beat:
            self._has_beat, self._check_until = True, now + CHECK_SECONDS
        if now >= self._check_until:
            self._check_begun = None

    def _list(self) -> Panel:
        rows = []
        for number, each in enumerate((self.inputs.found or ())[:MOST_ROWS], 1):
            text = f"{each.name}: {each.trouble}" if each.trouble else each.name
            chosen = self.inputs.audio in (each.audio, "auto" if each.audio == "mic" else None)
            level = 0 if each.level is None else each.level
            rows.append(PanelRow(str(number), text, None if each.trouble or each.audio == "none" else level, chosen))
        foot = ("a number: listen to that · I: back", "Shift+I: sound check") if rows else (LISTING,)
        return Panel("What to listen to", tuple(rows), foot)

    def _check(self, status: str, latency_ms: float) -> Panel | None:
        if self._check_begun is None:
            return None
        if not self._has_beat:
            return Panel(
                "Sound check", (), (status, "waiting for a beat: play some music, or tap it with T"), lamp=True
            )
        late = f"the picture is seen {latency_ms:.0f} ms late"
        foot = (status, "Does the lamp light with the music?", f"too late: O · too early: Shift+O · {late}")
        return Panel("Sound check", (), foot, lamp=True)
