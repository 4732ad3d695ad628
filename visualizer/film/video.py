"""Film files: pictures and sound in, one file out; encoder.py says on which threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from visualizer.errors import UserError
from visualizer.film.convert import Box, ChangeConverter, Pixels, converter
from visualizer.media import url_of
from visualizer.music.analysis.features import Floats

if TYPE_CHECKING:
    import av

SOUND_RATE = 48_000
BT709 = 1  # of primaries, transfer and matrix, as players assume of HD
LIMITED = 1  # luma 16..235
# What is in no cluster yet, or was not handed to the system, is lost where the process is killed. By themselves
# clusters are five seconds long, and 256 kB are held back.
PARTS = {".mkv": {"cluster_time_limit": "1000", "flush_packets": "1"}}
CELL = 4  # pixels: how coarse the colour is that is laid about what is seen
FEWEST_CODED = 20  # pictures from which it is told how large a film will be
# Where dancing, painting and converting keep every core busy, x264 on a thread of its own takes 10% less processor time
# than on several, for files 3 to 6% smaller.
FEW_CORES = 2


@dataclass(frozen=True)
class Format:
    """How a film is written: encoders of which the first that this PyAV has is taken, and what they are fed."""

    video: tuple[str, ...]
    pixels: str
    sound: str | None
    options: dict[str, str] = field(default_factory=dict)
    sound_options: dict[str, str] = field(default_factory=dict)


# Measured at 192 kb/s with songs and drums: the quick search for scale factors takes half to five sixths of the time of
# the usual one, and what is heard is 3 to 20 dB nearer to the original, with both channels coded as they are.
AAC = {"aac_coder": "fast", "aac_is": "0"}
# x264 by measurement: `veryfast` with plain half-pixel search takes a quarter less time than `veryfast` for files 8%
# larger at the same PSNR; `superfast` takes a tenth less again, for files 20 to 60% larger.
H264 = Format(
    ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf"), "yuv420p", "aac",
    {"crf": "19", "preset": "veryfast", "x264-params": "subme=1"}, AAC,
)  # fmt: skip
_VP9 = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "7", "row-mt": "1"}
VP9 = Format(("libvpx-vp9",), "yuv420p", "libopus", _VP9)
# Its encoder of alpha knows no frames out of order.
VP9_ALPHA = Format(("libvpx-vp9",), "yuva420p", "libopus", {**_VP9, "crf": "18", "auto-alt-ref": "0"})
PRORES_ALPHA = Format(("prores_ks",), "yuva444p10le", "pcm_s16le", {"profile": "4444", "alpha_bits": "16"})
FILMS = {".mp4": H264, ".mkv": H264, ".mov": H264, ".webm": VP9}
TRANSPARENT = {".webm": VP9_ALPHA, ".mov": PRORES_ALPHA}
PICTURES = (".gif", ".webp")  # that move, without sound


def no_such_kind(path: Path, transparent: bool = False) -> UserError:
    """What to say of a name that no film can have."""
    if transparent:
        return UserError(
            f"{path}: a transparent film is a folder of PNGs, .webm (VP9), .mov (ProRes 4444) or .webp; "
            f"{path.suffix or 'this'} cannot be one"
        )
    return UserError(
        f"{path}: a film's name must end in {', '.join(FILMS)}, {', '.join(PICTURES)}, or be a folder for PNGs"
    )


def is_sequence(path: Path) -> bool:
    """Whether the film is a folder of numbered pictures: no suffix, or a place for numbers in the name."""
    return not path.suffix or "%" in path.name


class Writer(Protocol):
    """What writes one kind of file. `prepare` runs on one thread, the rest on another, but for the constructor."""

    def prepare(self, pixels: Pixels, changed: Box | None) -> Any:
        """What `write` is given of the next picture, (height, width, 4) BGRX; straight RGBA of a transparent film.

        It is as the picture before but for the box `changed`; None: all of it may be another.
        """
        ...

    def write(self, picture: Any, number: int) -> None:
        """The next picture, as prepared."""
        ...

    def close(self, frames: int) -> None:
        """`frames` were written, and that is all: end the file."""
        ...

    def leave(self) -> None:
        """End the file as it is, as far as that goes."""
        ...

    def estimate(self, written: int, frames: int) -> int | None:
        """About how many bytes all `frames` will have, by the `written` ones; None: that is not known yet.

        This one is called from another thread.
        """
        ...

    def remove(self) -> None:
        """Remove the file, which was closed or left."""
        ...


def encoder_of(names: tuple[str, ...]) -> str:
    """The first of `names` that this PyAV has; UserError if none."""
    import av

    for name in names:
        if name in av.codecs_available:
            return name
    raise UserError(f"this PyAV has no encoder {names[0]}: install PyAV from PyPI")


def bleed(pixels: Pixels) -> Pixels:
    """Straight RGBA, the colours of what is seen laid about it where nothing is seen.

    Encoders that lose something blur colours over the edge, and a dark ground that is not seen would be seen there.
    """
    cover = pixels[:, :, 3]
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    if not len(rows):
        return pixels
    around = 3 * CELL
    pixels = pixels.copy()
    part = pixels[
        max(rows[0] - around, 0) : rows[-1] + around + 1, max(columns[0] - around, 0) : columns[-1] + around + 1
    ]
    cells = part[::CELL, ::CELL].astype(np.float32)
    weight = (cells[:, :, 3:] > 0).astype(np.float32)
    cells = np.concatenate([cells[:, :, :3] * weight, weight], axis=2)
    for _ in range(3):  # cells without a colour take their neighbours'
        for axis in (0, 1):
            near = cells.copy()
            ahead, behind = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
            near[tuple(ahead)] += cells[tuple(behind)]
            near[tuple(behind)] += cells[tuple(ahead)]
            cells = np.where(cells[:, :, 3:] > 0, cells, near)
    colours = np.zeros((*cells.shape[:2], 4), np.uint8)
    colours[:, :, :3] = cells[:, :, :3] / np.maximum(cells[:, :, 3:], 1)
    under = colours.view(np.uint32)[:, :, 0].repeat(CELL, axis=0).repeat(CELL, axis=1)
    under = under[: part.shape[0], : part.shape[1]].copy().view(np.uint8).reshape(part.shape)
    np.copyto(part, under, where=part[:, :, 3:] == 0)
    return pixels


class Movie:
    """Picture and sound side by side in one file."""

    def __init__(
        self, path: Path, kind: Format, size: tuple[int, int], fps: Fraction, sound: Iterator[Floats] | None
    ) -> None:
        import av
        import av.error

        self._fps, self._sound = fps, sound if kind.sound else None
        self._alpha = kind.pixels.startswith("yuva")
        codec = encoder_of(kind.video)
        if kind.pixels == "yuv420p":
            self._convert = ChangeConverter(size).convert
        else:
            convert = converter(kind.pixels, self._alpha)
            self._convert = lambda pixels, _changed: convert(bleed(pixels) if self._alpha else pixels)
        self._path = path
        self._file = av.open(url_of(path), "w", container_options=PARTS.get(path.suffix.lower(), {}))
        self._video: av.VideoStream = self._file.add_stream(codec, rate=fps)  # type: ignore[assignment]
        self._video.width, self._video.height = size
        self._video.pix_fmt = kind.pixels
        context = self._video.codec_context
        context.time_base = 1 / fps
        if codec == kind.video[0]:
            self._video.options = dict(kind.options)
        else:
            self._video.bit_rate = int(size[0] * size[1] * fps / 8)
        if codec == "libvpx-vp9":
            context.thread_count = os.cpu_count() or 1
        elif codec == "libx264" and (os.cpu_count() or 1) <= FEW_CORES:
            context.thread_count = 1
        if kind.pixels == "yuva420p":
            self._video.metadata["alpha_mode"] = "1"  # by this players know
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        self._audio: av.AudioStream | None = None
        if self._sound is not None and kind.sound:
            self._audio = self._file.add_stream(kind.sound, rate=SOUND_RATE)  # type: ignore[assignment]
            assert self._audio is not None
            self._audio.layout = "stereo"
            self._audio.options = dict(kind.sound_options)
            if not kind.sound.startswith("pcm"):
                self._audio.bit_rate = 192_000
        try:
            self._file.start_encoding()  # writes the file's head: the first that touches the disk
        except BaseException:
            with suppress(OSError, av.error.FFmpegError):
                self.leave()
            self.remove()
            raise
        self._block = (self._audio.codec_context.frame_size if self._audio else 0) or 1024  # what the encoder wants
        self._fifo = av.AudioFifo()
        self._sound_in, self._sound_out = 0, 0  # samples
        self._coded, self._picture_bytes, self._sound_bytes = 0, 0, 0  # pictures that came out of the encoder so far

    def prepare(self, pixels: Pixels, changed: Box | None) -> av.VideoFrame:
        return self._convert(pixels, changed)

    def write(self, picture: av.VideoFrame, number: int) -> None:
        picture.pts, picture.time_base = number, 1 / self._fps
        self._mux(self._video.encode(picture))
        self._sound_until(round((number + 1) * SOUND_RATE / self._fps))

    def close(self, frames: int) -> None:
        self._mux(self._video.encode(None))
        self._sound_until(round(frames * SOUND_RATE / self._fps), last=True)
        if self._audio is not None:
            self._file.mux(self._audio.encode(None))
        self._file.close()
        settle(self._path)

    def leave(self) -> None:
        self._file.close()

    def estimate(self, written: int, frames: int) -> int | None:
        if self._coded < FEWEST_CODED:  # the first picture is whole, and larger than those after it
            return None
        return round(self._picture_bytes * frames / self._coded + self._sound_bytes * frames / written)

    def _mux(self, packets: list[av.Packet], sound: bool = False) -> None:
        self._file.mux(packets)
        size = sum(packet.size for packet in packets)
        if sound:
            self._sound_bytes += size
        else:
            self._coded, self._picture_bytes = self._coded + len(packets), self._picture_bytes + size

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def _sound_until(self, end: int, last: bool = False) -> None:
        """Encode the sound up to sample `end`, so that sound and picture lie side by side in the file."""
        import av

        if self._audio is None or self._sound is None:
            return
        while self._sound_in < end:
            block = next(self._sound, None)
            if block is None:
                break
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block).reshape(1, -1), format="flt", layout="stereo"
            )
            frame.sample_rate = SOUND_RATE
            self._fifo.write(frame)
            self._sound_in += len(block)
        while self._sound_out < end:
            wanted = min(self._block, end - self._sound_out)
            if wanted < self._block and not last:
                return
            frame = self._fifo.read(wanted, partial=True)
            if frame is None:
                return
            frame.pts, frame.time_base = self._sound_out, Fraction(1, SOUND_RATE)
            self._sound_out += frame.samples
            self._mux(self._audio.encode(frame), sound=True)


def settle(path: Path) -> None:
    """Wait until the disk has it all: a full disk may not tell before. OSError if it is full."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
