"""A video of the live show. It keeps real time and never holds the show up: what the encoder cannot keep up with is
left out, and the picture before stands a little longer.

The show hands over clean pictures with the moment at which each is seen. A thread of its own, less urgent than the
show where the system lets it be, lays them on an even grid and feeds the encoder some time later, when what
sounded with them has come in.
"""

from __future__ import annotations

import datetime
import io
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
import pygame

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music.sources.tape import NoSounds, Sounds, sounds
from visualizer.paths import unused
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.shots import Camera, Pixels, Shot
from visualizer.support.log import what
from visualizer.support.memory import give_back
from visualizer.support.priority import step_back

if TYPE_CHECKING:
    from visualizer.outputs.outputs import Outputs

log = logging.getLogger("visualizer")

FPS = 30
SUFFIX = ".mkv"  # unlike .mp4 it plays however it ends: after a power cut, too, or on a full disk
LARGEST = (1920, 1080)  # either way up: more no processor encodes beside a show
WAITING = 32 << 20  # bytes of pictures that may wait to be looked at
LATE = 0.3  # seconds that pictures then wait for their sound
HELD = 20  # pictures that do, at most: twice as many as come in that time
BEHIND = 20.0  # seconds: a machine that is so far behind will not catch up
HASTE = 1.0  # seconds that a video still gets after a second signal; the process gets `visualizer.leave.PROMPT`


