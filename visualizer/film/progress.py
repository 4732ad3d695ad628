"""How far a film is and how large it will be: a bar on a terminal, a plain line now and then in a pipe or a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from visualizer.support.console import Console, DescriptionColumn

STEPS = 10  # lines of a film that is quick
SOONEST, LATEST = 2.0, 10.0  # seconds between two lines
# Bytes a pixel of our GIFs, over all looks: from 0.016 (paper) to 0.34 (heat), measured with 2 s of 480x480.
GIF_BYTES, GIF_MOST_BYTES = 0.15, 0.35
HUGE_GIF = 25_000_000  # bytes; many chats and mails take no more


def warn_of_size(size: tuple[int, int], frames: int) -> str | None:
    """What to say before a GIF that is likely to be huge; None for one that is not."""
    pixels = size[0] * size[1] * frames
    if pixels * GIF_BYTES < HUGE_GIF:
        return None
    return (
        f"a GIF of {frames} frames of {size[0]}x{size[1]} may have {megabytes(pixels * GIF_BYTES)}, "
        f"up to {megabytes(pixels * GIF_MOST_BYTES)}: .mp4 and .webp are far smaller, --beats 8 is a short loop"
    )


def megabytes(size: float) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 10e6 else f"{size / 1e6:.1f} MB"


class FilmProgress:
    """Says how far a film of `frames` frames is. `estimate`: bytes that it will have, None as long as nothing is known.

    Asking for an estimate may take a fraction of a second, so it is done no more often than a line is written.
    """

    def __init__(
        self, console: Console, name: str, frames: int, estimate: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._console, self._name, self._frames, self._estimate, self._clock = console, name, frames, estimate, clock
        self._bar = Progress(
            DescriptionColumn(), BarColumn(), TextColumn("{task.percentage:3.0f}%"),
            TextColumn("{task.fields[size]}"), TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(name, total=frames, size="")
        self._said_at, self._step = clock(), 0

    def __enter__(self) -> FilmProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, done: int) -> None:
        """`done` frames are there."""
        self._bar.update(self._task, completed=done)
        now, step = self._clock(), STEPS * done // self._frames
        waited = now - self._said_at
        if self._console.quiet or done >= self._frames or waited < (SOONEST if step > self._step else LATEST):
            return
        self._said_at, self._step = now, step
        size = self._estimate()
        about = f"about {megabytes(size)}" if size is not None else ""
        if self._console.is_terminal:
            self._bar.update(self._task, size=about)
        else:
            of_it = f"{self._name}: {100 * done // self._frames}%, {done} of {self._frames} frames"
            self._console.say(f"{of_it}; {about} in the end" if about else of_it)
