"""The live show: events -> commands -> Show -> picture, frame by frame.

The music is heard on a thread of its own, which hands over one immutable `Hearing`; while a picture is painted and
shown, the networks of the next one run on another. Everything in here runs on the main thread. `launch.py` opens what a
show needs, and closes it again.
"""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pygame

from visualizer.camera.live_camera import LiveCamera
from visualizer.commands import COMMANDS, read_switch, run_command
from visualizer.frame_times import FrameTimes
from visualizer.guide import Guide
from visualizer.messages import Toasts
from visualizer.pacing import Pacer
from visualizer.remote.codes import Codes
from visualizer.remote.inbox import Inbox, Sent
from visualizer.remote.keys import find_command
from visualizer.remote.pin_keys import find_pin_command
from visualizer.remote.state import Board, describe_state
from visualizer.show import Show
from visualizer.stage.camera_rate import RATES
from visualizer.stage.governor import Governor
from visualizer.stage.looks.live import Reloader
from visualizer.stop import Stop
from visualizer.support.log import aside

if TYPE_CHECKING:
    from visualizer.film.recorder import Takes
    from visualizer.moment import Moment, Text
    from visualizer.music.clock import Hearing
    from visualizer.music.inputs import Inputs
    from visualizer.music.sources import MusicSource
    from visualizer.outputs.outputs import Outputs
    from visualizer.screen_setup import ScreenTable
    from visualizer.stage.displays import Display
    from visualizer.stage.looks import Look

log = logging.getLogger("visualizer")

MINUTE = 60.0  # seconds of frame times that are one line in the log
STATUS_SECONDS = 0.25  # between two looks at what is heard, for the lines below the help
ESCAPE_SECONDS = 2.0  # within which a second Esc ends the show
ROOM = 2.0  # times that the next bodies take: so long must pictures wait, for those to be made meanwhile
LATE_SECONDS = 0.5  # that a command may have been on its way
DISPLAYS_SECONDS = 0.5  # between two looks at which displays there are
STEADY = 5  # pictures whose median is the time from one to the next


class Screen(Protocol):
    """What the loop asks of a window."""

    fullscreen: bool
    gpu: bool
    pace: float  # frames a second to keep to
    refresh: float  # pictures a second that the display shows
    vsync: bool  # showing a picture waits for the display
    before_show: Callable[[], None]  # called when a picture is ready, and shown as soon as this returns

    @property
    def display(self) -> Display: ...
    @property
    def displays(self) -> tuple[Display, ...]: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def windowed(self) -> tuple[int, int]: ...
    def draw(self, moment: Moment) -> None: ...
    def toggle_fullscreen(self) -> None: ...
    def follow_size(self) -> bool: ...
    def set_detail(self, detail: int) -> None: ...
    def find_details(self, look: Look) -> tuple[int, ...]: ...
    def next_display(self) -> bool: ...
    def dragged_to(self, number: int) -> None: ...
    def follow_displays(self) -> str | None: ...
    def pointer_moved(self, now: float) -> None: ...
    def rest_pointer(self, now: float) -> None: ...
    @property
    def pinning(self) -> bool: ...
    @property
    def screens(self) -> ScreenTable: ...
    def adjust_screen(self, what: str, argument: str) -> str: ...


class Songs(Protocol):
    """A list of songs that is played."""

    def step(self, songs: int) -> str: ...  # so many on, or back; what to say of that


