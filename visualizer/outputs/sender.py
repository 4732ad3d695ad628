"""What every output is: pictures of one size go in, on a thread of its own, and on to some other program."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
APP_NAME = "The Dancing Screen"  # by which other programs find it


class OutputError(Exception):
    """An output cannot be opened or goes no further; the message is for people, one line."""


@dataclass(frozen=True)
class Format:
    """What an output sends: `size` in pixels, both even; `fps` at most; `alpha`: the dancer alone, on nothing."""

    size: tuple[int, int]
    fps: Fraction
    alpha: bool = False


@dataclass(frozen=True)
class Picture:
    """One picture for all outputs, not to be written into.

    `pixels` (height, width, 4): blue, green, red and 255, or straight red, green, blue, alpha where the
    format has alpha. `slot`: number of the picture on a grid of `Format.fps` since the beginning; some may be missing.
    """

    pixels: Pixels
    slot: int


class Sender(Protocol):
    """One output. It is made on the main thread; all else happens on one thread of its own. Any call may raise."""

    def open(self) -> str:
        """Open it; where it leads to, in words. OutputError if that cannot be."""
        ...

    def send(self, picture: Picture) -> None:
        """Hand on one picture; this may wait."""
        ...

    def interrupt(self) -> None:
        """From another thread: what waits in `open` or `send` is to come to an end soon."""
        ...

    def close(self) -> None:
        """Close it; called once, also where `open` failed."""
        ...


class Converter:
    """Pictures in another arrangement of bytes; keeps swscale's tables from one to the next."""

    def __init__(self, alpha: bool, pixel_format: str) -> None:
        """`pixel_format` as FFmpeg calls it."""
        from av.video.reformatter import VideoReformatter

        self._scaler, self._source, self._target = VideoReformatter(), "rgba" if alpha else "bgra", pixel_format

    def convert(self, picture: Picture) -> Pixels:
        """The bytes: (height, width, channels), or (height * 3 / 2, width) of yuv420p."""
        import av
        from av.video.reformatter import Colorspace

        if self._source == self._target:
            return picture.pixels
        frame = av.VideoFrame.from_numpy_buffer(picture.pixels, format=self._source)
        colours = Colorspace.ITU709 if self._target.startswith("yuv") else None
        converted = self._scaler.reformat(frame, format=self._target, dst_colorspace=colours, threads=1)
        return np.ascontiguousarray(converted.to_ndarray().astype(np.uint8, copy=False))
