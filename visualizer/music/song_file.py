"""The samples of a song's file. They stream, so an evening's mix of three hours needs no more memory than a song."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.media import decodable, open_media
from visualizer.music.analysis.features import RATE, Floats
from visualizer.music.mono import MonoMix

if TYPE_CHECKING:
    import av

LOOKED_AT = 4  # of ordinary stereo every fourth frame is looked at: all would cost half as much as decoding them
SILENT = 1e-3  # peak, -60 dBFS: a file that never gets louder holds nothing to dance to
RATES = (2_000, 768_000)  # Hz: what claims another rate is broken, and would last a day
# How loud each channel of a cinema's sound is in FFmpeg's mono mix, by its name; what is not named has the last.
CINEMA = {"FL": math.sqrt(0.5), "FR": math.sqrt(0.5), "FC": 1.0, "LFE": 0.0, "": 0.5}


def read_song(path: Path, rate: int, channels: int = 2) -> Iterator[Floats]:
    """Blocks of float32 (n, channels) at `rate` Hz, channels 1 or 2; broken pieces are left out.

    Of several sound tracks the file's default one. UserError where the file is missing, is no sound, or breaks before
    its first sample.
    """
    import av.error

    heard_any = False
    try:
        with open_media(path, "song") as media:
            streams = decodable(media.streams.audio, path, "sound")
            if not streams:
                raise UserError(f"{path}: holds no sound")
            converter = _Converter(rate, channels)
            for packet in media.demux(streams[0]):
                try:
                    frames: list[Any] = packet.decode()
                except av.error.InvalidDataError:
                    continue  # a scratch in the file: play on after it
                for frame in frames:
                    if RATES[0] <= frame.sample_rate <= RATES[1]:
                        heard_any = True
                        yield from converter.push(frame)
            yield from converter.flush()
    except (av.error.FFmpegError, ValueError) as error:
        if not heard_any:
            raise UserError(f"{path}: cannot be read as sound ({getattr(error, 'strerror', None) or error})") from error
    if not heard_any:
        raise UserError(f"{path}: cannot be read as sound (no sample of it decodes)")


def check_song(path: Path) -> None:
    """Quick: reads until the first sound. UserError if there is none, or the file is missing or broken."""
    for block in read_song(path, RATE, 1):
        if np.abs(block).max(initial=0) > SILENT:
            return
    raise UserError(f"{path}: is silent from beginning to end")


class _Converter:
    """Frames of any kind to blocks at one rate. A file glued from two changes its kind in the middle: each part is
    converted for itself, and nothing of it is lost."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._kind: object = None
        self._resampler: av.AudioResampler | None = None
        self._mix: MonoMix | None = None
        self._stems = False
        self._frames = 0

    def push(self, frame: av.AudioFrame) -> Iterator[Floats]:
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.flush()
            self._begin(frame)
            self._kind = kind
        yield from self._resample(self._mixed(frame))

    def flush(self) -> Iterator[Floats]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._resample(None)

    def _begin(self, frame: av.AudioFrame) -> None:
        import av

        names = [channel.name for channel in frame.layout.channels]
        layout = "mono" if self._channels == 1 else "stereo"
        self._resampler = av.AudioResampler(format="flt", layout=layout, rate=self._rate)
        count, self._frames = len(names), 0
        # Without places in a room they are the tracks of a desk, whose sum is the music.
        self._stems = count > 2 and all(name in ("NONE", "UNK") for name in names)
        if count == 2:
            usual = np.full(2, 0.5)
        else:
            usual = np.ones(count) if self._stems else np.array([CINEMA.get(name, CINEMA[""]) for name in names])
        watched = count > 1 and (self._channels == 1 or self._stems)
        self._mix = MonoMix(frame.sample_rate, usual.astype(np.float32)) if watched else None

    def _mixed(self, frame: av.AudioFrame) -> av.AudioFrame:
        """The same frame; where its channels would cancel in FFmpeg's mono mix, one in which they all are the mix."""
        import av

        if self._mix is None:
            return frame
        self._frames += 1
        if self._frames % LOOKED_AT != 1 and self._mix.is_usual and not self._stems:
            return frame
        samples = _floats(frame)
        mixed = self._mix.push(samples)
        if self._stems:
            mono = samples.sum(axis=1) if mixed is None else mixed
            made = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(mono, np.float32).reshape(1, -1), format="flt", layout="mono"
            )
        elif mixed is None:
            return frame
        else:
            made = _like(frame, mixed)
        made.sample_rate, made.pts, made.time_base = frame.sample_rate, frame.pts, frame.time_base
        return made

    def _resample(self, frame: av.AudioFrame | None) -> Iterator[Floats]:
        assert self._resampler is not None
        for piece in self._resampler.resample(frame):
            yield np.asarray(piece.to_ndarray(), np.float32).reshape(-1, self._channels)


# What is 1 and what is 0 of the numbers that FFmpeg keeps samples in.
_SCALES = {"u1": (128.0, 128.0), "i2": (32768.0, 0.0), "i4": (2147483648.0, 0.0), "f4": (1.0, 0.0), "f8": (1.0, 0.0)}


def _floats(frame: av.AudioFrame) -> Floats:
    """Samples (n, channels), about -1..1."""
    data: NDArray[Any] = frame.to_ndarray()
    one, zero = _SCALES[data.dtype.str[1:]]
    data = data.T if frame.format.is_planar else data.reshape(-1, frame.layout.nb_channels)
    return ((data.astype(np.float32) - zero) / one).astype(np.float32)


def _like(frame: av.AudioFrame, mono: Floats) -> av.AudioFrame:
    """A frame of that kind whose channels are all `mono` (n,)."""
    import av

    kind: np.dtype[Any] = frame.to_ndarray().dtype
    one, zero = _SCALES[kind.str[1:]]
    data: NDArray[Any] = mono.astype(np.float64) * one + zero
    if kind.kind != "f":
        data = np.clip(np.rint(data), zero - one, zero + one - 1)
    count = frame.layout.nb_channels
    data = np.tile(data, (count, 1)) if frame.format.is_planar else np.repeat(data, count).reshape(1, -1)
    return av.AudioFrame.from_ndarray(data.astype(kind), format=frame.format.name, layout=frame.layout)
