"""Open what a live show needs, play it to its end, and close it again."""

from __future__ import annotations

import gc
import logging
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from visualizer.auto import KINDS, Auto, Kind, Preferences, find_pins
from visualizer.camera.live_camera import LiveCamera
from visualizer.cues import CueList, CuePlayer, load_cues
from visualizer.errors import UserError
from visualizer.leave import unhurried
from visualizer.live import LiveShow, play
from visualizer.media import path_of
from visualizer.messages import Notify, Toasts
from visualizer.options import AUTO, Settings
from visualizer.outputs.start import open_outputs
from visualizer.remote.start import open_remotes
from visualizer.resume import kept_until_the_end, open_resume
from visualizer.settings import remember, settings_file, with_fallback
from visualizer.show import Show, ShowPlan
from visualizer.songs import SongSet, load_songs
from visualizer.stage.governor import Governor
from visualizer.stage.looks.live import Reloader
from visualizer.stop import Stopped, asked_to_stop
from visualizer.support.memory import one_heap
from visualizer.support.printable import say
from visualizer.titles import TitleBoard

if TYPE_CHECKING:
    from visualizer.dancer.dancer import Dancer
    from visualizer.music.inputs import Inputs
    from visualizer.music.sources import MusicSource
    from visualizer.music.sources.meters import Meter
    from visualizer.outputs.lights.fixtures import LightMap
    from visualizer.stage.window import Window

log = logging.getLogger("visualizer")

SUSPECT_SECONDS = 10.0  # before a crash: what was chosen then may be to blame for it


@dataclass
class Opened:
    """What a show is made of. `unmet` says which settings of the file could not be met."""

    window: Window
    dancer: Dancer
    inputs: Inputs
    unmet: list[str]


def run(settings: Settings, *, notes: tuple[str, ...] = (), started: float | None = None) -> int:
    """Open the window, the dancer and the source of music, and play until the end. Returns the signal that ended the
    show, or 0.

    `notes` are shown as toasts at the start; `started` is when the program started, on `time.perf_counter`.
    Raises UserError for settings that cannot be met, and stage.video.NoDisplay where there is no screen.
    """
    one_heap()
    cues = None if settings.cues is None else load_cues(path_of(settings.cues))
    songs = load_songs(settings)
    lights = _load_lights(settings)
    clock = time.perf_counter
    started = clock() if started is None else started
    seed = settings.seed if settings.seed is not None else random.SystemRandom().getrandbits(32)
    toasts = Toasts()
    opened = _open(settings, seed, clock, toasts, songs)
    try:
        live = _make_show(settings, opened, seed, toasts, clock)
        for note in (*notes, *opened.unmet):
            toasts(note, "", True)
        selector = live.show.style_selector
        if selector and selector.note:
            toasts(selector.note, "", True)
        live.show.avoid_unwanted(settings.from_cli)
        with (
            playing_songs(songs, live),
            following_players(settings, live),
            playing_cues(settings, cues, live),
            open_outputs(settings, live),
            _lighting(lights, live, clock),
            open_remotes(settings, live, clock),
            _watching(settings, live),
        ):
            signal = _play(live, settings, clock, started)
        if settings.screenshot:
            opened.window.save(settings.screenshot)
            log.info("picture saved as %s", settings.screenshot)
    finally:
        opened.inputs.close()
        opened.window.close()
    return signal


def _open(
    settings: Settings, seed: int, clock: Callable[[], float], notify: Notify, songs: SongSet | None
) -> Opened:  # fmt: skip
    """The networks load while the window opens."""
    from visualizer.stage.screens.wall import WallChoice
    from visualizer.stage.video import open_video
    from visualizer.stage.window import Window

    unmet: list[str] = []
    open_video()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(_load_dancer, settings, seed, unmet, notify)
        window = with_fallback(
            settings,
            ("display", "stage"),
            lambda s: Window(s.window, s.display, s.stage, notify, WallChoice(s.display, s.stretch, s.screens)),
            unmet,
        )
        try:
            dancer = loading.result()
            inputs = with_fallback(settings, ("audio",), lambda s: _open_inputs(s, clock, notify, songs), unmet)
        except BaseException:
            window.close()
            raise
    return Opened(window, dancer, inputs, unmet)


