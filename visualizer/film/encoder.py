"""A film that is written while others go on: one thread converts each picture, the next encodes it and writes the file.

PyAV releases Python's lock meanwhile. What waits between the threads is bounded, and stays in order.
"""

from __future__ import annotations

import errno
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.film.convert import Box, Pixels
from visualizer.film.video import FILMS, TRANSPARENT, Movie, Writer, is_sequence, no_such_kind
from visualizer.music.analysis.features import Floats

# Pictures that may wait, as painted and as converted; fewer of large ones. Many painted ones would only push each other
# out of the processor's cache.
PAINTED, PREPARED = 2, 4
WAITING = 24 << 20  # bytes that may wait on either side of the converter, or one picture
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Encoder:
    """A film that is written by threads of its own. `put` frames, then `finish` or `abandon`.

    The name decides what is written: H.264, VP9 or ProRes with sound, a GIF or WebP that moves, or PNGs in a folder.
    `sound`: blocks (n, 2) at SOUND_RATE from the first frame on, None for a silent film. UserError for a place that
    cannot be written into, or a PyAV that lacks an encoder.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], fps: int | Fraction, sound: Iterator[Floats] | None = None,
        transparent: bool = False,
    ) -> None:  # fmt: skip
        import av.error

        self._place = path.absolute().parents["%" in path.name]  # of a sequence, where its folder lies
        self._failures: tuple[type[Exception], ...] = (OSError, av.error.FFmpegError)
        try:
            self._writer = _writer(path, size, Fraction(fps), sound, transparent)
        except self._failures as error:
            raise UserError(f"{self._place}: cannot be written into ({_reason(error)})") from error
        pixels = size[0] * size[1]
        self._painted: queue.Queue[tuple[Pixels, Box | None] | None] = queue.Queue(
            min(max(WAITING // (4 * pixels), 1), PAINTED)
        )
        self._prepared: queue.Queue[Any] = queue.Queue(min(max(WAITING // (2 * pixels), 1), PREPARED))
        self._error: Exception | None = None
        self._abandoned = False
        self._written = 0  # frames; for the thread that asks how large it will be
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()
        threading.Thread(target=self._prepare, name="converter", daemon=True).start()

    def put(self, pixels: Pixels, changed: Box | None = None) -> None:
        """(height, width, 4) BGRX, or straight RGBA of a transparent film; yours no more.

        They are those of the picture before but for the box `changed`; None: all of them may be others. Waits while
        the encoder is behind. UserError if it has failed, or the sound has.
        """
        self._raise()
        self._painted.put((pixels, changed))

    def convert(self, pixels: Pixels) -> Any:
        """The picture, pixels as for `put`, as it is encoded: a third as large.

        For `put_converted`; from one thread, and in a film that nothing is `put` into.
        """
        return self._writer.prepare(pixels, None)

    def put_converted(self, picture: Any) -> None:
        """As `put`, of a picture that was converted before; it may be put again."""
        self._raise()
        self._prepared.put(picture)

    def finish(self) -> None:
        """Write what is left and close. UserError if that fails."""
        self._painted.put(None)
        self._thread.join()
        self._raise()

    def estimate(self, frames: int) -> int | None:
        """About how many bytes the film will have when it has that many frames; None: that is not known yet."""
        return self._writer.estimate(self._written, frames) if self._written and self._thread.is_alive() else None

    def abandon(self) -> None:
        """Stop and remove the file."""
        self._abandoned = True
        if self._thread.is_alive():
            self._painted.put(None)
            self._thread.join()
        self._writer.remove()

    @property
    def _is_over(self) -> bool:
        """Whether what still comes is thrown away. The queues are emptied all the same, so that no caller waits."""
        return self._error is not None or self._abandoned

    def _raise(self) -> None:
        if self._error is not None:
            if not isinstance(self._error, self._failures):  # of the sound, whose file may be gone; or of our own
                raise self._error
            if isinstance(self._error, OSError) and self._error.errno in NO_ROOM:
                raise UserError(f"{self._place}: no room left for the film ({_reason(self._error)})") from self._error
            raise UserError(f"{self._place}: writing the film failed ({_reason(self._error)})") from self._error

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error  # the first failure is the one to tell

    def _prepare(self) -> None:
        while (painted := self._painted.get()) is not None:
            if self._is_over:
                continue
            try:
                self._prepared.put(self._writer.prepare(*painted))
            except Exception as error:  # noqa: BLE001 - whatever it is, who puts is told; and would wait for ever without us
                self._fail(error)
        self._prepared.put(None)

    def _run(self) -> None:
        frames = 0
        while (picture := self._prepared.get()) is not None:
            if self._is_over:
                continue
            try:
                self._writer.write(picture, frames)
                frames += 1
                self._written = frames
            except Exception as error:  # noqa: BLE001 - as above
                self._fail(error)
        try:
            if not self._is_over:
                self._writer.close(frames)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        if self._is_over:
            with suppress(*self._failures):
                self._writer.leave()


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _writer(
    path: Path, size: tuple[int, int], fps: Fraction, sound: Iterator[Floats] | None, transparent: bool
) -> Writer:
    from visualizer.film.images import Gif, Stills, WebP

    if is_sequence(path):
        return Stills(path, size, transparent)
    suffix = path.suffix.lower()
    if suffix == ".webp":
        return WebP(path, size, fps, transparent)
    if suffix == ".gif" and not transparent:
        return Gif(path, size, fps)
    kind = (TRANSPARENT if transparent else FILMS).get(suffix)
    if kind is None:
        raise no_such_kind(path, transparent)
    return Movie(path, kind, size, fps, sound)
