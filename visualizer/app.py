"""The loop of the live show: events, hear, step, decode, draw. It owns nothing else.

The ear hears on its own thread and hands over one immutable `Hearing`; all here runs on the main thread.
"""

from __future__ import annotations

import gc
import logging
import math
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import pygame

from visualizer.auto import AS_IT_COMES, EARLY, KINDS, Auto, Dancing, Kind, Marks, pins, turn
from visualizer.controls import action_of
from visualizer.dancer.pack import SYNCS
from visualizer.errors import UserError
from visualizer.music.clock import BEATS_PER_BAR
from visualizer.music.energy import RESTING
from visualizer.music.taste import Stylist
from visualizer.settings import (
    AUTO,
    LONGEST_LATENCY,
    MOST_SENSITIVE,
    Settings,
    met,
    next_temperature,
    remember,
    settings_file,
    temperature_name,
)
from visualizer.stage.governor import LEAST, Governor
from visualizer.stage.looks import shipped_looks, find_look
from visualizer.stage.looks.live import Reloader, current
from visualizer.stage.overlay import Overlay
from visualizer.stop import Stop, Stopped, asked_to_stop
from visualizer.support.log import aside
from visualizer.support.memory import one_heap

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.music.clock import Hearing
    from visualizer.music.sources import Ear
    from visualizer.recorder import Takes
    from visualizer.stage.displays import Display
    from visualizer.stage.looks import Look

log = logging.getLogger("visualizer")

NUDGE = 0.01  # seconds that the dance is moved by one key
MINUTE = 60.0  # seconds of frame times that are one line in the log
STATUS = 0.25  # seconds between two looks at what the ear hears, for the lines below the help
SURE = 2.0  # seconds within which a second Esc ends the show
FADE = 0.5  # seconds that a blackout takes
SUSPECT = 10.0  # seconds before a crash
DISPLAYS = 0.5  # seconds between two looks at which displays there are
LATENCY_STEP = 10.0  # ms


class Body(Dancing, Protocol):
    """What the loop asks of a dancer."""

    temperature: float

    @property
    def view(self) -> float: ...
    @view.setter
    def view(self, view: float) -> None: ...

    @property
    def danced(self) -> tuple[str | None, ...]: ...
    @property
    def troupe(self) -> int: ...
    @property
    def sync(self) -> str: ...
    def step_to(self, musical_time: float, energy: float) -> None: ...
    def picture(self, musical_time: float) -> Bodies: ...
    def reseed(self, seed: int) -> None: ...
    def set_troupe(self, troupe: int) -> None: ...
    def set_sync(self, sync: str) -> None: ...
    def set_never(self, dances: tuple[str, ...]) -> None: ...
    def set_held(self, held: bool) -> None: ...
    def toasts(self) -> list[str]: ...


class Screen(Protocol):
    """What the loop asks of a window."""

    fullscreen: bool
    gpu: bool
    display: Display
    displays: tuple[Display, ...]

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def windowed(self) -> tuple[int, int]: ...
    def draw(
        self,
        picture: Bodies,
        look: Look,
        hearing: Hearing,
        musical_time: float,
        writing: pygame.Surface | None,
        changed: bool,
    ) -> None: ...
    def toggle_fullscreen(self) -> None: ...
    def follow_size(self) -> bool: ...
    def toasts(self) -> list[str]: ...
    def set_detail(self, detail: int) -> None: ...
    def next_display(self) -> bool: ...
    def dragged_to(self, number: int) -> None: ...
    def follow_displays(self) -> str | None: ...
    def pointer_moved(self, now: float) -> None: ...
    def rest_pointer(self, now: float) -> None: ...


