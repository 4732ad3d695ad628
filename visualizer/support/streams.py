"""Stdout and stderr that cannot be written: a full disk, a device that takes nothing, a reader that has gone."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from visualizer.errors import UserError


class Unwritable(UserError):
    """Stdout takes nothing more."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"what was asked for cannot be written to standard output ({error.strerror})")


class _Stream:
    """A text stream but for what happens to writing that fails."""

    def __init__(self, stream: TextIO, descriptor: int) -> None:
        self._stream, self._descriptor = stream, descriptor
        self._error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As of any stream."""
        try:
            if self._error is None:
                return self._stream.write(text)
        except OSError as error:
            self._failed(error)
        self._tell()
        return len(text)

    def flush(self) -> None:
        """As of any stream."""
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(error)
        self._tell()

    def _failed(self, error: OSError) -> None:
        """What is still in the buffers would fail once more when the interpreter ends: it goes nowhere."""
        self._error = error
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._descriptor)
        os.close(nothing)

    def _tell(self) -> None:
        """Nothing: messages that cannot be read are no reason to end."""


class _Answers(_Stream):
    """Stdout: what was asked for. Where it cannot be written the command has failed, and each write says so again:
    some libraries try a stream first, and take an error for an answer."""

    def _tell(self) -> None:
        if self._error is None:
            return
        if self._error.errno == errno.EPIPE:
            raise BrokenPipeError(errno.EPIPE, self._error.strerror)  # its reader has read enough
        raise Unwritable(self._error)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """As long as this lasts, stderr that cannot be written is passed over, and stdout that cannot raises Unwritable, or
    BrokenPipeError where its reader has gone. Streams that are not the process's own stay as they are."""
    before = sys.stdout, sys.stderr
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        sys.stdout = _Answers(sys.stdout, 1)  # pyright: ignore[reportAttributeAccessIssue]
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = _Stream(sys.stderr, 2)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, UserError):
                if isinstance(stream, _Stream):
                    stream.flush()
        sys.stdout, sys.stderr = before


@contextmanager
def quietly() -> Iterator[None]:
    """Without the lines that native libraries write to descriptor 2: PortAudio and ALSA where a device cannot be
    opened, MediaPipe when it starts.

    What is wrong they also return, and we say it. As sounddevice does while it starts; see log.py.
    """
    try:
        kept = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