class LiveShow:
    """A show on a screen: its source of music, its window, its recordings. It is the show's `Host`: many lines, for all
    that can be asked of the place where a show is seen is answered here."""

    def __init__(
        self, show: Show, toasts: Toasts, inputs: Inputs, window: Screen, takes: Takes, *,
        lead: float = 1 / 60, governor: Governor | None = None, first: bool = False,
    ) -> None:  # fmt: skip
        """Eight parameters, for each is a part that tests replace.

        `lead`: seconds from drawing a picture at once until it is seen. `governor` lowers rate and detail where frames
        take too long; None: they stay. `first`: no key was ever pressed in a show here.
        """
        self.show, self.toasts, self.inputs, self.window, self.takes = show, toasts, inputs, window, takes
        self.guide = Guide(inputs, show.choices, first)
        self.governor = governor
        self.reloader: Reloader | None = None  # of looks that are edited while they are shown
        self.inbox, self.board = Inbox(), Board()  # what remotes ask for, and what they see
        self.codes: Codes | None = None  # of the phone page, where there is one
        self.outputs: Outputs | None = None  # to other programs
        self.learn: Callable[[str], str] | None = None  # of MIDI, where it is open
        self.camera = LiveCamera()  # for guests
        self.songs: Songs | None = None  # of a playlist
        self.now_playing: Callable[[], str] | None = None  # what is said of the song that plays, where that changes
        self.running, self.help = True, False
        self.kiosk = False  # whether no key and no window manager ends it or leaves full screen
        self._own_lead, self._now = lead, 0.0  # _now: of the events or the frame at hand
        self._escaped = -math.inf
        self._status, self._on_now = "", ""
        self._status_due = self._displays_due = -math.inf
        self._frames = self._led = 0  # pictures; those of them on a beat that was heard
        self._bpm = 0.0  # danced last
        self._forecast = Forecast()
        self._coming: tuple[float, float] | None = None  # musical time and energy of the next picture, not yet begun
        self.spare = 0.0  # seconds that the latest picture waited for its deadline
        self._is_told: set[str] = set()  # what was said of rate and effects
        show.host, show.tempo = self, inputs.source.steps

    @property
    def source(self) -> MusicSource:
        """What is listened to now."""
        return self.inputs.source

    @property
    def lead(self) -> float:
        """Seconds from now until what is drawn now is seen."""
        return self._own_lead + self.show.latency_ms / 1000

    def run_command(self, name: str, now: float, argument: str = "") -> None:
        """Do what a command says; see `commands.run_command`."""
        self._now = now
        run_command(self.show, name, now, argument)

    def run_sent(self, sent: Sent, now: float) -> None:
        """Do what a remote has sent; that nothing is called so is answered."""
        if sent.name not in COMMANDS:
            sent.answer(f"nothing is called '{sent.name[:40]}'")
            return
        self._now = now
        # A tap counts when the finger fell, not when the frame came round; but nothing was meant long ago, or later.
        meant = now if sent.time is None else min(max(sent.time, now - LATE_SECONDS), now)
        run_command(self.show, sent.name, meant, sent.argument, sent.answer)

    def handle(self, events: list[pygame.event.Event], now: float) -> None:
        """Act on keys, the mouse, the window and what remotes have sent."""
        for event in events:
            if event.type == pygame.QUIT:
                self.running = self.kiosk
            elif event.type == pygame.KEYDOWN:
                mod = getattr(event, "mod", 0)
                sent = find_pin_command(event.key, mod) if self.window.pinning else None
                if sent := sent or find_command(event.key, mod, getattr(event, "scancode", 0)):
                    self.guide.note_key()
                    digit = self.guide.is_listing and sent[0] == "troupe"
                    self.run_command("input" if digit else sent[0], now, sent[1])
            elif event.type == pygame.MOUSEMOTION and any(event.rel) and not self.kiosk:  # SDL makes up one of 0
                self.window.pointer_moved(now)
            elif event.type == pygame.WINDOWDISPLAYCHANGED and getattr(event, "window", None) is None:
                self.window.dragged_to(event.display_index)
        for sent in self.inbox.take():
            self.run_sent(sent, now)

    def draw_frame(self, now: float, due: float | None = None) -> None:
        """Hear, step, decode and draw one picture. `now` is the time on the show's clock, s; `due` when the picture is
        to be shown; None: as soon as it is drawn."""
        self._now = now
        hearing = self.source.hearing(now)
        self._frames, self._led, self._bpm = self._frames + 1, self._led + (hearing.confidence > 0), hearing.bpm
        # A display takes up what it is given at its next refresh: half of one later, in the mean.
        seen = now + self.lead if due is None else max(due, now) + self.lead - self._own_lead / 2
        self._look_after_window(now)
        self.camera.tend(self.show, RATES[0] if self.governor is None else self.governor.camera.rate)
        width, height = self.window.size
        self.show.dancer.view = width / max(height, 1)
        if self.now_playing is not None:
            self.show.titles.song = self.now_playing()
        moment = self.show.step(self.source.musical_time(seen), hearing)
        self._tell_changes(now)
        if self.board.watched:
            state = describe_state(
                self.show, moment, seen=seen, source=self.source.name, recording=self.takes.recording
            )
            outputs = self.outputs.describe() if self.outputs is not None else ()
            self.board.state = replace(state, title=self.show.titles.text, outputs=outputs)
        if self.reloader is not None:
            self.show.look = self.show.looks.find(self.show.look.name)
            moment = replace(moment, look=self.show.look)
        moment = replace(moment, text=self._write(moment, now))
        self.takes.aim(seen)
        if (coming := self._forecast.push(seen, moment.musical_time)) is not None:
            self._coming = (coming, moment.hearing.energy)
        if self.spare < ROOM * self.show.prepare_seconds:
            self.begin_next()
        self.window.draw(moment)
        self.begin_next()
        self.takes.develop(moment.text.black)
        if self.outputs is not None:
            self.outputs.offer_moment(moment, seen)

    def begin_next(self) -> None:
        """Begin to make the bodies of the next picture, if that was not done.

        Two threads that both want the interpreter slow each other down. So where pictures wait for their deadlines,
        that is when this is called; where there is no time to wait, while this picture is painted.
        """
        if self._coming is not None:
            coming, self._coming = self._coming, None
            self.show.prepare(*coming)

    def report(self) -> str:
        """One line on what was danced to."""
        if not self._frames:
            return "stats: nothing was danced"
        led = f"on a beat that was heard in {self._led / self._frames:.0%} of frames"
        return f"stats: ear: {self.source.name}, {led}, {self._bpm:.0f} BPM at the end"

    def find_period(self, most: float) -> float:
        """Seconds from one picture to the next; `most`: frames a second, 0: no limit."""
        if not most:
            return 0.0
        if self.governor is None or self.window.gpu:  # a GPU has time for all
            return 1 / most
        self.governor.fit(most, self.window.refresh)
        return 1 / self.governor.rate

    def note_work(self, seconds: float, now: float) -> None:
        """A picture took `seconds` of work."""
        governor = self.governor
        if governor is None or self.window.gpu:
            return
        governor.camera.on = self.camera.on
        rate, detail, looked = governor.rate, governor.detail, governor.camera.rate
        scene = (self.show.look.name, self.show.troupe, self.window.size)
        if not governor.frame(now, seconds, scene, self.window.find_details(self.show.look)):
            return
        aside.info("%g frames a second, detail -%d, camera %g", governor.rate, governor.detail, governor.camera.rate)
        if governor.rate != rate:
            self._tell_once(f"{governor.rate:g} frames a second", governor.rate < rate)
        if governor.camera.rate != looked:
            is_less = governor.camera.rate < looked
            self._tell_once(f"{governor.camera.rate:g} pictures a second of the camera", is_less)
        if governor.detail != detail:
            self.window.set_detail(governor.detail)
            self._tell_once("coarser effects" if governor.detail else "all effects", governor.detail > detail)

    def _tell_once(self, what: str, is_less: bool) -> None:
        text = f"{what} for now: the processor is busy" if is_less else f"{what} again"
        if text not in self._is_told:
            self._is_told.add(text)
            self.toasts(text, "governor")

    # --- Host

    def escape(self) -> None:
        """Esc closes the help or a panel; else the show, if it is meant: a sleeve on a keyboard ends no party."""
        if self.guide.hide():
            log.info("panel: hidden")
        elif self.help:
            self.toggle_help()
        elif self.kiosk:
            return
        elif self._now - self._escaped <= ESCAPE_SECONDS:
            self.running = False
        else:
            self._escaped = self._now
            self.show.reply(f"Esc again ends the show{' and the recording' if self.takes.recording else ''}", "escape")

    def toggle_help(self) -> None:
        self.help = not self.help
        log.info("help: %s", "shown" if self.help else "hidden")

    def toggle_fullscreen(self) -> None:
        if self.kiosk:
            return
        window = self.window
        before = None if window.fullscreen else window.windowed
        window.toggle_fullscreen()
        self.show.choices.note("window", before, None if window.fullscreen else window.windowed)
        self.show.reply("full screen" if window.fullscreen else "window", "window")

    def move_to_next_display(self) -> None:
        from visualizer.stage.displays import name_for_file

        window = self.window
        before, text = name_for_file(window.display, window.displays), "there is no other display"
        if window.next_display():
            self.show.choices.note("display", before, name_for_file(window.display, window.displays))
            text = f"display {window.display}"
        self.show.reply(text, "window")

    def adjust_screen(self, what: str, argument: str) -> None:
        before = self.window.screens
        said = self.window.adjust_screen(what, argument)
        self.show.choices.note("screens", before, self.window.screens)
        self.show.reply(said, "window")

    def show_code(self, guests: bool) -> None:
        none = "there is no phone page: start with --remote"
        self.show.reply(self.codes.toggle(guests, self._now) if self.codes else none, "code")

    def step_song(self, songs: int) -> None:
        none = "there is no playlist: start with --playlist FOLDER"
        self.show.reply(self.songs.step(songs) if self.songs else none, "song")

    def learn_control(self, command: str) -> None:
        none = "there is no MIDI: start with --midi"
        self.show.reply(self.learn(command) if self.learn else none, "midi")

    def take_picture(self) -> None:
        self.takes.picture()

    def toggle_recording(self) -> None:
        said = self.takes.record(self._now + self.lead, self.window.size, self.source.sounds)
        self.show.reply(said, "record")

    def toggle_camera(self, wanted: str) -> None:
        self.camera.turn(self.show, read_switch(wanted, self.camera.wanted))

    # --- what a frame needs besides

    def _tell_changes(self, now: float) -> None:
        for change in self.show.changed:
            if change.why:
                self.toasts(f"{change.kind}: {change.name} ({change.why})")
            else:
                log.info("auto: %s", change)
        if self.reloader is not None:
            for text in self.reloader.poll(now):
                self.show.reply(text, "looks")

    def _write(self, moment: Moment, now: float) -> Text:
        """What is written over the picture."""
        if (self.help or self.guide.is_checking) and now >= self._status_due:
            self._status_due = now + STATUS_SECONDS
            self._status, self._on_now = describe_hearing(self.source.name, moment.hearing), self.show.describe()
        text = replace(
            moment.text,
            toasts=self.toasts.show(now, self.show.dark),
            help=self.help,
            status=self._status,
            on_now=self._on_now,
            recording=self.takes.recording,
            camera=self.camera.on,
            code=self.codes.find_shown(now) if self.codes else None,
        )
        return self.guide.write(text, moment.hearing, self._status, self.show.latency_ms, self.show.dark)

    def _look_after_window(self, now: float) -> None:
        self.window.rest_pointer(now)
        if now >= self._displays_due:
            self._displays_due = now + DISPLAYS_SECONDS
            if text := self.window.follow_displays():
                self.toasts(text)
        self.window.follow_size()


