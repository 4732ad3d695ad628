"""The loop of the live show: events, hear, step, decode, draw. It owns nothing else.

The ear hears on its own thread and hands over one immutable `Hearing`; all here runs on the main thread.
"""

from __future__ import annotations

import logging
import math
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pygame

from visualizer.controls import action_of
from visualizer.dancer.pack import FORMATIONS
from visualizer.music.clock import BEATS_PER_BAR
from visualizer.music.taste import Stylist
from visualizer.settings import AUTO, Settings, met, next_temperature
from visualizer.stage.governor import LEAST, Governor
from visualizer.stage.looks import LOOKS, look
from visualizer.stage.looks.live import Reloader, current
from visualizer.stage.overlay import Overlay

if TYPE_CHECKING:
    from visualizer.dancer.dancer import Picture
    from visualizer.music.clock import Hearing
    from visualizer.music.sources import Ear
    from visualizer.stage.looks import Look

log = logging.getLogger("visualizer")

NUDGE = 0.01  # seconds that the dance is moved by one key
STATUS = 0.25  # seconds between two looks at what the ear hears, for the line below the help


class Body(Protocol):
    """What the loop asks of a dancer."""

    temperature: float
    view: float

    @property
    def style(self) -> str: ...
    @property
    def dance(self) -> str | None: ...
    @property
    def dances(self) -> tuple[str, ...]: ...
    @property
    def troupe(self) -> int: ...
    @property
    def formation(self) -> str: ...
    def step_to(self, musical_time: float, energy: float) -> None: ...
    def picture(self, musical_time: float) -> Picture: ...
    def reseed(self, seed: int) -> None: ...
    def set_style(self, style: str) -> None: ...
    def set_dance(self, dance: str | None) -> None: ...
    def set_troupe(self, troupe: int) -> None: ...
    def set_formation(self, formation: str) -> None: ...


