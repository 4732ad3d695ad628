"""Streams pictures from a video: any file that PyAV opens, from any moment on, as small upright pictures.

Only the current picture is kept, so an hour of 1080p needs no more memory than a second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import cv2
import numpy as np
from av.stream import Stream
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from training.data.footage.interlaced import whole_pictures
from training.data.footage.light import is_hdr, tone_mapped
from visualizer.errors import UserError
from visualizer.media import decodable, open_media, path_of

Picture = NDArray[np.uint8]  # (height, width, 3): blue, green, red

LINES = 480  # of the pictures that are looked at: a body of 200 lines is still finer than a frame of 128
RATE = 30.0  # pictures a second that are looked at, where the video has more
FPS = 1.0, 1000.0  # pictures a second that a video can have
GLUED = ("mpegts", "mpeg")  # containers whose files may be laid end to end: their times begin again in the middle
BACK = 1.0  # seconds by which times must fall back for that; pictures out of order do so by less
SQUASHED = 4  # times that a pixel may be wider than high, or higher than wide
LEAD = 1.0  # seconds before the first picture from which decoding begins
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv",
            ".3gp", ".ogv", ".gif")  # fmt: skip


@dataclass(frozen=True)
class Video:
    """A video on disk. Sizes as it is seen, in square pixels of the height of its own, `turned` the quarter turns that
    make it upright, times in seconds; `seekable` is False where it has to be read from its beginning. `sound`: when its
    sound begins."""

    path: Path
    width: int
    height: int
    fps: float
    start: float
    seconds: float
    turned: int
    seekable: bool
    sound: float | None


@dataclass(frozen=True)
class Crop:
    """The part of the picture that is looked at, in pixels as it is seen."""

    left: int
    top: int
    width: int
    height: int


# --- what a user may ask for ----------------------------------------------------------------------------------


def read_crop(text: str) -> Crop:
    """`WxH+X+Y`, such as 800x1000+200+0. UserError for anything else."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})\+(\d{1,5})\+(\d{1,5})", text.strip())
    if not match or not (int(match[1]) >= 16 and int(match[2]) >= 16):
        raise UserError(f"crop {text!r}: must be WIDTHxHEIGHT+LEFT+TOP in pixels, such as 800x1000+200+0")
    width, height, left, top = map(int, match.groups())
    return Crop(left, top, width, height)


def read_moment(text: str) -> float:
    """Seconds, or minutes:seconds, or hours:minutes:seconds. UserError for anything else."""
    if not re.fullmatch(r"(\d{1,3}:){0,2}\d{1,6}(\.\d+)?", text.strip()):
        raise UserError(f"{text!r}: a moment must be seconds or minutes:seconds, such as 75 or 1:15")
    value = 0.0
    for part in text.strip().split(":"):
        value = 60 * value + float(part)
    return value


def read_range(text: str) -> tuple[float, float]:
    """`FROM-TO`, either of which may be left out: (seconds, seconds), endless where open. UserError if wrong."""
    begin, dash, end = text.partition("-")
    if not dash or not (begin.strip() or end.strip()):
        raise UserError(f"range {text!r}: must be FROM-TO, such as 0:10-1:30, 0:10- or -1:30")
    first = read_moment(begin) if begin.strip() else 0.0
    last = read_moment(end) if end.strip() else math.inf
    if last <= first:
        raise UserError(f"range {text!r}: ends before it begins")
    return first, last


