"""The state of a performance: what is danced, by whom, in which look, and what changes next.

`Show.step` takes musical time and what is heard, and returns the `Moment` to draw. There is no pygame, no file and no
clock in here: the live loop and the film are two drivers of the same show. What people ask for while it runs comes in
by `commands.py`.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from visualizer.auto import AS_IT_COMES, EARLY, Auto, Kind, Preferences
from visualizer.choices import Choices
from visualizer.dancer.ahead import Ahead
from visualizer.dancer.guest_body import GuestFeed
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.dancer.planner import SURGE
from visualizer.messages import Notify, discard
from visualizer.moment import Bodies, Moment, Text
from visualizer.music.analysis.energy import RESTING
from visualizer.music.analysis.genre import GenreScores
from visualizer.music.analysis.phrase_tracker import PhraseTracker
from visualizer.music.analysis.style_selector import StyleSelector
from visualizer.music.clock import BEATS_PER_BAR, Hearing, MusicClock
from visualizer.options import AUTO
from visualizer.pace import HALF, Count, Pace
from visualizer.stage.looks import Look, LookStore
from visualizer.titles import TitleBoard

if TYPE_CHECKING:
    from visualizer.cues import CuePlayer

log = logging.getLogger("visualizer")

FADE_SECONDS = 0.5  # that a blackout takes


class Dancing(Protocol):
    """What a show asks of its dancers."""

    temperature: float
    beat_seconds: float  # that a beat lasts
    wants_inside: bool  # whether pictures say what is inside of the dancers, where that is known

    @property
    def view(self) -> float: ...  # width by height of the picture
    @view.setter
    def view(self, view: float) -> None: ...
    @property
    def style(self) -> str: ...
    @property
    def known_styles(self) -> tuple[str, ...]: ...
    @property
    def dance(self) -> str | None: ...
    @property
    def dances(self) -> tuple[str, ...]: ...
    def dances_for(self, energy: float) -> tuple[str, ...]: ...
    @property
    def danced(self) -> tuple[str | None, ...]: ...
    @property
    def troupe(self) -> int: ...
    @property
    def figures(self) -> tuple[str, ...]: ...
    @property
    def people(self) -> tuple[str, ...]: ...
    @property
    def worn(self) -> tuple[str, ...]: ...
    @property
    def sync(self) -> str: ...
    def step_to(self, musical_time: float, energy: float) -> None: ...
    def leap(self, beats: float) -> None: ...
    def picture(self, musical_time: float) -> Bodies: ...
    def reseed(self, seed: int) -> None: ...
    def set_style(self, style: str) -> None: ...
    def set_dance(self, dance: str | None) -> None: ...
    def set_troupe(self, troupe: int) -> None: ...
    def set_figures(self, names: tuple[str, ...]) -> None: ...
    def set_sync(self, sync: str) -> None: ...
    def set_never(self, dances: tuple[str, ...]) -> None: ...
    def set_held(self, held: bool) -> None: ...
    @property
    def guests(self) -> int: ...
    def watch(self, feed: GuestFeed | None) -> None: ...
    @property
    def copies(self) -> bool: ...
    def copy_guest(self, copies: bool) -> None: ...


class Guiding(Protocol):
    """What can be asked of the panels over the picture; `now` is the time of the command, s."""

    def toggle_list(self) -> None: ...
    def choose(self, wanted: str, now: float) -> str: ...
    def check(self, now: float) -> None: ...
    def note_latency(self, now: float) -> None: ...


class Host(Protocol):
    """Where a show is seen: what can be asked of its window and its recordings. A film has none."""

    @property
    def guide(self) -> Guiding: ...
    def escape(self) -> None: ...
    def toggle_help(self) -> None: ...
    def toggle_fullscreen(self) -> None: ...
    def move_to_next_display(self) -> None: ...
    def adjust_screen(self, what: str, argument: str) -> None: ...
    def show_code(self, guests: bool) -> None: ...
    def step_song(self, songs: int) -> None: ...
    def learn_control(self, command: str) -> None: ...
    def take_picture(self) -> None: ...
    def toggle_recording(self) -> None: ...
    def toggle_camera(self, wanted: str) -> None: ...


@dataclass
class ShowPlan:
    """How a show begins. `seeds` deals the seeds of later dances."""

    look: str | None = None  # None: the first there is
    seeds: random.Random = field(default_factory=lambda: random.Random(0))
    auto: Auto = field(default_factory=lambda: Auto(random.Random(0), on=False))
    preferences: Preferences = field(default_factory=Preferences)
    by_music: bool = False  # the music chooses the style
    sensitivity: float = 0.0  # steps, see `adjust_sensitivity`
    latency_ms: float = 0.0  # how late a picture is seen, beyond what is known
    looks: LookStore = field(default_factory=LookStore)
    titles: TitleBoard = field(default_factory=TitleBoard)


@dataclass(frozen=True)
class Change:
    """What has changed without being asked for; `why` is said of a style that the music chose."""

    kind: Kind
    name: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name or 'as it comes'}{f' ({self.why})' if self.why else ''}"


class Show:
    """One performance. Commands change it between steps; see `commands.py`. Many lines, for it is asked for all."""

    def __init__(self, dancer: Dancing, plan: ShowPlan, notify: Notify = discard, host: Host | None = None) -> None:
        self._dancer, self._ahead = dancer, Ahead(dancer)
        self.looks = plan.looks
        self.look: Look = self.looks.find(plan.look or self.looks.names[0])
        self.auto, self.preferences = plan.auto, plan.preferences
        self.style_selector = StyleSelector(self.styles) if plan.by_music else None
        self.cues: CuePlayer | None = None  # the list that is played, where there is one
        self.titles = plan.titles  # words and pictures over the dance
        self.sensitivity, self.latency_ms = plan.sensitivity, plan.latency_ms
        self.notify, self.host = notify, host
        self.tempo: MusicClock | None = None  # of the source of music, where it can be tapped, halved and nudged
        self.nudged = 0.0  # seconds that commands have moved the dance, earlier if positive
        self.locked = False
        self.dark = False  # a blackout was asked for
        self.asked_dance = dancer.dance  # the dance that a person asked for last
        self.banned: tuple[Kind, str] | None = None  # last, for taking it back
        self.choices = Choices()
        self.answer: Callable[[str], None] | None = None  # to whom sent the command that is being run
        self.changed: tuple[Change, ...] = ()  # in the last step
        self._seeds = plan.seeds
        self._faded = 0.0  # 0..1, how far the picture is on its way to the dark
        self._last_time: float | None = None
        self._phrases, self._pace = PhraseTracker(), Pace()
        self._stepped = (0.0, 0.0)  # musical time and beats as danced of the last step
        self._phrase: int | None = None  # of the count, that is danced
        self._dance_energy: float | None = None  # of the music when auto mode chose a dance
        self.heed_preferences()

    def step(self, musical_time: float, hearing: Hearing) -> Moment:
        """Dance on to `musical_time`, beats since the start, and return what is to be drawn.

        `hearing.time` is the only other time that counts: seconds on the driver's clock.
        """
        hearing = adjust_sensitivity(hearing, self.sensitivity)
        self._dancer.beat_seconds = 60 / hearing.bpm
        count = self._count(musical_time, hearing)
        if self.cues is not None:
            self.cues.follow(self, count.phrases, hearing.time)
        bodies = self._ahead.take(count.danced - count.leap)
        if self.look.wants_inside != self._dancer.wants_inside:  # another look: what was made ahead is for the last one
            self.dancer.wants_inside, bodies = self.look.wants_inside, None
        if count.leap:
            self.dancer.leap(count.leap)
        if bodies is None:
            self.dancer.step_to(count.danced, hearing.energy)
        self.changed = self._change_by_itself(count.phrases, hearing)
        text = Text(lamp=find_lamp(musical_time), black=self._fade(hearing.time))
        if bodies is None:
            bodies = self.dancer.picture(count.danced)
        self._stepped = (musical_time, count.danced)
        return Moment(bodies, self.look, hearing, musical_time, text, self.titles.at(hearing.time))

    def prepare(self, musical_time: float, energy: float) -> None:
        """Begin what the next `step` will need, if it is at about `musical_time`, on a thread of its own.

        What is asked of the dancers from now on is seen one picture later than without. Not before the first `step`.
        """
        before, danced = self._stepped
        self._ahead.begin(danced + (HALF if self._pace.half else 1.0) * (musical_time - before), energy)

    @property
    def prepare_seconds(self) -> float:
        """How long it took to make what the latest `prepare` began."""
        return self._ahead.seconds

    @property
    def dancer(self) -> Dancing:
        """Those who dance; nothing is being made of them in another thread when they are returned."""
        self._ahead.settle()
        return self._dancer

    @property
    def troupe(self) -> int:
        """How many dance. No thread but the caller's changes it, so nothing is waited for."""
        return self._dancer.troupe

    def _count(self, musical_time: float, hearing: Hearing) -> Count:
        """Where in its phrases the music is, and how it is danced. Of a song that was heard whole the phrases are
        known; where no beat is heard there are none."""
        known = hearing.phrases_known or hearing.confidence == 0
        offset = self._phrases.offset if known else self._phrases.push(musical_time, hearing.energy)
        return self._pace.follow(musical_time, hearing.energy, offset)

    def describe(self) -> str:
        """What is on, in one line."""
        locked = "locked" if self.locked else "auto" if self.auto.on else "auto off"
        style = f"{self.dancer.style}{' by the music' if self.style_selector else ''}"
        return " · ".join((locked, style, self.danced or "improvised", f"look {self.look.title}"))

    @property
    def styles(self) -> tuple[str, ...]:
        """All that can be asked of the dancers."""
        return self.dancer.known_styles

    @property
    def danced(self) -> str | None:
        """The dance that is on now, asked for or as it comes; None: improvised."""
        return self.dancer.dance or self.dancer.danced[0]

    @property
    def chosen_style(self) -> str:
        """What is chosen, as settings have it: a style, or "auto"."""
        return AUTO if self.style_selector else self.dancer.style

    def draw_seed(self) -> int:
        """A seed for another dance."""
        return self._seeds.getrandbits(32)

    def reply(self, text: str, topic: str = "") -> None:
        """Answer a command: shown also where the stage was made dark."""
        self.notify(text, topic, True)
        if self.answer is not None:
            self.answer(text)

    def names_of(self, kind: Kind) -> tuple[str, ...]:
        """What there is to choose from; among the dances of the style the last is `AS_IT_COMES`."""
        if kind == "look":
            return self.looks.names
        if kind == "figure":
            return self.dancer.figures
        return self.styles if kind == "style" else (*self.dancer.dances, AS_IT_COMES)

    def set_style(self, style: str) -> None:
        """Dance `style`, or "auto": whatever suits the music. UserError, and nothing changed, for an unknown one."""
        if style == AUTO:
            self.style_selector = StyleSelector(self.styles)
            self.heed_preferences()
        else:
            self.dancer.set_style(style)
            self.style_selector = None

    def set_look(self, name: str) -> None:
        """Draw in another look."""
        self.look = self.looks.find(name)

    def set_locked(self, locked: bool) -> None:
        """Whether nothing changes by itself."""
        self.locked = locked
        self.dancer.set_held(locked)

    def heed_preferences(self) -> None:
        """Pass on what is never to come again."""
        self.dancer.set_never(self.preferences.never["dance"])
        if self.style_selector:
            self.style_selector.never = frozenset(self.preferences.never["style"])

    def avoid_unwanted(self, asked: frozenset[str]) -> None:
        """Begin with something else than what is never to come again, but for what was `asked` for by name."""
        on: dict[Kind, str] = {"look": self.look.name, "style": self.dancer.style}
        for kind, name in on.items():
            if name in self.preferences.never[kind] and kind not in asked and self.dancer.dance is None:
                self.choose_next(kind)

    def choose_next(self, kind: Kind, scores: GenreScores = (), energy: float | None = None) -> Change | None:
        """Another look, style or dance out of auto mode's deck, from now on; None if there is no other.

        Where the music chooses the style, those come that suit `scores`, the genres heard and their shares; dances are
        those that suit music of that `energy`, 0..1, if it is given.
        """
        of = ""
        names = self.names_of(kind)
        if kind == "look":
            names, now = self.looks.find_suited(self.dancer.figures, self.preferences.never["look"]), self.look.name
        elif kind == "figure":
            return self._choose_figures()
        elif kind == "style":
            suited = self.style_selector.suited(scores) if self.style_selector else ()
            names, now = tuple(style for style in suited if style in names) or names, self.dancer.style
        else:
            now, of = self.dancer.dance or AS_IT_COMES, self.dancer.style
            if energy is not None:
                self._dance_energy = energy
                suited = self.dancer.dances_for(energy)
                # Its own plan, which knows the way over and improvises, as often as all dances together.
                names = (*suited, *[AS_IT_COMES] * max(1, len(suited)))
        allowed, favourites = self.preferences.allowed(kind, names), self.preferences.favourite[kind]
        chosen = self.auto.choose(kind, allowed, favourites, now, of)
        if chosen is None:
            return None
        if kind == "look":
            self.set_look(chosen)
        elif kind == "style":
            self.dancer.set_style(chosen)
        else:
            self.dancer.set_dance(chosen or None)
        return Change(kind, chosen)

    def _choose_figures(self) -> Change | None:
        """Other figures out of auto mode's deck, one for each dancer; no two alike while there are enough."""
        names, worn = self.dancer.people, self.dancer.worn
        allowed, favourites = self.preferences.allowed("figure", names), self.preferences.favourite["figure"]
        chosen: list[str] = []
        for now in worn:
            left = tuple(name for name in allowed if name not in chosen) or allowed
            drawn = self.auto.choose("figure", left, favourites, now)
            if drawn is None and len(left) == 1 and left[0] != now:
                drawn = left[0]
            chosen.append(drawn or now)
        if tuple(chosen) == worn:
            return None
        self.dancer.set_figures(tuple(chosen))
        return Change("figure", ", ".join(chosen))

    def _change_by_itself(self, musical_time: float, hearing: Hearing) -> tuple[Change, ...]:
        """What the music and auto mode want where a phrase ends; both are asked each step, so that they know where."""
        changes: list[Change | None] = []
        asked = self.dancer.dance is not None and self.dancer.dance == self.asked_dance  # it keeps its style
        scores = () if self.locked or asked else hearing.mix
        selector = self.style_selector
        if selector and (choice := selector.choose(self.dancer.style, musical_time + EARLY, scores)):
            self.dancer.set_style(choice.style)
            self.auto.stay("style")
            self.auto.stay("dance")
            changes.append(Change("style", choice.style, choice.why))
        for kind in self.auto.turns(musical_time):
            if not self.locked:
                changes.append(self.choose_next(kind, scores, hearing.energy))
        if self._surged(musical_time, hearing.energy) and not (self.locked or asked):
            self.dancer.set_dance(None)  # the dancer's own plan knows what suits
            changes.append(Change("dance", AS_IT_COMES))
        return tuple(change for change in changes if change is not None)

    def _surged(self, beat: float, energy: float) -> bool:
        """Whether a phrase begins with music much quieter or livelier than what auto mode chose the dance for."""
        phrase = math.floor((beat + EARLY) / PHRASE_BEATS)
        begun, self._phrase = phrase != self._phrase, phrase
        chosen = self.auto.on and self.dancer.dance is not None and "dance" not in self.auto.pinned
        return begun and chosen and self._dance_energy is not None and abs(energy - self._dance_energy) >= SURGE

    def _fade(self, time: float) -> float:
        """How much of the picture is dark at `time`, seconds: a little more than before, or less."""
        passed = 0.0 if self._last_time is None else max(time - self._last_time, 0.0)
        self._last_time = time
        step = min(passed, FADE_SECONDS) / FADE_SECONDS
        self._faded = min(max(self._faded + (step if self.dark else -step), 0.0), 1.0)
        return self._faded**2 * (3 - 2 * self._faded)  # begins and ends gently


def adjust_sensitivity(hearing: Hearing, steps: float) -> Hearing:
    """What is heard, taken for livelier (`steps` above 0) or calmer: two steps double or halve the way up.

    Nothing stays nothing and all stays all; where no music plays, the dancer rests all the same.
    """
    if not steps:
        return hearing
    power = 2 ** (-steps / 2)
    levels = {name: getattr(hearing, name) ** power for name in ("loudness", "bass", "mid", "treble")}
    above = max(hearing.energy - RESTING, 0.0) / (1 - RESTING)
    energy = RESTING + (1 - RESTING) * above**power if above else hearing.energy
    return replace(hearing, **levels, energy=energy)


def find_lamp(musical_time: float) -> int:
    """The lamp that lights in the first quarter of each beat: 0 dark, 1 on a beat, 2 on the first of a bar."""
    if musical_time % 1 >= 0.25:
        return 0
    return 1 if int(musical_time) % BEATS_PER_BAR else 2