class Screen(Protocol):
    """What the loop asks of a window."""

    @property
    def size(self) -> tuple[int, int]: ...
    def draw(
        self,
        picture: Picture,
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


@dataclass
class FrameTimes:
    """Seconds from flip to flip, and seconds of work in them."""

    intervals: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

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
        auto: bool = False,
        governor: Governor | None = None,
    ) -> None:
        """`seeds` deals the seeds of later dances; `lead` is how long, in s, a picture takes to reach the screen.

        `auto`: the music chooses the style. `governor`: scales effects down where frames take too long.
        """
        self.dancer, self.ear, self.window = dancer, ear, window
        self.styles = styles
        self.look = look(look_name)
        self.overlay = Overlay(window.size)
        self.running = True
        self.stylist = Stylist(styles) if auto else None
        self.governor = governor
        self.reloader: Reloader | None = None  # of looks that are edited while they are shown
        self._seeds = seeds
        self._lead = lead
        self._nudged = 0.0  # seconds
        self._status_due = -math.inf
        self._frames = self._led = 0  # pictures; those of them on a beat that was heard
        self._bpm = 0.0  # danced last

    def say(self, text: str, now: float, topic: str = "") -> None:
        """A toast on the screen, in place of the last of its topic if it has one, and a line in the log."""
        log.info("toast: %s", text)
        self.overlay.toast(text, now, topic)

    def act(self, action: str, now: float) -> None:
        """Do what a key asks for; `action` is one of controls.ACTIONS."""
        match action:
            case "quit":
                self.running = False
            case "reseed":
                seed = self._seeds.getrandbits(32)
                self.dancer.reseed(seed)
                self.say(f"a new dance, seed {seed}", now)
            case "next style" | "previous style":
                self._change_style(1 if action == "next style" else -1, now)
            case "next dance" | "previous dance":
                self._change_dance(1 if action == "next dance" else -1, now)
            case "tamer" | "wilder":
                name, self.dancer.temperature = next_temperature(
                    self.dancer.temperature, 1 if action == "wilder" else -1
                )
                self.say(f"temperature: {name}", now)
            case "formation":
                following = (FORMATIONS.index(self.dancer.formation) + 1) % len(FORMATIONS)
                self.dancer.set_formation(FORMATIONS[following])
                alone = "; it takes more than one dancer" if self.dancer.troupe == 1 else ""
                self.say(f"formation: {self.dancer.formation}{alone}", now)
            case "tap tempo" | "half tempo" | "double tempo" | "earlier" | "later" | "trust the ear":
                self._change_time(action, now)
            case "next look" | "previous look":
                step = 1 if action == "next look" else -1
                self.look = LOOKS[(LOOKS.index(self.look) + step) % len(LOOKS)]
                self.say(f"look: {self.look.title}", now)
            case "fullscreen":
                self.window.toggle_fullscreen()
                self.overlay.resize(self.window.size)
                self.say("full screen" if getattr(self.window, "fullscreen", False) else "window", now)
            case "help":
                self.overlay.help = not self.overlay.help
                log.info("help: %s", "shown" if self.overlay.help else "hidden")
            case _ if action.startswith("troupe "):
                self.dancer.set_troupe(int(action.removeprefix("troupe ")))
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
        if self.governor is None:
            return
        before = self.governor.detail
        if (detail := self.governor.frame(now, seconds)) is None:
            return
        self.window.set_detail(detail)
        what = "effects reduced to keep the picture smooth" if detail > before else "effects are back"
        self.say(f"{what} ({LEAST - detail} of {LEAST})", now, "detail")

    def _change_style(self, step: int, now: float) -> None:
        """On to the next style, or back; between the last and the first, the one that fits the music."""
        choices = (*self.styles, AUTO)
        style = choices[(choices.index(AUTO if self.stylist else self.dancer.style) + step) % len(choices)]
        self.stylist = Stylist(self.styles) if style == AUTO else None
        if self.stylist is None:
            self.dancer.set_style(style)
            self.say(f"style: {style}", now)
        else:
            self.say(f"style: {self.stylist.note or 'by the music'}", now)

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

    def _change_dance(self, step: int, now: float) -> None:
        """On to the next dance of the style, or back; between the last and the first, as it comes."""
        choices = (*self.dancer.dances, None)
        if len(choices) == 1:
            self.say(f"{self.dancer.style} has no named dances: improvised", now)
            return
        dance = choices[(choices.index(self.dancer.dance) + step) % len(choices)]
        self.dancer.set_dance(dance)
        self.say(f"dance: {dance or 'as it comes'}", now)

    def handle(self, events: list[pygame.event.Event], now: float) -> None:
        """Act on keys and on the closing of the window."""
        for event in events:
            if event.type == pygame.QUIT:
                self.running = False
            elif event.type == pygame.KEYDOWN and (
                action := action_of(event.key, bool(getattr(event, "mod", 0) & pygame.KMOD_SHIFT))
            ):
                self.act(action, now)

    def frame(self, now: float) -> None:
        """Hear, step, decode and draw one picture; `now` is the time on the show's clock, s."""
        hearing = self.ear.hearing(now)
        self._frames, self._led, self._bpm = self._frames + 1, self._led + (hearing.confidence > 0), hearing.bpm
        musical_time = self.ear.musical_time(now + self._lead)  # the picture is seen a little later than it is drawn
        width, height = self.window.size
        self.dancer.view = width / max(height, 1)
        self.dancer.step_to(musical_time, hearing.energy)
        if self.stylist and self.dancer.dance is None:  # a dance asked for by name keeps its style
            choice = self.stylist.choose(self.dancer.style, musical_time, hearing.mix)
            if choice:
                self.dancer.set_style(choice.style)
                self.say(f"style: {choice.style} ({choice.why})", now)
        for text in (*self.ear.toasts(), *self.window.toasts()):
            self.say(text, now)
        if self.reloader is not None:
            for text in self.reloader.poll(now):
                self.say(text, now, "looks")
            self.look = current(self.look)
        if self.window.follow_size():
            self.overlay.resize(self.window.size)
        self.overlay.lamp = lamp(musical_time)
        if self.overlay.help and now >= self._status_due:
            self._status_due = now + STATUS
            self.overlay.status = status(self.ear.name, hearing)
        picture = self.dancer.picture(musical_time)
        writing, changed = self.overlay.render(now)
        self.window.draw(picture, self.look, hearing, musical_time, writing, changed)


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
    rate: float,
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    events: Callable[[], list[pygame.event.Event]] = pygame.event.get,
    first_frame: Callable[[], None] = lambda: None,
) -> FrameTimes:
    """Run the show until it is ended or `seconds` are over. `rate`: most frames a second, 0 for no limit."""
    times = FrameTimes()
    started = due = clock()
    last: float | None = None
    while show.running:
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
            times.intervals.append(shown - last)
            times.work.append(shown - begun)
        last = shown
        if rate:
            # A late frame is not made up for by a hurried one: the next is due a whole period later.
            due = max(due + 1 / rate, clock() - 1 / rate)
            if (wait := due - clock()) > 0:
                sleep(wait)
    return times


def run(settings: Settings, *, notes: tuple[str, ...] = (), started: float | None = None) -> None:
    """Open the window, the dancer and the ear, and play until the end.

    `notes` are shown as toasts at the start; `started` is when the program started, on `time.perf_counter`.
    Raises UserError for settings that cannot be met, and stage.window.NoDisplay where there is no screen.
    """
    from visualizer.stage.window import Window, open_video

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
        rate = window.rate if settings.fps is None else settings.fps
        if settings.fps is None and window.vsync:
            rate *= 2  # the flip waits for the display; this only keeps a hidden window from racing
        lead = 1 / window.rate + settings.latency_ms / 1000  # what the display says of itself, and what it cannot say
        governor = None if window.gpu or not rate else Governor(rate)
        show = Show(
            dancer, ear, window, styles, settings.look, random.Random(seed), lead, settings.style == AUTO, governor
        )
        unknown = (show.stylist.note,) if show.stylist and show.stylist.note else ()
        if settings.dev:
            show.reloader = Reloader()
        for note in (*notes, *unmet, *window.notes, *unknown):
            show.say(note, clock())
        times = play(
            show,
            rate=rate,
            seconds=settings.seconds,
            clock=clock,
            first_frame=lambda: log.info("first frame after %.2f s", clock() - started),
        )
        if settings.screenshot:
            window.save(settings.screenshot)
            log.info("picture saved as %s", settings.screenshot)
        if settings.stats:
            print(times.report(), show.report(), sep="\n", flush=True)
    finally:
        ear.close()
        window.close()


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
    dancer.set_formation(settings.formation)
    return dancer, pack.styles, pack.provider


def _open_ear(settings: Settings, clock: Callable[[], float]) -> Ear:
    from visualizer.music.sources import open_ear

    return open_ear(settings.audio, bpm=settings.bpm, clock=clock)