@dataclass
class FrameTimes:
    """Seconds from flip to flip, and seconds of work in them."""

    intervals: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def add(self, interval: float, work: float) -> None:
        """One more frame, s."""
        self.intervals.append(interval)
        self.work.append(work)

    def report(self) -> str:
        """One line with frames a second and the spread of frame times."""
        if len(self.intervals) < 2:
            return "stats: too few frames to tell"
        ordered = sorted(self.intervals)
        ms = [
            1000 * ordered[min(math.ceil(share * len(ordered)) - 1, len(ordered) - 1)] for share in (0.5, 0.95, 0.99, 1)
        ]
        total = sum(self.intervals)
        return (
            f"stats: {len(ordered)} frames in {total:.2f} s, {len(ordered) / total:.1f} fps; frame ms: "
            f"median {ms[0]:.2f}, 95% {ms[1]:.2f}, 99% {ms[2]:.2f}, worst {ms[3]:.2f}; work ms: "
            f"median {1000 * statistics.median(self.work):.2f}"
        )


class Show:
    """One evening: a dancer, an ear and a window, and what the keys do to them."""

    def __init__(
        self,
        dancer: Body,
        ear: Ear,
        window: Screen,
        styles: tuple[str, ...],
        look_name: str,
        seeds: random.Random,
        lead: float = 1 / 60,
        by_music: bool = False,
        *,
        takes: Takes,
        auto: Auto | None = None,
        marks: Marks | None = None,
        latency_ms: float = 0.0,
        sensitivity: float = 0.0,
        governor: Governor | None = None,
    ) -> None:
        """`seeds` deals the seeds of later dances; `lead` is how long, in s, a picture takes to reach the screen, and
        `latency_ms` how much longer until it is seen. `by_music`: the music chooses the style. `auto` None: off.
        `governor`: scales effects down where frames take too long.
        """
        self.dancer, self.ear, self.window = dancer, ear, window
        self.styles = styles
        self.look = find_look(look_name)
        self.overlay = Overlay(window.size)
        self.running = True
        self.locked = False
        self.takes = takes
        self.auto = auto or Auto(random.Random(0), on=False)
        self.marks = marks or Marks()
        self.stylist = Stylist(styles) if by_music else None
        self.latency_ms, self.sensitivity = latency_ms, sensitivity
        self.governor = governor
        self.reloader: Reloader | None = None  # of looks that are edited while they are shown
        self._seeds = seeds
        self._own_lead = lead
        self._asked = dancer.dance  # the dance that a person asked for last
        self._banned: tuple[Kind, str] | None = None  # last
        self._began: dict[str, Any] = {}  # what keys have changed, as it was before
        self._chosen: dict[str, Any] = {}  # and as they left it
        self._chosen_at: dict[str, float] = {}  # and when
        self._acted = -math.inf  # when the last key was
        self._nudged = 0.0  # seconds
        self._dark, self._fade = False, 0.0  # whether it shall be dark, and how far that is
        self._last_frame = self._escaped = -math.inf
        self._status_due = self._displays_due = -math.inf
        self._frames = self._led = 0  # pictures; those of them on a beat that was heard
        self._bpm = 0.0  # danced last
        self._heed_marks()

    @property
    def lead(self) -> float:
        """Seconds from now until what is drawn now is seen."""
        return self._own_lead + self.latency_ms / 1000

    def say(self, text: str, now: float, topic: str = "") -> None:
        """A toast on the screen, in place of the last of its topic if it has one, and a line in the log."""
        log.info("toast: %s", text)
        self.overlay.toast(text, now, topic)

    def mention(self, text: str, now: float, topic: str = "") -> None:
        """As `say`, of what comes by itself: it does not light up a stage that was made dark."""
        if self._dark:
            log.info("toast, in the dark: %s", text)
        else:
            self.say(text, now, topic)

    def act(self, action: str, now: float) -> None:
        """Do what a key asks for; `action` is one of controls.ACTIONS."""
        self._acted = now
        match action:
            case "quit":
                self._escape(now)
            case "reseed":
                seed = self._seeds.getrandbits(32)
                self.dancer.reseed(seed)
                self.say(f"a new dance, seed {seed}", now)
            case "next style" | "previous style":
                self._change_style(1 if action == "next style" else -1, now)
            case "next dance" | "previous dance":
                self._change_dance(1 if action == "next dance" else -1, now)
            case "next look" | "previous look":
                self._change_look(1 if action == "next look" else -1, now)
            case "tamer" | "wilder":
                before = temperature_name(self.dancer.temperature)
                name, self.dancer.temperature = next_temperature(
                    self.dancer.temperature, 1 if action == "wilder" else -1
                )
                self._chose("temperature", before, name)
                self.say(f"temperature: {name}", now)
            case "formation":
                before = self.dancer.sync
                self.dancer.set_sync(SYNCS[(SYNCS.index(before) + 1) % len(SYNCS)])
                self._chose("formation", before, self.dancer.sync)
                alone = "; it takes more than one dancer" if self.dancer.troupe == 1 else ""
                self.say(f"formation: {self.dancer.sync}{alone}", now)
            case "tap tempo" | "half tempo" | "double tempo" | "earlier" | "later" | "trust the ear":
                self._change_time(action, now)
            case "more latency" | "less latency":
                self._change_latency(LATENCY_STEP if action == "more latency" else -LATENCY_STEP, now)
            case "more sensitive" | "less sensitive":
                self._change_sensitivity(1 if action == "more sensitive" else -1, now)
            case "fullscreen" | "next display":
                self._change_window(action, now)
            case "blackout":
                self._dark = not self._dark
                self.say("black: B brings the picture back" if self._dark else "the picture is back", now, "black")
            case "picture":
                self.takes.picture()
            case "record":
                self.say(self.takes.record(now + self.lead, self.window.size, self.ear.sounds), now, "record")
            case "auto":
                self._chose("auto", self.auto.on, not self.auto.on)
                self.auto.on = not self.auto.on
                self.say("auto: changes by itself" if self.auto.on else "auto: off", now, "auto")
            case "lock":
                self.locked = not self.locked
                self.dancer.set_held(self.locked)
                self.say("locked: nothing changes by itself" if self.locked else "unlocked", now, "lock")
            case "favourite":
                self._like(now)
            case "never look" | "never dance" | "never style":
                self._ban(action, now)
            case "take back":
                self._take_back(now)
            case "help":
                self.overlay.help = not self.overlay.help
                log.info("help: %s", "shown" if self.overlay.help else "hidden")
            case _ if action.startswith("troupe "):
                before = self.dancer.troupe
                self.dancer.set_troupe(int(action.removeprefix("troupe ")))
                self._chose("troupe", before, self.dancer.troupe)
                self.say("one dancer" if self.dancer.troupe == 1 else f"{self.dancer.troupe} dancers", now)
            case _:
                raise ValueError(f"nothing is known of the action '{action}'")

    def report(self) -> str:
        """One line on what was danced to."""
        if not self._frames:
            return "stats: nothing was danced"
        led = f"on a beat that was heard in {self._led / self._frames:.0%} of frames"
        return f"stats: ear: {self.ear.name}, {led}, {self._bpm:.0f} BPM at the end"

    def worked(self, seconds: float, now: float) -> None:
        """A picture took `seconds` of work."""
        if self.governor is None or self.window.gpu:  # a GPU has time for all
            return
        before = self.governor.detail
        if (detail := self.governor.frame(now, seconds)) is None:
            return
        self.window.set_detail(detail)
        what = "effects reduced to keep the picture smooth" if detail > before else "effects are back"
        self.mention(f"{what} ({LEAST - detail} of {LEAST})", now, "detail")

    def changes(self, until: float = math.inf) -> dict[str, Any]:
        """What keys have changed for good, by the settings' names; None takes a line out of the file.

        `until`: what was changed after that is left out.
        """
        changes = {
            key: value
            for key, value in self._chosen.items()
            if value != self._began[key] and self._chosen_at[key] <= until
        }
        if "style" in changes:
            changes["dance"] = None  # one in the file may be of another style
        return changes

    def _chose(self, key: str, before: Any, after: Any) -> None:
        """A key has changed a setting."""
        self._began.setdefault(key, before)
        self._chosen[key], self._chosen_at[key] = after, self._acted

    def _escape(self, now: float) -> None:
        """Esc closes the help; else the show, if it is meant: a sleeve on a keyboard ends no party."""
        if self.overlay.help:
            self.act("help", now)
        elif now - self._escaped <= SURE:
            self.running = False
        else:
            self._escaped = now
            self.say(f"Esc again ends the show{' and the recording' if self.takes.recording else ''}", now, "escape")

    # --- what is danced, and how it looks

    @property
    def _style(self) -> str:
        """What is chosen, as the settings have it."""
        return AUTO if self.stylist else self.dancer.style

    def _following(self, kind: Kind, names: tuple[str, ...], now: str, step: int) -> str:
        """The next of `names` in their order, or the one before; those that nobody wants to see are passed over."""
        place, never = names.index(now), self.marks.never[kind]
        around = (names[(place + step * k) % len(names)] for k in range(1, len(names)))
        return next((name for name in around if name not in never), now)

    def _change_look(self, step: int, now: float) -> None:
        before = self.look.name
        self.look = find_look(self._following("look", tuple(each.name for each in shipped_looks()), before, step))
        self._chose("look", before, self.look.name)
        self.auto.hold("look")
        self.say(f"look: {self.look.title}", now)

    def _change_style(self, step: int, now: float) -> None:
        """On to the next style, or back; between the last and the first, the one that fits the music."""
        before = self._style
        style = self._following("style", (*self.styles, AUTO), before, step)
        self._chose("style", before, style)
        self.auto.hold("style")
        self.auto.stay("dance")
        self.stylist = Stylist(self.styles) if style == AUTO else None
        if self.stylist is None:
            self.dancer.set_style(style)
            self.say(f"style: {style}", now)
        else:
            self._heed_marks()
            self.say(f"style: {self.stylist.note or 'by the music'}", now)

    def _change_dance(self, step: int, now: float) -> None:
        """On to the next dance of the style, or back; between the last and the first, as it comes."""
        choices = (*self.dancer.dances, AS_IT_COMES)
        if len(choices) == 1:
            self.say(f"{self.dancer.style} has no named dances: improvised", now)
            return
        dance = self._following("dance", choices, self.dancer.dance or AS_IT_COMES, step)
        self._asked = dance or None
        self.dancer.set_dance(self._asked)
        for kind in ("dance", "style"):  # another style would end the dance
            self.auto.hold(kind)
        self.say(f"dance: {dance or 'as it comes'}", now)

    def _change_by_itself(self, musical_time: float, hearing: Hearing, now: float) -> None:
        """What the music and auto mode want, where a phrase ends; both are always asked, so that they know where."""
        asked = self.dancer.dance is not None and self.dancer.dance == self._asked  # it keeps its style
        mix = () if self.locked or asked else hearing.mix
        if self.stylist and (choice := self.stylist.choose(self.dancer.style, musical_time + EARLY, mix)):
            self.dancer.set_style(choice.style)
            self.auto.stay("style")
            self.auto.stay("dance")
            self.mention(f"style: {choice.style} ({choice.why})", now)
        for kind in self.auto.turns(musical_time):
            if not self.locked:
                self._turn(kind, mix)

    def avoid(self, asked: frozenset[str]) -> None:
        """Begin with something else than what nobody wants to see, but for what was `asked` for by name."""
        on: dict[Kind, str] = {"look": self.look.name, "style": self.dancer.style}
        for kind, name in on.items():
            if name in self.marks.never[kind] and kind not in asked and self.dancer.dance is None:
                self._turn(kind)

    def _turn(self, kind: Kind, mix: tuple[tuple[str, float], ...] = ()) -> None:
        """Another look, style or dance out of auto mode's deck, if there is one."""
        chosen = turn(self.auto, kind, self.dancer, self.look.name, self.styles, self.marks, self.stylist, mix)
        if chosen is None:
            return
        if kind == "look":
            self.look = find_look(chosen)
        log.info("auto: %s %s", kind, chosen or "as it comes")

    # --- what people like, and what they do not

    def _danced(self) -> str | None:
        """The dance that is on now, asked for or as it comes; None: improvised."""
        return self.dancer.dance or self.dancer.danced[0]

    def _like(self, now: float) -> None:
        on: dict[Kind, str] = {"look": self.look.name, "style": self.dancer.style}
        if dance := self._danced():
            on["dance"] = dance
        before = self._all_marks()
        text = "comes more often" if self.marks.like(on) else "comes as often as others"
        self._banned = None
        self._note_marks(before)
        self.say(f"{', '.join(on.values())}: {text}", now, "marks")

    def _ban(self, action: str, now: float) -> None:
        """Never again what is on, and something else in its place."""
        kind: Kind = "look" if action == "never look" else "dance" if action == "never dance" else "style"
        now_on = {"look": self.look.name, "style": self.dancer.style, "dance": self._danced()}[kind]
        if now_on is None:
            self.say("no named dance is on: improvised", now, "marks")
            return
        looks = tuple(each.name for each in shipped_looks())
        names = {"look": looks, "style": self.styles, "dance": (*self.dancer.dances, AS_IT_COMES)}[kind]
        before = self._all_marks()
        if not self.marks.ban(kind, now_on, names):
            self.say(f"{now_on} is the last {kind} there is: it stays", now, "marks")
            return
        self._banned = (kind, now_on)
        self._note_marks(before)
        if kind != "dance":
            self._turn(kind)
        elif self.dancer.dance == now_on:
            self.dancer.set_dance(None)
        self.auto.hold(kind)
        self.say(f"never again: {kind} {now_on}; Backspace takes it back", now, "marks")

    def _take_back(self, now: float) -> None:
        before = self._all_marks()
        if not self.marks.take_back():
            self.say("nothing to take back", now, "marks")
            return
        self._note_marks(before)
        if self._banned is None:
            self.say("taken back", now, "marks")
            return
        (kind, name), self._banned = self._banned, None
        if kind == "look":
            self.look = find_look(name)
        elif kind == "style":
            self.dancer.set_style(name)
        elif name in self.dancer.dances:
            self.dancer.set_dance(name)
            self._asked = name
        self.auto.hold(kind)
        self.say(f"taken back: {kind} {name}", now, "marks")

    def _all_marks(self) -> dict[str, tuple[str, ...]]:
        """By the settings' names."""
        marks = self.marks
        pairs = (("favourite", marks.favourite), ("never", marks.never))
        return {f"{word}_{kind}s": names[kind] for word, names in pairs for kind in KINDS}

    def _note_marks(self, before: dict[str, tuple[str, ...]]) -> None:
        for key, names in self._all_marks().items():
            self._chose(key, before[key], names)
        self._heed_marks()

    def _heed_marks(self) -> None:
        self.dancer.set_never(self.marks.never["dance"])
        if self.stylist:
            self.stylist.never = frozenset(self.marks.never["style"])

    # --- time, sound and picture

    def _change_time(self, action: str, now: float) -> None:
        """What the ear does not know better than the one who presses the keys."""
        steps, text = self.ear.steps, ""
        match action:
            case "tap tempo":
                steps.tap(now)
                text = f"tap: {steps.bpm:.0f} BPM"
            case "half tempo" | "double tempo":
                done = steps.scale(0.5 if action == "half tempo" else 2.0)
                text = f"{action if done else 'no further'}: {steps.bpm:.0f} BPM"
            case "earlier" | "later":
                seconds = NUDGE if action == "earlier" else -NUDGE
                steps.nudge(seconds * steps.bpm / 60)
                self._nudged += seconds
                text = f"{abs(self._nudged) * 1000:.0f} ms {'earlier' if self._nudged > 0 else 'later'}"
                text = text if round(self._nudged / NUDGE) else "on time"
            case "trust the ear":
                steps.release()
                self._nudged = 0.0
                text = "as the ear hears it"
        self.say(text, now, "time")

    def _change_latency(self, ms: float, now: float) -> None:
        before = self.latency_ms
        self.latency_ms = min(max(before + ms, -LONGEST_LATENCY), LONGEST_LATENCY)
        self._chose("latency_ms", before, self.latency_ms)
        self.say(f"the picture is seen {self.latency_ms:.0f} ms late", now, "latency")

    def _change_sensitivity(self, step: int, now: float) -> None:
        before = self.sensitivity
        self.sensitivity = min(max(before + step, -MOST_SENSITIVE), MOST_SENSITIVE)
        self._chose("sensitivity", before, self.sensitivity)
        self.say(f"sensitivity: {self.sensitivity:+g}" if self.sensitivity else "sensitivity: as heard", now, "sense")

    def _change_window(self, action: str, now: float) -> None:
        from visualizer.stage.displays import name_for_file

        window = self.window
        if action == "fullscreen":
            before = None if window.fullscreen else window.windowed
            window.toggle_fullscreen()
            self._chose("window", before, None if window.fullscreen else window.windowed)
            text = "full screen" if window.fullscreen else "window"
        else:
            before = name_for_file(window.display, window.displays)
            text = "there is no other display"
            if window.next_display():
                self._chose("display", before, name_for_file(window.display, window.displays))
                text = f"display {window.display}"
        self.overlay.resize(window.size)
        self.say(text, now, "window")

    def _fade_picture(self, now: float) -> None:
        """A little nearer to the dark, or out of it."""
        step = min(max(now - self._last_frame, 0.0), FADE) / FADE
        self._last_frame = now
        self._fade = min(max(self._fade + (step if self._dark else -step), 0.0), 1.0)
        self.overlay.black = self._fade**2 * (3 - 2 * self._fade)  # starts and ends gently

    def handle(self, events: list[pygame.event.Event], now: float) -> None:
        """Act on keys, the mouse and the window."""
        for event in events:
            if event.type == pygame.QUIT:
                self.running = False
            elif event.type == pygame.KEYDOWN and (action := action_of(event.key, getattr(event, "mod", 0))):
                self.act(action, now)
            elif event.type == pygame.MOUSEMOTION and any(event.rel):  # not what SDL makes up for a new window
                self.window.pointer_moved(now)
            elif event.type == pygame.WINDOWDISPLAYCHANGED:
                self.window.dragged_to(event.display_index)

    def frame(self, now: float) -> None:
        """Hear, step, decode and draw one picture; `now` is the time on the show's clock, s."""
        hearing = livelier(self.ear.hearing(now), self.sensitivity)
        self._frames, self._led, self._bpm = self._frames + 1, self._led + (hearing.confidence > 0), hearing.bpm
        seen = now + self.lead
        musical_time = self.ear.musical_time(seen)
        width, height = self.window.size
        self.dancer.view = width / max(height, 1)
        self.dancer.step_to(musical_time, hearing.energy)
        self._change_by_itself(musical_time, hearing, now)
        for text in (*self.ear.toasts(), *self.dancer.toasts(), *self.window.toasts(), *self.takes.toasts()):
            self.mention(text, now)
        if self.reloader is not None:
            for text in self.reloader.poll(now):
                self.say(text, now, "looks")
            self.look = current(self.look)
        self._look_after_window(now)
        self._fade_picture(now)
        self.overlay.lamp = lamp(musical_time)
        self.overlay.recording = self.takes.recording
        if self.overlay.help and now >= self._status_due:
            self._status_due = now + STATUS
            self.overlay.status, self.overlay.on_now = status(self.ear.name, hearing), self._on_now()
        picture = self.dancer.picture(musical_time)
        writing, changed = self.overlay.render(now)
        self.takes.aim(seen)
        self.window.draw(picture, self.look, hearing, musical_time, writing, changed)
        self.takes.develop(self.overlay.black)

    def _look_after_window(self, now: float) -> None:
        self.window.rest_pointer(now)
        if now >= self._displays_due:
            self._displays_due = now + DISPLAYS
            if text := self.window.follow_displays():
                self.overlay.resize(self.window.size)
                self.mention(text, now)
        if self.window.follow_size():
            self.overlay.resize(self.window.size)

    def _on_now(self) -> str:
        """What is danced, in one line."""
        parts = [
            "locked" if self.locked else "auto" if self.auto.on else "auto off",
            f"{self.dancer.style}{' by the music' if self.stylist else ''}",
            self._danced() or "improvised",
            f"look {self.look.title}",
        ]
        return " · ".join(parts)


