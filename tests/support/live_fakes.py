"""A live show whose clock, dancer, source of music and window a test holds in its hands."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.support import fakes
from visualizer.auto import Auto, Preferences
from visualizer.film.recorder import Takes
from visualizer.live import LiveShow
from visualizer.messages import Toasts
from visualizer.moment import Bodies, Moment, Text
from visualizer.music.clock import Hearing, MusicClock
from visualizer.show import Show, ShowPlan
from visualizer.stage.displays import Display

PICTURE = fakes.picture(0.0)


class FakeDancer:
    style = "salsa"
    known_styles = ("salsa", "waltz", "techno")
    dance: str | None = None
    troupe = 1
    sync = "each"
    temperature = 1.0
    view = 16 / 9
    dances: tuple[str, ...] = ("basic", "cucaracha")

    danced: tuple[str | None, ...] = ("basic",)
    held = False
    never: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.steps: list[tuple[float, float]] = []

    def step_to(self, musical_time: float, energy: float) -> None:
        self.steps.append((musical_time, energy))

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

    def set_sync(self, sync: str) -> None:
        self.sync = sync

    def set_never(self, dances: tuple[str, ...]) -> None:
        self.never = dances

    def set_held(self, held: bool) -> None:
        self.held = held


class FakeEar:
    name = "a test"

    def __init__(self) -> None:
        self.steps = MusicClock(0.0, 120.0)
        self.mix: tuple[tuple[str, float], ...] = ()
        self.sure = 1.0

    def hearing(self, now: float) -> Hearing:
        return replace(fakes.hearing(now), mix=self.mix, confidence=self.sure)

    def musical_time(self, now: float) -> float:
        return now * 2

    def sounds(self, begins: float) -> None:
        return None

    def close(self) -> None: ...


class FakeWindow:
    def __init__(self) -> None:
        self.size: tuple[int, int] = (320, 240)
        self.fullscreen = False
        self.gpu = False
        self.resized = False
        self.pace = 60.0
        self.drawn: list[tuple] = []
        self.text = Text()  # drawn last
        self.displays: tuple[Display, ...] = (Display(0, "left", (640, 480), 60), Display(1, "right", (800, 600), 60))
        self.display = self.displays[0]
        self.moved: str | None = None
        self.pointer: list[float] = []
        self.details: list[int] = []

    @property
    def windowed(self) -> tuple[int, int]:
        return (320, 240)

    def next_display(self) -> bool:
        self.display = self.displays[(self.display.number + 1) % len(self.displays)]
        return len(self.displays) > 1

    def dragged_to(self, number: int) -> None:
        self.display = self.displays[number]

    def follow_displays(self) -> str | None:
        moved, self.moved = self.moved, None
        return moved

    def pointer_moved(self, now: float) -> None:
        self.pointer.append(now)

    def rest_pointer(self, now: float) -> None: ...

    def draw(self, moment: Moment) -> None:
        self.text = moment.text
        self.drawn.append((moment.look.name, moment.musical_time, bool(moment.text.toasts)))

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen
        self.size = (640, 480) if self.fullscreen else (320, 240)

    def set_detail(self, detail: int) -> None:
        self.details.append(detail)

    def follow_size(self) -> bool:
        resized, self.resized = self.resized, False
        return resized


class FakeTime:
    """A clock that moves only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


class FakeTakes(Takes):
    """Notes what it is asked for, and takes nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def recording(self) -> bool:
        return self.asked.count("record") % 2 == 1

    def picture(self) -> None:
        self.asked.append("picture")

    def record(self, seen: float, size: tuple[int, int], sounds_from: object) -> str:
        self.asked.append("record")
        return "recording" if self.recording else "recording ends"

    def aim(self, seen: float) -> None: ...

    def develop(self, black: float) -> None: ...


STYLES = FakeDancer.known_styles


def text_of(live: LiveShow) -> Text:
    """What was written over the last picture."""
    assert isinstance(live.window, FakeWindow)
    return live.window.text


def make_show(auto: Auto | None = None, preferences: Preferences | None = None, **more) -> LiveShow:
    plan = ShowPlan("paper", random.Random(3), **more)
    plan.auto, plan.preferences = auto or plan.auto, preferences or plan.preferences
    toasts = Toasts()
    return LiveShow(Show(FakeDancer(), plan, toasts), toasts, FakeEar(), FakeWindow(), FakeTakes(), lead=1 / 60)
