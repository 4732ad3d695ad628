"""A live show whose clock, dancer, source of music and window a test holds in its hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.support import fakes
from tests.support.show_fakes import FakeDancer, make_plan
from visualizer.auto import Auto, Preferences
from visualizer.film.recorder import Takes
from visualizer.live import LiveShow
from visualizer.messages import Toasts
from visualizer.moment import Moment, Text
from visualizer.music.clock import Hearing, MusicClock
from visualizer.music.inputs import Inputs
from visualizer.screen_setup import ScreenSetup, ScreenTable
from visualizer.show import Show
from visualizer.stage.displays import Display
from visualizer.stage.looks import Look


class FakeEar:
    name = "a test"

    def __init__(self) -> None:
        self.steps = MusicClock(0.0, 120.0)
        self.mix: tuple[tuple[str, float], ...] = ()
        self.sure = 1.0
        self.silence = 0.0
        self.closed = False

    def hearing(self, now: float) -> Hearing:
        return replace(fakes.hearing(now), mix=self.mix, confidence=self.sure)

    def musical_time(self, now: float) -> float:
        return now * 2

    def find_silence(self, now: float) -> float:
        return self.silence

    def sounds(self, begins: float) -> None:
        return None

    def close(self) -> None:
        self.closed = True


class FakeWindow:
    def __init__(self) -> None:
        self.size: tuple[int, int] = (320, 240)
        self.fullscreen = False
        self.gpu = False
        self.resized = False
        self.pace = self.refresh = 60.0
        self.vsync = False
        self.before_show: Callable[[], None] = lambda: None
        self.drawn: list[tuple] = []
        self.text = Text()  # drawn last
        self.displays: tuple[Display, ...] = (Display(0, "left", (640, 480), 60), Display(1, "right", (800, 600), 60))
        self.display = self.displays[0]
        self.moved: str | None = None
        self.pointer: list[float] = []
        self.details: list[int] = []
        self.useful: tuple[int, ...] = (0, 1, 2)  # details that save something

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

    pinning = False
    screens = ScreenTable()

    def adjust_screen(self, what: str, argument: str) -> str:
        self.screens = self.screens.replace("left", ScreenSetup(brightness=0.5))
        return f"{what} {argument}".strip()

    def draw(self, moment: Moment) -> None:
        self.text = moment.text
        self.drawn.append((moment.look.name, moment.musical_time, bool(moment.text.toasts)))
        if not self.vsync:
            self.before_show()

    def toggle_fullscreen(self) -> None:
        self.fullscreen = not self.fullscreen
        self.size = (640, 480) if self.fullscreen else (320, 240)

    def set_detail(self, detail: int) -> None:
        self.details.append(detail)

    def find_details(self, look: Look) -> tuple[int, ...]:
        return self.useful

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


def text_of(live: LiveShow) -> Text:
    """What was written over the last picture."""
    assert isinstance(live.window, FakeWindow)
    return live.window.text


def make_live(
    auto: Auto | None = None, preferences: Preferences | None = None, dancer: FakeDancer | None = None,
    first: bool = False, **more,
) -> LiveShow:  # fmt: skip
    """`first`: no key was ever pressed; `more`: of `ShowPlan`."""
    toasts = Toasts()
    show = Show(dancer or FakeDancer(), make_plan(auto, preferences, **more), toasts)
    return LiveShow(show, toasts, Inputs(FakeEar()), FakeWindow(), FakeTakes(), lead=1 / 60, first=first)