def livelier(hearing: Hearing, steps: float) -> Hearing:
    """What is heard, taken for livelier (`steps` above 0) or calmer: two steps double or halve the way up.

    Nothing stays nothing and all stays all; where nobody plays, the dancer rests all the same.
    """
    if not steps:
        return hearing
    power = 2 ** (-steps / 2)
    levels = {name: getattr(hearing, name) ** power for name in ("loudness", "bass", "mid", "treble")}
    above = max(hearing.energy - RESTING, 0.0) / (1 - RESTING)
    energy = RESTING + (1 - RESTING) * above**power if above else hearing.energy
    return replace(hearing, **levels, energy=energy)


def lamp(musical_time: float) -> int:
    """Of the overlay: lit in the first quarter of each beat."""
    if musical_time % 1 >= 0.25:
        return 0
    return 1 if int(musical_time) % BEATS_PER_BAR else 2


def status(name: str, hearing: Hearing) -> str:
    """What the ear hears now, in one line."""
    sure = f"sure by {hearing.confidence:.0%}" if hearing.confidence else "keeping the tempo"
    full = round(hearing.loudness * 8)
    return f"{name}: {hearing.bpm:.0f} BPM, {sure}, loudness {'▮' * full}{'▯' * (8 - full)}"


def play(
    show: Show,
    *,
    rate: float | Callable[[], float],
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    events: Callable[[], list[pygame.event.Event]] = pygame.event.get,
    first_frame: Callable[[], None] = lambda: None,
    keep: bool = True,
    stop: Stop | None = None,
) -> FrameTimes:
    """Run the show until it is ended, `seconds` are over or a signal says `stop`. `rate`: most frames a second now, 0:
    no limit.

    `keep`: whether the times of all frames are wanted; in a long night they are many.
    """
    times, minute = FrameTimes(), FrameTimes()
    started = due = told = clock()
    last: float | None = None
    while show.running and not (stop and stop.signal):
        begun = clock()
        if seconds is not None and begun - started >= seconds:
            break
        show.handle(events(), begun)
        if not show.running:
            break
        show.frame(begun)
        shown = clock()
        show.worked(shown - begun, shown)
        if last is None:
            first_frame()
        else:
            minute.add(shown - last, shown - begun)
            if keep:
                times.add(shown - last, shown - begun)
        if shown - told >= MINUTE:
            aside.info("%s; %s", minute.report(), show.ear.name)
            minute, told = FrameTimes(), shown
        last = shown
        if most := rate() if callable(rate) else rate:
            # A late frame is not made up for by a hurried one: the next is due a whole period later.
            due = max(due + 1 / most, clock() - 1 / most)
            if (wait := due - clock()) > 0:
                sleep(wait)
    return times


