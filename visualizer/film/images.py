"""Films that are pictures: numbered PNGs in a folder, and GIFs and WebPs that move. They have no sound."""

from __future__ import annotations

import re
import shutil
import zlib
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from visualizer.errors import UserError
from visualizer.film.convert import Box, Pixels, converter
from visualizer.film.video import encoder_of, settle
from visualizer.media import url_of

if TYPE_CHECKING:
    import av

PALETTE_FRAMES = 48  # frames that a GIF's palette is chosen from: all of them tell no more
DITHER = "dither=bayer:bayer_scale=5"  # a faint fixed grain: error diffusion crawls from frame to frame
STILL = 6  # levels of 255 by which a pixel of a GIF may be off before it is drawn again: a third smaller, and not seen
SAMPLE = 8  # frames from which it is told how large a GIF will be
OPAQUE = np.array([0, 0, 0, 255], np.uint8)  # the painter leaves the fourth byte of a pixel as it is
SEQUENCE = "%05d.png"


def pattern_of(out: Path) -> tuple[Path, str]:
    """Folder and pattern of names of a sequence: dance/ -> dance/dance_%05d.png. UserError for a pattern of no use."""
    if "%" not in out.name:
        return out, f"{out.name.replace('%', '')}_{SEQUENCE}"
    if not re.fullmatch(r"[^%]*%(0\d)?d[^%]*\.png", out.name, re.IGNORECASE):
        raise UserError(f"{out}: a name for numbered pictures has one place for the number and is a PNG: %05d.png")
    return out.parent, out.name


def numbered(folder: Path, pattern: str) -> list[Path]:
    """Files in `folder` that have such a name, in order."""
    name = re.sub(r"%(0\d)?d", lambda _: r"\d+", re.escape(pattern).replace(r"\%", "%"))
    return sorted(p for p in folder.iterdir() if re.fullmatch(name, p.name)) if folder.is_dir() else []


class Stills:
    """PNGs in the folder `path`, numbered from 1; straight alpha, as PNG has it."""

    def __init__(self, path: Path, size: tuple[int, int], transparent: bool) -> None:
        import av

        self._folder, self._names = pattern_of(path)
        self._convert = converter("rgba" if transparent else "rgb24", transparent)
        self._context: av.VideoCodecContext = av.CodecContext.create(encoder_of(("png",)), "w")  # type: ignore[assignment]
        self._context.width, self._context.height = size
        self._context.pix_fmt = "rgba" if transparent else "rgb24"
        self._context.time_base = Fraction(1, 25)
        # Flat colours shrink well without much effort: level 3 is twice as quick as the default, and 10% larger.
        self._context.options = {"compression_level": "3", "pred": "sub"}
        self._context.thread_type = "FRAME"
        self._context.thread_count = 0
        self._written = 0
        self._folder.mkdir()

    def prepare(self, pixels: Pixels, changed: Box | None) -> av.VideoFrame:
        return self._convert(pixels)

    def write(self, picture: av.VideoFrame, number: int) -> None:
        picture.pts = number
        self._save(self._context.encode(picture))

    def _save(self, packets: list) -> None:
        for packet in packets:
            self._written += 1
            (self._folder / (self._names % self._written)).write_bytes(bytes(packet))

    def close(self, frames: int) -> None:
        self._save(self._context.encode(None))

    def leave(self) -> None: ...

    def estimate(self, written: int, frames: int) -> int | None:
        sizes = [path.stat().st_size for path in numbered(self._folder, self._names)]
        return round(sum(sizes) * frames / len(sizes)) if sizes else None

    def remove(self) -> None:
        shutil.rmtree(self._folder)