def find_videos(places: list[Path]) -> list[Path]:
    """Files as they are given, and of each folder the files that are named like videos, in order."""
    found: list[Path] = []
    for place in map(path_of, places):
        if place.is_dir():
            inside = sorted(p for p in place.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            if not inside:
                raise UserError(f"{place}: no videos in that folder")
            found += inside
        else:
            found.append(place)
    if not found:
        raise UserError("no video given")
    return list(dict.fromkeys(found))


# --- looking at the file --------------------------------------------------------------------------------------


def _open(path: Path) -> AbstractContextManager[av.container.InputContainer]:
    return open_media(path, "video")


def _stream(container: av.container.InputContainer, path: Path) -> av.VideoStream | None:
    """The moving picture, of several the file's default one."""
    return next(iter(decodable(container.streams.video, path, "pictures")), None)  # type: ignore[return-value]


def _aspect(stream: av.VideoStream) -> Fraction:
    """Width of one pixel of the pictures now, as a share of its height: 4/3 in HDV, 16/15 in DV of PAL.

    What the file says counts before what its pictures say; a value that no camera has is a fault of the file.
    """
    for said in (stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio):
        if said and Fraction(1, SQUASHED) <= said <= SQUASHED:
            return Fraction(said)
    return Fraction(1)


def _seen(frame: av.VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """(width, height) of a picture as it is seen, in square pixels, before it is turned. Its lines stay as many."""
    return max(1, round(frame.width * aspect)), frame.height


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded, none of them interlaced."""
    return whole_pictures(_as_they_are(container, stream))


def _as_they_are(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded; what is damaged is left out, and what is missing at the end is missing."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()  # type: ignore[misc]
            except av.error.InvalidDataError:
                continue
    except (av.error.FFmpegError, OSError):  # cut off: there is no more
        return


def probe(path: Path) -> Video:
    """What a file holds. UserError where it is missing, is not a video, holds only sound, or no picture decodes."""
    with _open(path) as container:
        stream = _stream(container, path)
        if stream is None:
            what = "sound only" if container.streams.audio else "neither pictures nor sound"
            raise UserError(f"{path}: holds no moving picture ({what})")
        stream.codec_context.thread_count = 1
        first = next(_as_they_are(container, stream), None)
        if first is None:
            raise UserError(f"{path}: cannot be read as a video (no picture of it decodes)")
        rates = [float(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
        fps = next((rate for rate in rates if FPS[0] <= rate <= FPS[1]), rates[0] if rates else 25.0)
        turned = round(first.rotation / 90) % 4
        width, height = _seen(first, _aspect(stream))
        if turned % 2:
            width, height = height, width
        start = float(first.time) if first.time is not None else 0.0
        seconds = 0.0
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        sound = None
        if heard := next((s for s in _sounds(container, path)), None):
            sound = float((heard.start_time or 0) * (heard.time_base or Fraction(0)))
        seekable, may_be_glued = first.time is not None and seconds > 0, container.format.name in GLUED
    if seconds <= 0 or may_be_glued:
        whole, glued = _length(path, fps)
        if seconds <= 0 or glued:
            seconds, seekable = whole, False
    if not (FPS[0] <= fps <= FPS[1] and width >= 16 and height >= 16):
        raise UserError(f"{path}: {width}x{height} at {fps:g} pictures a second is no video to work with")
    return Video(path, width, height, fps, start, seconds, turned, seekable, sound)


def _sounds(container: av.container.InputContainer, path: Path) -> list[Stream]:
    """The sound tracks from which a song would be read; none where this program can decode none of them."""
    try:
        return decodable(container.streams.audio, path, "sound")
    except UserError:
        return []


class _Times:
    """Times of pictures in seconds, which go on where they begin again in the middle of a file."""

    def __init__(self, fps: float) -> None:
        self.shift = 0.0
        self._step, self._last = 1 / fps, -math.inf

    def go_on(self, time: float) -> float:
        if time + self.shift < self._last - BACK:
            self.shift = self._last + self._step - time
        self._last = max(self._last, time + self.shift)
        return time + self.shift


def _length(path: Path, fps: float) -> tuple[float, bool]:
    """Length in seconds of a file that does not give it, and whether its times begin again in the middle. All packets
    are read, none decoded."""
    last, count, times = 0.0, 0, _Times(fps)
    with _open(path) as container:
        stream = _stream(container, path)
        if stream is None:
            return 0.0, False
        try:
            for packet in container.demux(stream):
                count += packet.size > 0
                if packet.pts is not None and packet.time_base is not None:
                    last = max(last, times.go_on(float(packet.pts * packet.time_base)))
        except (av.error.FFmpegError, OSError):
            pass  # cut off: what came so far is its length
    return (count / fps, True) if times.shift else (max(last, count / fps), False)


# --- pictures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """How a video is looked at: scaled by `scale` to `size` (width, height) and cropped to `crop` (left, top, right,
    bottom)."""

    scale: float
    size: tuple[int, int]
    crop: tuple[int, int, int, int]


def view_of(video: Video, crop: Crop | None) -> View:
    """Scale a video so that the part that is looked at has at most `LINES` lines. UserError where the crop lies outside
    the picture."""
    part = crop or Crop(0, 0, video.width, video.height)
    if part.left + part.width > video.width or part.top + part.height > video.height:
        raise UserError(
            f"{video.path}: crop {part.width}x{part.height}+{part.left}+{part.top} reaches out of its "
            f"{video.width}x{video.height} pixels"
        )
    scale = min(1.0, LINES / part.height)
    size = (max(16, round(video.width * scale)), max(16, round(video.height * scale)))
    left, top = round(part.left * scale), round(part.top * scale)
    right, bottom = (
        min(size[0], round((part.left + part.width) * scale)),
        min(size[1], top + round(part.height * scale)),
    )
    return View(scale, size, (left, top, right, bottom))


def _picture(frame: av.VideoFrame, video: Video, view: View, aspect: Fraction) -> Picture:
    """What is looked at of a frame. One whose proportions are not those of the video, where its size changes in the
    middle, is laid into the middle of it, with black beside it."""
    width, height = view.size if video.turned % 2 == 0 else view.size[::-1]
    own, whole = _seen(frame, aspect), (video.width, video.height)[:: 1 if video.turned % 2 == 0 else -1]
    scale = min(whole[0] / own[0], whole[1] / own[1])
    size = max(1, round(own[0] * scale * width / whole[0])), max(1, round(own[1] * scale * height / whole[1]))
    if abs(size[0] - width) <= 1 and abs(size[1] - height) <= 1:
        size = width, height
    if is_hdr(frame):
        picture = tone_mapped(frame, *size)
    else:
        picture = frame.reformat(*size, format="bgr24", interpolation=Interpolation.AREA).to_ndarray()
    if size != (width, height):
        above, left = (height - size[1]) // 2, (width - size[0]) // 2
        ground = np.zeros((height, width, 3), np.uint8)
        ground[above : above + size[1], left : left + size[0]] = picture
        picture = ground
    if video.turned:
        picture = np.rot90(picture, video.turned)
    left, top, right, bottom = view.crop
    return np.ascontiguousarray(picture[top:bottom, left:right], np.uint8)


def pictures(
    video: Video, view: View, begin: float, end: float, rate: float | None = None
) -> Iterator[tuple[float, Picture]]:
    """(time, picture) of the video from `begin` until before `end`, seconds since its first picture.

    Of more than `rate` a second the first of each 1/rate is kept. Which ones those are depends on their times alone,
    so that a stretch gives the same pictures wherever reading began.
    """
    rate = min(rate or RATE, 1000.0)
    with _open(video.path) as container:
        stream = _stream(container, video.path)
        if stream is None:
            return
        stream.codec_context.thread_count = 1  # several processes share the cores
        if video.seekable and begin > LEAD:
            _seek(container, stream, video.start + begin - LEAD)
        before = -math.inf
        times = _Times(video.fps)
        for number, frame in enumerate(_decoded(container, stream)):
            now = (float(frame.time) - video.start) if frame.time is not None else number / video.fps
            if not video.seekable:
                now = times.go_on(now)
            slot = math.floor(now * rate + 1e-6)
            fresh, before = slot > before, slot if slot > before else before
            if now < begin or not fresh:
                continue
            if now >= end:
                return
            yield now, _picture(frame, video, view, _aspect(stream))


def _seek(container: av.container.InputContainer, stream: av.VideoStream, moment: float) -> None:
    assert stream.time_base is not None
    try:
        container.seek(max(0, int(moment / stream.time_base)), stream=stream, backward=True)
    except (av.error.FFmpegError, OSError):
        container.seek(0)


def samples(video: Video, view: View, begin: float, end: float, count: int) -> list[tuple[float, Picture]]:
    """About `count` pictures spread evenly over a stretch, one of each part, decoded from the keyframe before it."""
    end = min(end, video.seconds)
    found: list[tuple[float, Picture]] = []
    if not video.seekable:
        step = max((end - begin) / count, 1e-3)
        due = begin
        for now, picture in pictures(video, view, begin, end):
            if now >= due:
                found.append((now, picture))
                due = now + step
        return found
    with _open(video.path) as container:
        stream = _stream(container, video.path)
        if stream is None:
            return found
        stream.codec_context.thread_count = 1
        for k in range(count):
            moment = begin + (k + 0.5) * (end - begin) / count
            _seek(container, stream, video.start + moment)
            best = None
            # The keyframe before it is good enough, unless that one was taken or lies before the stretch.
            for frame in _decoded(container, stream):
                now = (float(frame.time) - video.start) if frame.time is not None else moment
                best = (now, frame, _aspect(stream))
                if now >= begin and (not found or now > found[-1][0] + 0.5 * (end - begin) / count):
                    break
            if best is None or (found and best[0] <= found[-1][0]) or not begin <= best[0] < end:
                continue
            found.append((best[0], _picture(best[1], video, view, best[2])))
    return found


def thumbnail(picture: Picture) -> NDArray[np.float32]:
    """A small grey picture (18, 32) to tell one scene from the next."""
    small = cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