def run(settings: Settings, *, notes: tuple[str, ...] = (), started: float | None = None) -> int:
    """Open the window, the dancer and the ear, and play until the end. Returns the signal that ended it, or 0.

    `notes` are shown as toasts at the start; `started` is when the program started, on `time.perf_counter`.
    Raises UserError for settings that cannot be met, and stage.window.NoDisplay where there is no screen.
    """
    from visualizer.recorder import Takes
    from visualizer.stage import x11
    from visualizer.stage.displays import is_called
    from visualizer.stage.window import Window, open_video, painter_rate

    one_heap()
    clock = time.perf_counter
    started = clock() if started is None else started
    seed = settings.seed if settings.seed is not None else random.SystemRandom().getrandbits(32)
    unmet: list[str] = []
    open_video()
    # The networks load while the window opens.
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(_load_dancer, settings, seed, unmet)
        window = met(settings, ("display", "stage"), lambda s: Window(s.window, s.display, s.stage), unmet)
        try:
            dancer, styles, provider = loading.result()
            ear = met(settings, ("audio",), lambda s: _open_ear(s, clock), unmet)
        except BaseException:
            window.close()
            raise
    try:
        log.info("seed %d, style %s, look %s", seed, dancer.style, settings.look)
        if dancer.dance is not None:
            log.info("dance %s", dancer.dance)
        log.info("%s %dx%d, networks on %s, ear: %s", window.stage_name, *window.size, provider, ear.name)
        least = painter_rate(window.rate) if settings.fps is None else settings.fps
        if isinstance(settings.display, str) and not is_called(window.display, settings.display):
            window.miss(settings.display)
        show = Show(
            dancer,
            ear,
            window,
            styles,
            settings.look,
            random.Random(seed),
            1 / window.rate,  # what the display says of itself; settings.latency_ms is what it cannot say
            settings.style == AUTO,
            takes=Takes(window.camera, clock),
            auto=Auto(random.Random(f"auto {seed}"), settings.auto, pinned(settings)),
            marks=marks_of(settings),
            latency_ms=settings.latency_ms,
            sensitivity=settings.sensitivity,
            governor=Governor(least) if least else None,
        )
        unknown = (show.stylist.note,) if show.stylist and show.stylist.note else ()
        if settings.dev:
            show.reloader = Reloader()
        for note in (*notes, *unmet, *window.notes, *unknown):
            show.say(note, clock())
        show.avoid(settings.asked)

        def begun() -> None:
            log.info("first frame after %.2f s", clock() - started)
            # The collector stops everything, and looks through all the libraries again and again, 70 ms each time.
            # What is there by now stays: it is to pass over that.
            gc.freeze()

        def finish(until: float = math.inf) -> None:
            """Put away what is to be kept of this show; of what keys have changed, what they changed until then."""
            if settings.remember:  # first, for it is quick, and whoever ends this may not wait for ever
                _keep(show.changes(until))
            show.takes.finish(clock() + show.lead)
            for text in show.takes.toasts():
                log.info(text)

        def finish_without_display() -> None:
            window.camera.lose()
            finish()

        x11.before_the_end(finish_without_display)
        ended = False
        with asked_to_stop() as stop:
            try:
                times = play(
                    show,
                    rate=(lambda: window.pace) if settings.fps is None else settings.fps,
                    seconds=settings.seconds,
                    clock=clock,
                    first_frame=begun,
                    keep=settings.stats,
                    stop=stop,
                )
                if stop.signal:
                    log.info("ended by %s", stop.name)
                ended = True
            except (KeyboardInterrupt, Stopped):  # a picture that took for ever was ended by a second signal
                ended = True
                raise
            finally:
                # What was chosen just before a crash may be to blame for it, and the next show must start.
                finish(math.inf if ended else clock() - SUSPECT)
                x11.before_the_end(None)
        if settings.screenshot:
            window.save(settings.screenshot)
            log.info("picture saved as %s", settings.screenshot)
        if settings.stats:
            print(times.report(), show.report(), sep="\n", flush=True)
    finally:
        ear.close()
        window.close()
    return stop.signal


