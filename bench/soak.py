"""Runs a show for hours and measures memory, open handles, frame times and the phase of the beat. Linux.

    python -m bench.soak --hours 8                 in simulated time
    python -m bench.soak --hours 1 --real          a window, a microphone and sound that plays

Simulated, it is the show's own loop, dancer, ear, genre classifier, auto mode, overlay, flash guard and painter, but
small, with a clock that the loop moves, and sound that is pushed into the ear. With --real it is `visualizer --audio
mic` in an Xvfb with a PulseAudio null sink whose monitor is the microphone; `--load N` runs N other busy processes. In
both, key presses show all looks with nine dancers first, and then a random key is pressed each minute. The music: four
loops of known tempo, three minutes each, with a gap.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.watch import Watch, figures, plot, read
from visualizer.moment import Moment
from visualizer.music.analysis.features import RATE
from visualizer.screen_setup import ScreenTable
from visualizer.stage.looks import Look, shipped_looks

SIZE = (320, 180)  # of the simulated stage
DELAY = 0.06  # seconds by which the simulated sound is late
TEMPI = (100, 112, 124, 132)  # BPM of the loops
SONG, GAP = 180.0, 3.0  # seconds
LOCKED = 15.0  # seconds of a song after which the beat has to be known
LOOP_BEATS = 32
SOUND_RATE = 2 * RATE  # of the sound that is played with --real
TOUR = 20.0  # seconds for which each look is shown first, with nine dancers
KEYS = "space space space right left up down d 1 2 5 9 1 u"  # pressed after that, one at random each minute

Floats = NDArray[np.float32]
Times = NDArray[np.float64]


# --- the music ------------------------------------------------------------------------------------------------


def loop(bpm: float, rate: int, seed: int) -> Floats:
    """32 beats of drums and bass, float32 mono: kick, backbeat, hats, a bass line of four chords, and a fill."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(LOOP_BEATS * 60 / bpm * rate), np.float32)
    t = np.arange(rate // 2) / rate
    kick = np.sin(2 * np.pi * (48 * t - 6 * np.exp(-30 * t))) * np.exp(-9 * t)
    snare = (rng.normal(size=len(t)) * 0.5 + np.sin(2 * np.pi * 190 * t)) * np.exp(-18 * t) * 0.6
    hat = np.diff(rng.normal(size=len(t) + 1)) * np.exp(-60 * t) * 0.2

    def put(sound: Times, beat: float, gain: float = 1.0) -> None:
        at = round(beat * 60 / bpm * rate)
        piece = sound[: len(out) - at]
        out[at : at + len(piece)] += np.float32(0.3 * gain) * piece.astype(np.float32)

    for beat in range(LOOP_BEATS):
        put(kick, beat, 1.0 if beat % 2 == 0 else 0.5)
        if beat % 2:
            put(snare, beat)
        put(hat, beat)
        put(hat, beat + 0.5, 1.4)
        note = 55 * 2 ** ((0, 0, -4, 3)[beat // 8] / 12)
        bass = (
            (np.sin(2 * np.pi * note * t) + 0.3 * np.sin(4 * np.pi * note * t)) * np.minimum(1, 50 * t) * np.exp(-3 * t)
        )
        put(bass, beat, 0.8 if beat % 4 == 0 else 0.6)
        if rng.random() < 0.4:
            put(bass, beat + 0.5, 0.5)
    for quarter in range(4):
        put(snare, LOOP_BEATS - 1 + quarter / 4, 0.3 + 0.2 * quarter)
    return out


class Music:
    """The loops one after the other, endlessly."""

    def __init__(self, rate: int) -> None:
        self._loops = [loop(bpm, rate, i) for i, bpm in enumerate(TEMPI)]
        self._song, self._gap = round(SONG * rate), round(GAP * rate)

    def samples(self, start: int, count: int) -> Floats:
        """float32 mono."""
        out = np.zeros(count, np.float32)
        done = 0
        while done < count:
            song, at = divmod(start + done, self._song + self._gap)
            sound = self._loops[song % len(self._loops)]
            if at >= self._song:
                done += self._song + self._gap - at
                continue
            place = at % len(sound)
            n = min(count - done, len(sound) - place, self._song - at)
            out[done : done + n] = sound[place : place + n]
            done += n
        return out


def beat_of(t: Times) -> tuple[Times, Times]:
    """True beat at `t` seconds of the music, NaN in the first seconds of a song and in gaps; seconds of a beat."""
    song, at = np.divmod(np.asarray(t, np.float64), SONG + GAP)
    length = 60 / np.array(TEMPI)[song.astype(np.int64) % len(TEMPI)]
    return np.where((at > LOCKED) & (at < SONG) & (t >= 0), at / length, np.nan), length


def presses(seed: int) -> Iterator[tuple[float, str]]:
    """Yield seconds of the show, and the name of the key that is pressed then; endless."""
    chance = random.Random(seed)
    tour = ["9", *["up"] * len(shipped_looks()), "1"]
    for k, name in enumerate(tour, 1):
        yield TOUR * k, name
    for minute in itertools.count(math.ceil(TOUR * len(tour) / 60) + 1):
        yield 60.0 * minute, chance.choice(KEYS.split())


# --- simulated ------------------------------------------------------------------------------------------------


def simulated(hours: float, fps: float, minutes_real: float, seed: int, folder: Path) -> None:
    """Run the whole loop with a simulated clock, for at most `minutes_real` minutes of real time.

    Long, because its stand-ins for microphone and window share the simulated clock, and because pygame is imported
    late, after the video driver is chosen.
    """
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    import pygame

    from visualizer.auto import Auto
    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.film.recorder import Takes
    from visualizer.live import LiveShow, play
    from visualizer.messages import Toasts
    from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model
    from visualizer.music.analysis.genre import GenreClassifier
    from visualizer.music.inputs import Inputs
    from visualizer.music.sources.capture_thread import TimedEstimate
    from visualizer.music.sources.live import LiveSource
    from visualizer.show import Show, ShowPlan
    from visualizer.stage.cpu.painter import Painter
    from visualizer.stage.displays import Display
    from visualizer.stage.flash_guard import FlashGuard
    from visualizer.stage.guarded import GuardedSurface
    from visualizer.stage.overlay import Overlay
    from visualizer.stage.shots import Camera

    now = 0.0
    watch, music = Watch(folder), Music(RATE)

    class SimulatedCapture:
        """Hears the music in simulated time."""

        what = "simulated music"

        def __init__(self) -> None:
            self.latest: Any = None
            self._chain, self._taste, self._heard = BeatPipeline(find_model()), GenreClassifier(), 0

        def hear(self) -> None:
            count = round(max(now - DELAY, 0.0) * RATE) - self._heard
            heard = self._chain.push(music.samples(self._heard, count))
            self._heard += count
            if heard is not None:
                self._taste.push(self._chain.heard_rows, heard.beat, heard.bpm, heard.steady)
                self.latest = TimedEstimate(heard.time, heard, self._taste.mix)

        def notice_stall(self) -> None: ...

        def find_silence(self, now: float) -> float:
            return 0.0

        def sounds(self, begins: float) -> None:
            return None

        def close(self) -> None: ...

    class Screen:
        """A painter without a window."""

        fullscreen, gpu, vsync, size, windowed = False, False, False, SIZE, SIZE
        display = Display(0, "none", SIZE, 60)
        displays = (display,)
        pinning, screens = False, ScreenTable()

        def __init__(self) -> None:
            self.painter = Painter(SIZE, patient=False)
            self.screen = pygame.Surface(SIZE, 0, 32)
            self.guarded = GuardedSurface(FlashGuard(), SIZE)
            self.overlay = Overlay(SIZE)
            self.pace = self.refresh = fps
            self.before_show: Callable[[], None] = lambda: None

        def draw(self, moment: Moment) -> None:
            surface = self.painter.paint(moment)
            writing, _ = self.overlay.render(moment.text)
            self.guarded.show(surface, self.painter.dirty, writing, self.screen, now)
            # In processor time, so that other programs do not matter.
            watch.frame(now, time.thread_time(), moment.musical_time, moment.bodies.frames[0] > 0)

        def adjust_screen(self, what: str, argument: str) -> str:
            return ""

        def toggle_fullscreen(self) -> None: ...
        def set_detail(self, detail: int) -> None: ...
        def find_details(self, look: Look) -> tuple[int, ...]:
            return (0,)

        def dragged_to(self, number: int) -> None: ...
        def pointer_moved(self, now: float) -> None: ...
        def rest_pointer(self, now: float) -> None: ...
        def follow_size(self) -> bool:
            return False

        def next_display(self) -> bool:
            return False

        def follow_displays(self) -> None:
            return None

    pygame.init()
    pack = load_pack(find_pack(None))
    listener, toasts = SimulatedCapture(), Toasts()
    ear = LiveSource(120, lambda: now, lambda _: listener, toasts)  # type: ignore[arg-type,return-value]
    plan = ShowPlan("paper", random.Random(seed), Auto(random.Random(seed), True), by_music=True)
    takes = Takes(Camera(), lambda: now, toasts)
    live = LiveShow(Show(Dancer(pack, seed), plan, toasts), toasts, Inputs(ear), Screen(), takes, lead=0.0)
    somebody = presses(seed)
    due, name = next(somebody)
    deadline = time.monotonic() + 60 * minutes_real

    def events() -> list[pygame.event.Event]:
        nonlocal due, name
        listener.hear()
        if time.monotonic() > deadline:
            live.running = False
        if now < due:
            return []
        key, (due, name) = pygame.key.key_code(name), next(somebody)
        return [pygame.event.Event(pygame.KEYDOWN, key=key, mod=0)]

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    gc.freeze()  # as the program does
    play(live, rate=fps, seconds=3600 * hours, clock=lambda: now, sleep=sleep, events=events, keep=False)
    watch.close()


# --- with a window and a microphone ---------------------------------------------------------------------------


def watched(folder: Path, words: list[str]) -> None:
    """Run `visualizer` with these arguments in this process; each frame is recorded, and keys are pressed."""
    import pygame

    from visualizer.cli import app
    from visualizer.stage.window import Window

    watch, draw, somebody, began = Watch(folder), Window.draw, presses(1), math.nan
    due, name = next(somebody)

    def drawn(self, moment: Moment) -> None:
        nonlocal began, due, name
        draw(self, moment)
        now = time.perf_counter()
        watch.frame(moment.hearing.time, now, moment.musical_time, moment.bodies.frames[0] > 0)
        began = now if math.isnan(began) else began
        if now >= began + due:
            key, (due, name) = pygame.key.key_code(name), next(somebody)
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0))

    Window.draw = drawn
    app(words)


def in_earnest(hours: float, load: int, size: str, folder: Path) -> float:
    """The program itself, with a window and a microphone. Returns when the music began, on time.perf_counter."""
    from bench.pulse import Server
    from bench.xvfb import screen

    music = Music(SOUND_RATE)
    with tempfile.TemporaryDirectory() as home, screen() as display:
        server = Server(Path(home))
        server.start(rate=SOUND_RATE)
        server.ask("set-default-source", "party.monitor")
        server.stream(music.samples, SOUND_RATE)
        began = time.perf_counter()
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(load)]
        words = ["--audio", "mic", "--window", size, "--stage", "painter", "--device", "cpu", "--style", "auto"]
        words += ["--no-remember", "--seed", "1", "--seconds", str(3600 * hours)]
        env = {**server.environment, **display, **{k: server.environment[k] for k in ("HOME", "PULSE_SERVER")}}
        try:
            done = subprocess.run([sys.executable, "-m", "bench.soak", "--watched", str(folder), *words], env=env)
        finally:
            for other in others:
                other.kill()
                other.wait()
            server.kill()
    if done.returncode:
        raise SystemExit(f"bench.soak: the show ended with code {done.returncode}")
    return began