def _make_show(
    settings: Settings, opened: Opened, seed: int, toasts: Toasts, clock: Callable[[], float]
) -> LiveShow:  # fmt: skip
    from visualizer.film.recorder import Takes
    from visualizer.stage.displays import is_called

    window, dancer, inputs = opened.window, opened.dancer, opened.inputs
    log.info("seed %d, style %s, look %s", seed, dancer.style, settings.look)
    if dancer.dance is not None:
        log.info("dance %s", dancer.dance)
    provider = dancer.pack.provider
    log.info("%s %dx%d, networks on %s, ear: %s", window.stage_name, *window.size, provider, inputs.source.name)
    wanted = settings.display
    if isinstance(wanted, str) and not window.wall.is_wide and not is_called(window.display, wanted):
        window.miss(wanted)
    plan = ShowPlan(
        look=settings.look,
        seeds=random.Random(seed),
        auto=Auto(random.Random(f"auto {seed}"), settings.auto, find_pinned(settings)),
        preferences=read_preferences(settings),
        by_music=settings.style == AUTO,
        sensitivity=settings.sensitivity,
        latency_ms=settings.latency_ms,
        titles=open_live_titles(settings, opened.unmet),
    )
    rate = window.rate if settings.fps is None else float(settings.fps)
    live = LiveShow(
        Show(dancer, plan, toasts), toasts, inputs, window, Takes(window.camera, clock, toasts),
        lead=1 / window.rate,  # what the display says of itself; settings.latency_ms is what it cannot say
        governor=Governor(rate, window.refresh) if rate else None,
        first=settings.hint and not settings.kiosk,  # a screen of an exhibition has no keyboard
    )  # fmt: skip
    live.kiosk = settings.kiosk
    if settings.dev:
        live.reloader = Reloader(live.show.looks)
    return live