class Forecast:
    """When the next picture is, in musical time: as long after this one as is usual of late, at the pace of now."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=STEADY)  # seconds from picture to picture
        self._seen = self._musical_time = math.nan

    def push(self, seen: float, musical_time: float) -> float | None:
        """A picture at `musical_time` is seen at `seen`, seconds; where the next will be. None: nobody knows."""
        gap, moved = seen - self._seen, musical_time - self._musical_time
        self._seen, self._musical_time = seen, musical_time
        if not (gap > 0 and moved > 0):
            return None
        self._gaps.append(gap)
        return musical_time + moved / gap * statistics.median(self._gaps)


def describe_hearing(name: str, hearing: Hearing) -> str:
    """What the ear hears now, in one line."""
    sure = f"sure by {hearing.confidence:.0%}" if hearing.confidence else "keeping the tempo"
    full = round(hearing.loudness * 8)
    return f"{name}: {hearing.bpm:.0f} BPM, {sure}, loudness {'▮' * full}{'▯' * (8 - full)}"


def play(
    live: LiveShow,
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
    no limit. Nine parameters, for tests replace the clock, sleep, events and signals, each by itself.

    `keep`: whether the times of all frames are wanted; in a long night they are many.
    """
    times, minute = FrameTimes(), FrameTimes()
    pacer = Pacer(clock, sleep)

    def wait_to_show() -> None:
        live.begin_next()
        pacer.wait()

    live.window.before_show = wait_to_show
    started = told = pacer.due
    last: float | None = None
    while live.running and not (stop and stop.signal):
        most = rate() if callable(rate) else rate
        pacer.plan(0.0 if last is None else live.find_period(most))
        if seconds is not None and pacer.due - started >= seconds:
            break
        begun = clock()
        live.handle(events(), begun)
        if not live.running:
            break
        live.draw_frame(begun, None if live.window.vsync else pacer.due)
        shown = clock()
        work = shown - begun - pacer.waited
        live.spare = pacer.waited
        live.note_work(work, shown)
        if last is None:
            first_frame()
        else:
            minute.add(shown - last, work)
            if keep:
                times.add(shown - last, work)
        if shown - told >= MINUTE:
            aside.info("%s; %s", minute.report(), live.source.name)
            minute, told = FrameTimes(), shown
        last = shown
        if not pacer.is_over:  # where the display itself paces, this only keeps a hidden window from racing
            pacer.wait()
    return times