class Gif:
    """One palette for all, from what the frames show. They are kept, packed, until the last has come."""

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction) -> None:
        self._path, self._size, self._fps = path, size, fps
        self._packed: list[bytes] = []
        self._drawn: Pixels | None = None
        path.touch(exist_ok=False)

    def prepare(self, pixels: Pixels, changed: Box | None) -> Pixels:
        return pixels | OPAQUE

    def write(self, picture: Pixels, number: int) -> None:
        if self._drawn is not None:
            off = np.maximum(picture, self._drawn) - np.minimum(picture, self._drawn)
            picture = np.where(off.max(axis=2, keepdims=True) > STILL, picture, self._drawn)
        self._drawn = picture
        self._packed.append(zlib.compress(picture.tobytes(), 1))

    def close(self, frames: int) -> None:
        self._encode(url_of(self._path), 0, frames)
        settle(self._path)

    def _encode(self, target: str | BytesIO, first: int, frames: int) -> None:
        """Write `count` frames, from `first` on, as a GIF."""
        import av
        import av.error
        from av.filter import Graph

        width, height = self._size
        bgra = f"video_size={width}x{height}:pix_fmt=bgra:time_base=1/100:pixel_aspect=1/1"
        graph = Graph()
        source, choose, sink = (
            graph.add("buffer", bgra),
            graph.add("palettegen", "stats_mode=full"),
            graph.add("buffersink"),
        )
        source.link_to(choose)
        choose.link_to(sink)
        graph.configure()
        for k in np.unique(np.linspace(first, first + frames - 1, PALETTE_FRAMES).astype(int)):
            source.push(self._frame(int(k)))
        source.push(None)
        palette = sink.pull()
        graph = Graph()
        pictures, colours = graph.add("buffer", bgra), graph.add("buffer", bgra.replace(f"{width}x{height}", "16x16"))
        use, sink = graph.add("paletteuse", f"{DITHER}:diff_mode=rectangle"), graph.add("buffersink")
        pictures.link_to(use, 0, 0)
        colours.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        colours.push(palette)
        colours.push(None)
        last = round(frames * 100 / self._fps) - round((frames - 1) * 100 / self._fps)
        with av.open(target, "w", format="gif", options={"loop": "0", "final_delay": str(last)}) as file:
            stream = file.add_stream(encoder_of(("gif",)), rate=100)
            stream.width, stream.height, stream.pix_fmt = width, height, "pal8"  # type: ignore[attr-defined]
            stream.codec_context.time_base = Fraction(1, 100)
            for k in range(first, first + frames):
                pictures.push(self._frame(k))
                if k == first + frames - 1:
                    pictures.push(None)
                while True:
                    try:
                        frame = sink.pull()
                    except (av.error.BlockingIOError, av.error.EOFError):
                        break
                    file.mux(stream.encode(frame))  # type: ignore[attr-defined]
            file.mux(stream.encode(None))  # type: ignore[attr-defined]

    def estimate(self, written: int, frames: int) -> int | None:
        """By a small GIF of the latest frames: how well they pack depends on the look and on how much moves."""
        sample = min(written, SAMPLE)
        if sample < 2:
            return None
        first, alone, together = written - sample, BytesIO(), BytesIO()
        self._encode(alone, first, 1)
        self._encode(together, first, sample)
        whole, later = len(alone.getbuffer()), (len(together.getbuffer()) - len(alone.getbuffer())) / (sample - 1)
        return round(whole + max(later, 0) * (frames - 1))

    def _frame(self, k: int):
        import av

        width, height = self._size
        pixels = np.frombuffer(zlib.decompress(self._packed[k]), np.uint8).reshape(height, width, 4)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgra")
        # A GIF counts hundredths: rounding each moment, not each delay, keeps the whole in time.
        frame.pts, frame.time_base = round(k * 100 / self._fps), Fraction(1, 100)
        return frame

    def leave(self) -> None:
        self._packed.clear()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


class WebP:
    """Sent to the encoder as they come; it writes all at the end."""

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction, transparent: bool) -> None:
        import av

        self._path, self._fps, self._opaque = path, fps, not transparent
        self._convert = converter("bgra", transparent)  # libwebp's own way to YUV is better than any before it
        self._file = av.open(url_of(path), "w", options={"loop": "0"})
        self._video: av.VideoStream = self._file.add_stream(encoder_of(("libwebp_anim",)), rate=1000)  # type: ignore[assignment]
        self._video.width, self._video.height, self._video.pix_fmt = *size, "bgra"
        self._video.codec_context.time_base = Fraction(1, 1000)
        # Whole pictures now and then: small differences that are never drawn add up.
        self._video.options = {"quality": "80", "compression_level": "4", "g": "17", "keyint_min": "9"}

    def prepare(self, pixels: Pixels, changed: Box | None) -> av.VideoFrame:
        return self._convert(pixels | OPAQUE if self._opaque else pixels)

    def write(self, picture: av.VideoFrame, number: int) -> None:
        picture.pts, picture.time_base = round(number * 1000 / self._fps), Fraction(1, 1000)
        self._file.mux(self._video.encode(picture))

    def close(self, frames: int) -> None:
        self._file.mux(self._video.encode(None))
        self._file.close()
        settle(self._path)

    def leave(self) -> None:
        self._file.close()

    def estimate(self, written: int, frames: int) -> int | None:
        return None  # the encoder keeps all until the end

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
