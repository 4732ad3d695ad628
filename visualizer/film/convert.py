"""Pixels as an encoder takes them: swscale converts them, and where little of a picture has changed only that."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, width and height, pixels

RGB = ("rgba", "bgra", "rgb24", "bgr24")
GRID = 64  # pixels that sides and places of a converted box are multiples of, so that few scalers are needed
MOST_SCALERS = 32
RING = 2  # pixels about a box whose colours depend on what lies beside it: a pixel of colour is two high and two wide
LARGE = 0.6  # of the picture: a box that is larger saves nothing


def converter(pixel_format: str, transparent: bool) -> Callable[[Pixels], av.VideoFrame]:
    """A function from pixels to what an encoder takes. It keeps swscale's tables, which cost half a conversion."""
    import av
    from av.video.reformatter import Colorspace, VideoReformatter

    scaler, source = VideoReformatter(), "rgba" if transparent else "bgra"
    colours = None if pixel_format in RGB else Colorspace.ITU709

    def convert(pixels: Pixels) -> av.VideoFrame:
        frame = av.VideoFrame.from_numpy_buffer(pixels, format=source)
        return scaler.reformat(frame, format=pixel_format, dst_colorspace=colours, threads=1)

    return convert


class ChangeConverter:
    """Converts BGRX to YUV 4:2:0, picture after picture; of one that changed little, what changed."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._last: av.VideoFrame | None = None
        self._convert = converter("yuv420p", transparent=False)
        self._convert_box = lru_cache(maxsize=MOST_SCALERS)(lambda _size: converter("yuv420p", transparent=False))

    def convert(self, pixels: Pixels, changed: Box | None = None) -> av.VideoFrame:
        """The next picture (height, width, 4). It is as the last one but for the box `changed`; None: all of it may be
        another."""
        box = None if changed is None else widen(changed, self._size)
        if self._last is None or box is None or box[2] * box[3] > LARGE * pixels.shape[0] * pixels.shape[1]:
            self._last = self._convert(pixels)
        else:
            self._last = self._convert_part(self._last, pixels, box)
        return self._last

    def _convert_part(self, last: av.VideoFrame, pixels: Pixels, box: Box) -> av.VideoFrame:
        import av

        left, top, width, height = box
        part = self._convert_box((width, height))(pixels[top : top + height, left : left + width])
        frame = av.VideoFrame(*self._size, "yuv420p")
        frame.colorspace, frame.color_range = last.colorspace, last.color_range
        # What lies at the rim of the part, but not of the picture, was converted without what lies beside it.
        right, bottom = self._size[0] - left - width, self._size[1] - top - height
        rim = [RING if beside else 0 for beside in (top, bottom, left, right)]
        for target, before, new in zip(_planes(frame), _planes(last), _planes(part), strict=True):
            coarse = self._size[0] // target.shape[1]  # pixels of the picture that one of the plane is wide
            y0, y1, x0, x1 = (each // coarse for each in rim)
            rows, columns = new.shape
            inner = new[y0 : rows - y1, x0 : columns - x1]
            y0, x0 = y0 + top // coarse, x0 + left // coarse
            target[:] = before
            target[y0 : y0 + inner.shape[0], x0 : x0 + inner.shape[1]] = inner
        return frame


def widen(box: Box, size: tuple[int, int]) -> Box:
    """The box and all whose colours it has part in, with sides and places that are multiples of GRID, or at the rim of
    a picture of that size."""
    parts = [_widen_side(*side) for side in zip(box[:2], box[2:], size, strict=True)]
    (left, width), (top, height) = parts
    return left, top, width, height


def _widen_side(start: int, length: int, most: int) -> tuple[int, int]:
    begin = max((start - 2 * RING) // GRID * GRID, 0)
    end = min(-(-(start + length + 2 * RING) // GRID) * GRID, most)
    return begin, end - begin


def _planes(frame: av.VideoFrame) -> list[Pixels]:
    """(height, width) of each plane, without what pads its rows."""
    return [
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]  # type: ignore[arg-type]
        for plane in frame.planes
    ]