def main() -> None:
    if sys.argv[1:2] == ["--watched"]:
        watched(Path(sys.argv[2]), sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--real", action="store_true", help="with a window and a microphone, not in simulated time")
    parser.add_argument("--fps", type=float, default=20.0, help="frames a simulated second")
    parser.add_argument("--minutes-real", type=float, default=math.inf, help="end the simulation after this time")
    parser.add_argument("--load", type=int, default=0, help="number of other busy processes, with --real")
    parser.add_argument("--size", default="1280x720", help="of the window, with --real")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation")
    parser.add_argument("--plot", type=Path, help="PNG to write")
    parser.add_argument("--keep", type=Path, help="folder in which the record is kept; without it, it is removed")
    chosen = parser.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp())
    try:
        began, heard = 0.0, DELAY
        if chosen.real:
            began, heard = in_earnest(chosen.hours, chosen.load, chosen.size, folder), 0.0
        else:
            simulated(chosen.hours, chosen.fps, chosen.minutes_real, chosen.seed, folder)
        # The null sink's clock was found to be 0.03% fast.
        soaked = read(folder, lambda t: beat_of(t - began - heard), 8e-4 if chosen.real else 0.0)
        # By then nearly everything has been shown once, and all loops of the music were played.
        warm, span = min(1800.0, soaked.at[-1] / 6), min(len(TEMPI) * (SONG + GAP), soaked.at[-1] / 2)
        what = "in earnest" if chosen.real else "simulated"
        print(f"{what}, {' '.join(sys.argv[1:])}", *figures(soaked, warm, span), sep="\n")
        if chosen.plot:
            plot(soaked, chosen.plot, f"{soaked.at[-1] / 3600:.1f} hours of show, {what}")
    finally:
        if not chosen.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
