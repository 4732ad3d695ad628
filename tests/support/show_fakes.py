"""A show without a window, whose dancer and time a test holds in its hands; what it says is kept."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.support import fakes
from visualizer.auto import Auto, Preferences
from visualizer.commands import run_command
from visualizer.dancer.guest_body import GuestFeed
from visualizer.errors import UserError
from visualizer.moment import Bodies, Moment
from visualizer.music.clock import MusicClock
from visualizer.show import Show, ShowPlan

PICTURE = fakes.picture(0.0)
BPM = 120.0


class FakeDancer:
    style = "salsa"
    known_styles = ("salsa", "waltz", "techno")
    dance: str | None = None
    troupe = 1
    beat_seconds = 0.5
    sync = "each"
    temperature = 1.0
    wants_inside = False
    view = 16 / 9
    dances: tuple[str, ...] = ("basic", "cucaracha")

    danced: tuple[str | None, ...] = ("basic",)
    tells_energy = False  # the first is a quiet dance, the second a lively one
    held = False
    never: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.news: list[str] = []
        self.seeds: list[int] = []
        self.steps: list[tuple[float, float]] = []
        self.leaps: list[float] = []

    def step_to(self, musical_time: float, energy: float) -> None:
        self.steps.append((musical_time, energy))

    def dances_for(self, energy: float) -> tuple[str, ...]:
        if not self.tells_energy:
            return self.dances
        return self.dances[:1] if energy < 0.5 else self.dances[1:]

    def leap(self, beats: float) -> None:
        self.leaps.append(beats)

    def picture(self, musical_time: float) -> Bodies:
        return PICTURE

    def reseed(self, seed: int) -> None:
        self.seeds.append(seed)

    def set_style(self, style: str) -> None:
        if style != self.style:
            self.dance = None
        self.style = style
        self.dances = () if style == "waltz" else FakeDancer.dances

    def set_dance(self, dance: str | None) -> None:
        self.dance = dance

    def set_troupe(self, troupe: int) -> None:
        self.troupe = troupe

    figures: tuple[str, ...] = ()
    _turn: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(name for name in self.figures if name != "silhouette")

    @property
    def worn(self) -> tuple[str, ...]:
        turn = self._turn or self.figures
        return tuple(turn[k % len(turn)] for k in range(self.troupe)) if turn else ()

    def set_figures(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.figures:
                raise UserError(f"no figure {name}")
        self._turn = tuple(names)

    def set_sync(self, sync: str) -> None:
        self.sync = sync

    def set_never(self, dances: tuple[str, ...]) -> None:
        self.never = dances

    def set_held(self, held: bool) -> None:
        self.held = held

    feed: GuestFeed | None = None
    copies = False
    guests = 0
    has_guest = True

    def watch(self, feed: GuestFeed | None) -> None:
        self.feed = feed

    def copy_guest(self, copies: bool) -> None:
        if copies and not self.has_guest:
            raise UserError("nobody has danced")
        self.copies = copies


STYLES = FakeDancer.known_styles


class FakeGuide:
    """Notes what is asked of the panels over the picture; its only input is called "room"."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def toggle_list(self) -> None:
        self.asked.append("inputs")

    def choose(self, wanted: str, now: float) -> str:
        if wanted != "room":
            raise UserError(f"no input is called '{wanted}'")
        return "mic:room"

    def check(self, now: float) -> None:
        self.asked.append("sound check")

    def note_latency(self, now: float) -> None: ...


class FakeHost:
    """Notes what is asked of the place where the show is seen."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.guide = FakeGuide(self.asked)

    def escape(self) -> None:
        self.asked.append("escape")

    def toggle_help(self) -> None:
        self.asked.append("help")

    def toggle_fullscreen(self) -> None:
        self.asked.append("fullscreen")

    def move_to_next_display(self) -> None:
        self.asked.append("next display")

    def learn_control(self, command: str) -> None:
        self.asked.append(f"learn {command}")

    def adjust_screen(self, what: str, argument: str) -> None:
        self.asked.append(f"{what} {argument}".strip())

    def show_code(self, guests: bool) -> None:
        self.asked.append("guest code" if guests else "phone code")

    def step_song(self, songs: int) -> None:
        self.asked.append("next song" if songs > 0 else "previous song")

    def take_picture(self) -> None:
        self.asked.append("picture")

    def toggle_recording(self) -> None:
        self.asked.append("record")

    def toggle_camera(self, wanted: str) -> None:
        self.asked.append(f"camera {wanted}".strip())


class Stage:
    """A show, what it says, and the music it hears."""

    def __init__(self, auto: Auto | None = None, preferences: Preferences | None = None, **more) -> None:
        """`more`: of `ShowPlan`."""
        self.dancer, self.host = FakeDancer(), FakeHost()
        self.mix: tuple[tuple[str, float], ...] = ()  # genres that are heard
        self.energy = 0.6
        self.topics: list[str] = []
        self._said: list[str] = []
        self.show = Show(self.dancer, make_plan(auto, preferences, **more), self._hear, self.host)
        self.show.tempo = MusicClock(0.0, BPM)

    def _hear(self, text: str, topic: str = "", asked: bool = False) -> None:
        self._said.append(text)
        self.topics.append(topic)

    def said(self) -> list[str]:
        """What the show has said since this was asked last."""
        said, self._said = self._said, []
        return said

    def run(self, *commands: str, now: float = 0.0) -> None:
        """Do each of `commands`, a name or "name: argument", at `now`, s."""
        for command in commands:
            name, _, argument = command.partition(": ")
            run_command(self.show, name, now, argument)

    def step(self, now: float) -> Moment:
        """One picture at `now`, s; two beats a second."""
        return self.show.step(now * BPM / 60, replace(fakes.hearing(now, BPM), mix=self.mix, energy=self.energy))

    def steps(self, seconds: float, start: float = 0.0, rate: float = 10.0) -> list[tuple[str, str, str | None]]:
        """Look, style and dance at each picture."""
        seen = []
        for k in range(round(seconds * rate)):
            look = self.step(start + k / rate).look.name
            seen.append((look, self.dancer.style, self.dancer.dance))
        return seen


def make_plan(auto: Auto | None = None, preferences: Preferences | None = None, **more) -> ShowPlan:
    """How a show of the tests begins; `more`: of `ShowPlan`."""
    plan = ShowPlan("paper", random.Random(3), **more)
    plan.auto, plan.preferences = auto or plan.auto, preferences or plan.preferences
    return plan