class Recorder:
    """One video. `offer` pictures, then `stop`; it is written to its end in the background, `finish` waits for that."""

    def __init__(
        self, path: Path, size: tuple[int, int], began: float, sound: Sounds, clock: Callable[[], float],
        notify: Notify,
    ) -> None:  # fmt: skip
        """`size` of the window; `began`: the moment of the first picture, on the clock. `notify` is called from the
        recorder's thread too."""
        self.path, self.size = path, fitted(size)
        self._notify = notify
        self.over = False  # no more pictures are wanted: stopped, or it failed
        self.dropped = 0
        self._began, self._sound, self._clock = began, sound, clock
        self._slot = -1  # of the last picture asked for
        most = min(max(WAITING // (size[0] * size[1] * 4), 2), FPS // 2)
        self._queue: queue.Queue[tuple[int, Shot, float]] = queue.Queue(most)
        self._ends = threading.Event()
        self._last = 0  # slots when it was stopped
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def due(self, now: float) -> bool:
        """Whether the picture that is seen at `now` is wanted."""
        return not self.over and self._slot_of(now) > self._slot

    def offer(self, shot: Shot, black: float = 0.0) -> None:
        """A picture; `black` of its light is faded out. Never waits: if too many do, this one is left out."""
        if self.over:
            return
        self._slot = max(self._slot, self._slot_of(shot.time))
        try:
            self._queue.put_nowait((self._slot_of(shot.time), shot, black))
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1:
                self._notify("recording: too much for this machine, some pictures are left out")

    def stop(self, now: float) -> None:
        """No more pictures; the video ends at `now`."""
        if not self._ends.is_set():
            self._last = max(self._slot_of(now), 1)
            self.over = True
            self._ends.set()

    def finish(self, timeout: float | None = None) -> None:
        """Wait until the file is whole, or for that many seconds."""
        self._thread.join(timeout)

    @property
    def writing(self) -> bool:
        """Whether the file is not whole yet."""
        return self._thread.is_alive()

    def _slot_of(self, moment: float) -> int:
        return int((moment - self._began) * FPS)

    def _run(self) -> None:
        try:
            import visualizer.film.encoder  # noqa: F401 late: it brings PyAV; before we step back, for it holds Python's lock

            step_back()  # the encoder's threads inherit that
            frames = self._write()
        except UserError as error:
            self._notify(f"recording ended: {error}{self._kept()}")
        except Exception as error:
            self._notify(f"recording ended: {what(error)}{self._kept()}")
            raise  # all of it into the log
        else:
            self._notify(f"recorded: {self.path} ({frames / FPS:.0f} s)")
        finally:
            self.over = True
            self._sound.close()
            give_back()

    def _kept(self) -> str:
        """What to say of the file after a failure; an empty one is removed."""
        if not self.path.exists():
            return ""
        if self.path.stat().st_size:
            return f"; what there is is kept in {self.path}"
        self.path.unlink()
        return ""

    def _write(self) -> int:
        """Feed the encoder until all is written; how many frames that were. UserError if it fails."""
        from visualizer.film.encoder import Encoder

        encoder = Encoder(self.path, self.size, FPS, sounds(self._sound))
        held: deque[tuple[int, Any]] = deque()  # pictures that wait for their sound; converted they are the smallest
        written = 0
        guard = GuardedFrames(self.size)  # what is offered is as it was painted; the screen has a guard of its own
        try:
            picture = encoder.convert(np.zeros((self.size[1], self.size[0], 4), np.uint8))
            while True:
                ended = self._ends.is_set()
                wait = self._ripe_in(held[0][0]) if held else 0.05
                if len(held) < HELD:  # else an encoder that is behind would have all of them in memory
                    try:
                        slot, shot, black = self._queue.get(timeout=max(wait, 0.001))
                        pixels = fit(shot, self.size, black)
                        guard.show(pixels, slot / FPS)
                        held.append((slot, encoder.convert(pixels)))
                        continue
                    except queue.Empty:
                        pass
                elif wait > 0:
                    time.sleep(min(wait, 0.05))
                until = held[0][0] if held else self._last if ended else 0
                if self._ripe_in(until) > 0:
                    continue
                while written < until:
                    encoder.put_converted(picture)
                    written += 1
                if held:
                    _, picture = held.popleft()
                elif ended:
                    break
                if self._clock() - self._began - written / FPS > BEHIND:
                    raise UserError("this machine is too slow for it")
        finally:
            # Also after a failure, and whatever it was: the file so far is closed, and plays.
            if written:
                encoder.finish()
            else:
                encoder.abandon()
        return written

    def _ripe_in(self, slot: int) -> float:
        """Seconds until what sounded with that slot is surely here."""
        return self._began + slot / FPS + LATE - self._clock()


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a video of a window: even numbers, as H.264 wants them, and no more than LARGEST."""
    most = LARGEST if size[0] >= size[1] else LARGEST[::-1]
    scale = min(1.0, most[0] / size[0], most[1] / size[1])
    return max(int(size[0] * scale) // 2 * 2, 2), max(int(size[1] * scale) // 2 * 2, 2)


def fit(shot: Shot, size: tuple[int, int], black: float) -> Pixels:
    """BGRX (height, width, 4) of that size: the picture as large as it goes, the rest black. It may be written to."""
    import av

    pixels = np.ascontiguousarray(shot.pixels[::-1]) if shot.gl else shot.pixels
    height, width = pixels.shape[:2]
    if width - size[0] in (0, 1) and height - size[1] in (0, 1):  # an odd window loses a row
        target = size
        pixels = np.ascontiguousarray(pixels[: size[1], : size[0]])
    else:
        scale = min(size[0] / width, size[1] / height)
        target = (max(round(width * scale), 2), max(round(height * scale), 2))
    if shot.gl or pixels.shape[:2] != target[::-1]:
        frame = av.VideoFrame.from_numpy_buffer(pixels, format="rgba" if shot.gl else "bgra")
        pixels = frame.reformat(*target, format="bgra").to_ndarray().astype(np.uint8, copy=False)
    if target != size:
        left, top = (size[0] - target[0]) // 2, (size[1] - target[1]) // 2
        whole = np.zeros((size[1], size[0], 4), np.uint8)
        whole[top : top + target[1], left : left + target[0]] = pixels
        pixels = whole
    if black >= 1:
        return np.zeros_like(pixels)
    pixels = (pixels * np.float32(1 - black)).astype(np.uint8) if black else pixels
    return pixels if pixels.flags.writeable else pixels.copy()


def new_file(folder: Path, suffix: str) -> Path:
    """An empty file with the date in its name, in that folder or, where that does not exist or nothing may be written
    there, in the current one. It was not there before. UserError if neither can be written into."""
    trouble = ""
    for where in (folder, Path.cwd()):
        if not where.is_dir():
            continue
        path = where / f"dance-{datetime.datetime.now():%Y%m%d-%H%M%S}{suffix}"
        while True:
            path = unused(path)
            try:
                path.open("xb").close()
            except FileExistsError:  # it has come to be meanwhile
                continue
            except OSError as error:
                trouble = f"{where}: cannot be written into ({error.strerror or error})"
                break
            return path
    raise UserError(trouble)


def pictures_folder() -> Path:
    """Where this user keeps pictures."""
    return Path(platformdirs.user_pictures_dir())


def videos_folder() -> Path:
    """Where this user keeps videos."""
    return Path(platformdirs.user_videos_dir())


def save_picture(shot: Shot, path: Path, black: float = 0.0) -> str:
    """Write a PNG over the empty file that was made for it; what there is to say then."""
    surface = shot.surface()
    if black:
        surface.fill((round(255 * (1 - black)),) * 3, special_flags=pygame.BLEND_RGB_MULT)
    png = io.BytesIO()
    pygame.image.save(surface, png, "picture.png")
    try:
        path.write_bytes(png.getvalue())
    except OSError as error:
        path.unlink(missing_ok=True)
        return f"the picture cannot be saved: {error.strerror or error}"
    return f"picture: {path}"


class Takes:
    """Pictures and videos of one show, and what there is to say about them."""

    def __init__(self, camera: Camera, clock: Callable[[], float], notify: Notify) -> None:
        """`notify` is told when something is saved, or is not."""
        self._camera, self._clock, self._notify = camera, clock, notify
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="picture")  # to write a PNG takes longer than a frame
        self._picture_wanted = False
        self.outputs: Outputs | None = None  # which want pictures too
        self._recorders: list[Recorder] = []  # the last may be running, those before it are written to their ends

    @property
    def recording(self) -> bool:
        """Whether a video is being taken."""
        return bool(self._recorders) and not self._recorders[-1].over

    def picture(self) -> None:
        """Save the next picture."""
        self._picture_wanted = True

    def record(self, seen: float, size: tuple[int, int], sounds_from: Callable[[float], Sounds | None]) -> str:
        """Begin a video of a window of that size with what is seen at `seen`, or end the one that runs; what to say."""
        if self.recording:
            self._recorders[-1].stop(seen)
            return f"recording ends: {self._recorders[-1].path}"
        try:
            path = new_file(videos_folder(), SUFFIX)
        except UserError as error:
            return f"no recording: {error}"
        sound = sounds_from(seen)
        self._recorders = [recorder for recorder in self._recorders if recorder.writing]
        self._recorders.append(Recorder(path, size, seen, sound or NoSounds(), self._clock, self._notify))
        return f"recording: {path}{'' if sound else ', without sound: nothing is heard'}"

    def aim(self, seen: float) -> None:
        """A picture will be drawn now, to be seen at `seen`."""
        is_for_output = self.outputs is not None and self.outputs.due(seen)
        if self._picture_wanted or is_for_output or (self._recorders and self._recorders[-1].due(seen)):
            self._camera.ask(seen)

    def develop(self, black: float) -> None:
        """It was drawn; `black` of its light was faded out."""
        for shot in self._camera.shots:
            if self._picture_wanted:
                self._picture_wanted = False
                self._pool.submit(self._save, shot, black)
            if self._recorders and self._recorders[-1].due(shot.time):
                self._recorders[-1].offer(shot, black)
            if self.outputs is not None:
                self.outputs.offer(shot, black)
        self._camera.shots.clear()

    def _save(self, shot: Shot, black: float) -> None:
        try:
            self._notify(save_picture(shot, new_file(pictures_folder(), ".png"), black))
        except UserError as error:
            self._notify(f"no picture: {error}")

    def lose_camera(self) -> None:
        """The display is gone, and with it what was drawn last."""
        self._camera.lose()

    def finish(self, seen: float) -> None:
        """The show is over: wait until all is written. A second signal cuts that short."""
        self._camera.fetch()
        self.develop(0.0)
        for recorder in self._recorders:
            recorder.stop(seen)
        try:
            self._pool.shutdown()
            if any(recorder.writing for recorder in self._recorders):
                log.info("writing the rest of the recording")
            for recorder in self._recorders:
                recorder.finish()
        except BaseException:
            # The last half second waits for its sound as a rule, and is soon written; without its end a video that
            # has only begun is nothing.
            for recorder in self._recorders:
                recorder.finish(HASTE)
            raise
