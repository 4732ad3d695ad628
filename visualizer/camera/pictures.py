"""Where pictures come from, one after the other: a camera through OpenCV, or a film in its place through PyAV.

OpenCV comes with MediaPipe, without which no picture is of any use, and opens cameras on every system by number. Of a
film every picture comes when it is due, and after the last one the first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.devices import find_camera, list_cameras
from visualizer.errors import UserError
from visualizer.media import decodable, open_media

Picture = NDArray[np.uint8]

SIZE, RATE = (640, 480), 30  # asked of cameras; they give what they can
LONGEST_SIDE = 640  # pixels that are looked at
SMALLEST = 16  # pixels: no camera gives less


class Pictures(Protocol):
    """A camera that is open."""

    def read(self) -> Picture | None: ...  # (height, width, 3) blue, green, red; None: it is lost
    def close(self) -> None: ...


class CameraLost(Exception):
    """A camera cannot be had now; it may come back."""


def open_pictures(wanted: str) -> Pictures:
    """Open what is called so. UserError where nothing is; CameraLost where it gives no picture."""
    found = find_camera(wanted)
    return Film(found) if isinstance(found, Path) else Device(found)


class Device:
    """A camera by number."""

    def __init__(self, number: int) -> None:
        import cv2

        trouble = next((c.trouble for c in list_cameras() or () if c.number == number), "")
        if trouble:
            raise CameraLost(trouble)
        cv2.setNumThreads(1)
        system = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}
        self._camera: Any = cv2.VideoCapture(number, system.get(sys.platform, cv2.CAP_ANY))
        if not self._camera.isOpened():
            self._camera.release()
            raise CameraLost("there is none, another program has it, or it is not permitted")
        for what, value in ((cv2.CAP_PROP_FRAME_WIDTH, SIZE[0]), (cv2.CAP_PROP_FRAME_HEIGHT, SIZE[1]),
                            (cv2.CAP_PROP_FPS, RATE), (cv2.CAP_PROP_BUFFERSIZE, 1)):  # fmt: skip
            self._camera.set(what, value)

    def read(self) -> Picture | None:
        is_there, picture = self._camera.read()
        return shrink(picture) if is_there and picture is not None and min(picture.shape[:2]) >= SMALLEST else None

    def close(self) -> None:
        self._camera.release()


class Film:
    """A film that stands in for a camera."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = time.monotonic()
        self._pictures = self._decode()

    def read(self) -> Picture | None:
        """The picture that is due now; those that are over by now are passed over."""
        import av.error

        try:
            for due, picture in self._pictures:
                wait = self._begun + due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                return picture
        except (UserError, OSError, av.error.FFmpegError):
            return None
        return None

    def _decode(self) -> Iterator[tuple[float, Picture]]:
        import av

        start = 0.0  # seconds that came before this round of it
        while self._path.is_file():
            last, period = 0.0, 1 / RATE
            with open_media(self._path, "video") as media:
                streams = decodable(tuple(media.streams.video), self._path, "pictures")
                for frame in media.decode(streams[0]) if streams else ():
                    if not isinstance(frame, av.VideoFrame):
                        continue
                    at = float(frame.time or 0.0)
                    period, last = (at - last if 0 < at - last < 1 else period), at
                    if self._begun + start + at + period >= time.monotonic():
                        scale = min(1.0, LONGEST_SIDE / max(frame.width, frame.height))
                        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
                        yield start + at, np.asarray(frame.reformat(width, height, "bgr24").to_ndarray(), np.uint8)
            if not last:
                return
            start += last + period

    def close(self) -> None:
        self._pictures.close()  # type: ignore[attr-defined]


def shrink(picture: Picture) -> Picture:
    """A picture no larger than is looked at."""
    import cv2

    scale = LONGEST_SIDE / max(picture.shape[:2])
    return picture if scale >= 1 else np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)


class Newest:
    """Reads pictures on a thread of its own and keeps the newest: who looks at them slowly never looks at old ones."""

    def __init__(self, source: Pictures) -> None:
        self._source = source
        self._there = Condition()
        self._picture: tuple[Picture, float] | None = None
        self._lost = self._closed = False
        self._thread = Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            picture = self._source.read()
            with self._there:
                self._lost = picture is None
                if picture is not None:
                    self._picture = picture, time.monotonic()
                self._there.notify()
            if picture is None:
                return

    def take(self, seconds: float) -> tuple[Picture, float] | None:
        """The next picture and when it came, on the monotonic clock. CameraLost where there are no more; None where
        none came within `seconds`."""
        with self._there:
            self._there.wait_for(lambda: self._picture is not None or self._lost, seconds)
            taken, self._picture = self._picture, None
        if taken is None and self._lost:
            raise CameraLost("it gives no more pictures")
        return taken

    def close(self) -> bool:
        """Whether it has let go of the camera; a driver that hangs keeps it."""
        self._closed = True
        self._thread.join(1.0)
        if self._thread.is_alive():
            return False
        self._source.close()
        return True