def marks_of(settings: Settings) -> Marks:
    """Favourites and never-agains."""
    favourite: dict[Kind, tuple[str, ...]] = {kind: getattr(settings, f"favourite_{kind}s") for kind in KINDS}
    never: dict[Kind, tuple[str, ...]] = {kind: getattr(settings, f"never_{kind}s") for kind in KINDS}
    return Marks(favourite, never)


def pinned(settings: Settings) -> set[Kind]:
    """What the command line asked for by name: auto mode leaves that alone."""
    return pins(settings.asked, settings.style == AUTO)


def _keep(changes: dict[str, Any]) -> None:
    """Write what keys have changed into the settings file."""
    if not changes:
        return
    path = settings_file()
    try:
        remember(path, changes)
    except UserError as error:
        log.info("not remembered: %s", error)
    else:
        log.info("remembered in %s: %s", path, ", ".join(changes))


def _load_dancer(settings: Settings, seed: int, unmet: list[str]) -> tuple[Body, tuple[str, ...], str]:
    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import find_pack, load_pack

    pack = met(settings, ("pack", "device"), lambda s: load_pack(find_pack(s.pack), s.device), unmet)
    dancer = met(
        settings,
        ("style", "dance"),
        lambda s: Dancer(pack, seed, None if s.style == AUTO else s.style, s.troupe, s.temperature, s.dance),
        unmet,
    )
    dancer.set_sync(settings.formation)
    return dancer, pack.styles, pack.provider


def _open_ear(settings: Settings, clock: Callable[[], float]) -> Ear:
    from visualizer.music.sources import open_ear

    return open_ear(settings.audio, bpm=settings.bpm, clock=clock)
