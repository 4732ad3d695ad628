"""One line a message on stderr, so that what happened can be read afterwards, by people and by scripts."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

log = logging.getLogger("visualizer")
FOR_THE_CURIOUS = ("visualizer.dancer.pack",)  # what was tried before what runs; the show says what runs


def _own_stderr() -> TextIO | None:
    """Stderr through a descriptor of our own.

    While PortAudio looks for devices, sounddevice points descriptor 2 of the whole process at nothing to silence it;
    what other threads say at that moment would be lost.
    """
    if sys.stderr is None:  # a program without a console on Windows
        return None
    try:
        return os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    except OSError:  # descriptor 2 is closed
        return sys.stderr


def start_log(level: int = logging.INFO) -> None:
    """Send the program's messages, and nobody else's, to stderr. Calling it again does nothing."""
    if log.handlers:
        return
    stream = _own_stderr()
    handler = logging.NullHandler() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False
    for name in FOR_THE_CURIOUS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def say_more() -> None:
    """Let all messages through, also those for the curious."""
    log.setLevel(logging.DEBUG)
    for name in FOR_THE_CURIOUS:
        logging.getLogger(name).setLevel(logging.NOTSET)