def _play(live: LiveShow, settings: Settings, clock: Callable[[], float], started: float) -> int:
    """Play to the end and put away what is to be kept. Returns the signal that ended it, or 0."""
    from visualizer.stage import x11

    window = live.window

    def begin() -> None:
        log.info("first frame after %.2f s", clock() - started)
        # The collector stops everything, and looks through all the libraries again and again, 70 ms each time.
        # What is there by now stays, so the collector is to pass over it.
        gc.freeze()

    def finish(until: float = math.inf) -> None:
        """Put away what is to be kept of this show; of what commands have changed, what they changed until then."""
        if settings.remember:  # first, for it is quick, and what ends the show may not wait long
            _keep(live.show.choices.find_changes(until))
        live.takes.finish(clock() + live.lead)
        live.toasts.log_rest()

    def finish_without_display() -> None:
        live.takes.lose_camera()
        finish()

    x11.before_the_end(finish_without_display)
    ended = False
    with asked_to_stop() as stop:
        try:
            times = play(
                live,
                rate=(lambda: window.pace) if settings.fps is None else float(settings.fps),
                seconds=settings.seconds,
                clock=clock,
                first_frame=begin,
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
            with unhurried():
                finish(math.inf if ended else clock() - SUSPECT_SECONDS)
            x11.before_the_end(None)
    if settings.stats:
        say(times.report())
        say(live.report())
    return stop.signal


@contextmanager
def playing_cues(settings: Settings, cues: CueList | None, live: LiveShow) -> Iterator[None]:
    """Play the list, from where the last show ended if that ended badly, and keep where it is until it ends well."""
    if cues is None or settings.cues is None:
        yield
        return
    path = path_of(settings.cues)
    resume = open_resume(path, live.toasts)
    start = resume.find() if resume else 0
    live.show.cues = CuePlayer(cues, start, resume.keep if resume else lambda _: None)
    if settings.logo is None:
        live.show.titles.folder = path.parent
    if start:
        live.toasts(f"going on where the last show ended, with cue {start + 1}; Shift+N goes back", "", True)
    with kept_until_the_end(resume) if resume else nullcontext():
        yield


@contextmanager
def playing_songs(songs: SongSet | None, live: LiveShow) -> Iterator[None]:
    """The show steps through its playlist, and says what plays; where it is is kept until it ends well."""
    if songs is None or songs.source is None:
        yield
        return
    live.songs = source = songs.source
    live.now_playing = lambda: source.playing
    for note in songs.notes:
        live.toasts(note, "", True)
    with kept_until_the_end(songs.resume):
        yield


@contextmanager
def following_players(settings: Settings, live: LiveShow) -> Iterator[None]:
    """The song's name is that of another program's song in here, where one is to be shown and we play none."""
    from visualizer.music.sources import is_song

    plays = settings.playlist is not None or is_song(settings.audio)
    if not settings.now_playing or plays or sys.platform != "linux":
        yield
        return
    from visualizer.music import mpris

    try:
        players = mpris.NowPlaying(live.toasts)
    except UserError as error:
        live.toasts(str(error), "song", True)
        yield
        return
    live.now_playing = lambda: players.playing
    try:
        yield
    finally:
        players.close()


def _load_lights(settings: Settings) -> LightMap | None:
    if settings.lights is None:
        return None
    from visualizer.outputs.lights.fixtures import load_lights

    return load_lights(path_of(settings.lights))


def _lighting(
    lights: LightMap | None, live: LiveShow, clock: Callable[[], float]
) -> AbstractContextManager[None]:  # fmt: skip
    """Lamps that follow the show, where there are any."""
    if lights is None:
        return nullcontext()
    from visualizer.outputs.lights.lights import open_lights

    return open_lights(lights, live, clock)


@contextmanager
def _watching(settings: Settings, live: LiveShow) -> Iterator[None]:
    """The camera that was asked for is on in here, and none is when this is over. What cannot be had is said."""
    live.camera = LiveCamera(settings.camera)
    try:
        if settings.camera is not None:
            live.run_command("camera", 0.0, "on")
        yield
    finally:
        live.camera.close(live.show)


def open_live_titles(settings: Settings, unmet: list[str]) -> TitleBoard:
    """Words and pictures over the dance, and the time of day; what the settings file says of them may be old."""
    from visualizer.music.sources import is_song
    from visualizer.stage.titles.asked import open_titles

    song = path_of(settings.audio) if is_song(settings.audio) and settings.playlist is None else None
    titles = with_fallback(settings, ("title", "logo", "qr"), lambda s: open_titles(s, song), unmet)
    titles.clock = lambda: time.strftime("%H:%M")
    return titles


def read_preferences(settings: Settings) -> Preferences:
    """Favourites and never-agains."""
    favourite: dict[Kind, tuple[str, ...]] = {kind: getattr(settings, f"favourite_{kind}s") for kind in KINDS}
    never: dict[Kind, tuple[str, ...]] = {kind: getattr(settings, f"never_{kind}s") for kind in KINDS}
    return Preferences(favourite, never)


def find_pinned(settings: Settings) -> set[Kind]:
    """What the command line asked for by name: auto mode leaves that alone."""
    return find_pins(settings.from_cli, settings.style == AUTO)


def _keep(changes: dict[str, Any]) -> None:
    """Write what commands have changed into the settings file."""
    if not changes:
        return
    path = settings_file()
    try:
        remember(path, changes)
    except UserError as error:
        log.info("not remembered: %s", error)
    else:
        log.info("remembered in %s: %s", path, ", ".join(changes))


def _load_dancer(settings: Settings, seed: int, unmet: list[str], notify: Notify) -> Dancer:
    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import find_pack, load_pack

    pack = with_fallback(settings, ("pack", "device"), lambda s: load_pack(find_pack(s.pack), s.device, notify), unmet)
    dancer = with_fallback(
        settings,
        ("style", "dance"),
        lambda s: Dancer(pack, seed, None if s.style == AUTO else s.style, s.troupe, s.temperature, s.dance, notify),
        unmet,
    )
    if settings.figure is not None:
        with_fallback(settings, ("figure",), lambda s: choose_figures(dancer, s.figure), unmet)
    dancer.set_sync(settings.sync)
    dancer.set_camera(settings.viewpoint == "moves")
    return dancer


def choose_figures(dancer: Dancer, figure: str | None) -> None:
    """Who dances, if that was asked for. UserError for a figure that the pack does not have."""
    from visualizer.dancer.wardrobe import split_figures

    if figure is not None:
        dancer.set_figures(split_figures(figure))


def _open_inputs(
    settings: Settings, clock: Callable[[], float], notify: Notify, songs: SongSet | None
) -> Inputs:  # fmt: skip
    """What is listened to, songs if there is a list of them, and what there is besides."""
    from visualizer.music.inputs import Devices, Inputs
    from visualizer.music.sources import open_source

    def open_other(audio: str, bpm: float) -> MusicSource:
        return open_source(audio, bpm=bpm, clock=clock, notify=notify)

    source = songs.open(clock, notify) if songs else open_other(settings.audio, settings.bpm)
    return Inputs(source, settings.audio, Devices(open_other, list_meters, clock, notify))


def list_meters(clock: Callable[[], float]) -> AbstractContextManager[list[Meter]]:
    """The levels of all there is to listen to; the modules for it are read when they are wanted."""
    from visualizer.music.sources.meters import open_meters

    return open_meters(clock)
