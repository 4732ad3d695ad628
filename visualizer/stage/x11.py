"""When the X server fails. Xlib then ends the process on the spot, without a word, unless it is told what else to do.

An error is the answer to one request, such as a driver's that has lost its GPU; the show goes on. When the connection
itself is gone there is nothing to go back to: Xlib ends the process as soon as it is told, so all that has to be kept
is kept before that.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Callable

from visualizer.leave import set_last_things, unhurried

log = logging.getLogger("visualizer")
aside = logging.getLogger("visualizer.aside")

GONE = 1  # exit code


class _Error(ctypes.Structure):
    """XErrorEvent of Xlib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("code", ctypes.c_ubyte),
        ("request", ctypes.c_ubyte),
        ("minor", ctypes.c_ubyte),
    )


_last_things: Callable[[], None] | None = None
_told: set[tuple[int, int, int]] = set()


def before_the_end(last_things: Callable[[], None] | None) -> None:
    """What to do when the server has gone, or a signal finds the main thread inside a library that does not return.

    It runs in the middle of a call of Xlib, or on another thread, and must not use the display.
    """
    global _last_things
    _last_things = last_things
    set_last_things(last_things)


def watch() -> None:
    """To be called whenever SDL has opened the display: it sets a handler of its own."""
    try:
        xlib = ctypes.CDLL("libX11.so.6")  # the one that SDL has loaded
    except OSError as error:
        aside.info("the display server is not watched: %s", error)
        return
    xlib.XSetErrorHandler(_on_error)
    xlib.XSetIOErrorHandler(_on_gone)


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Error))
def _on_error(_display: int, event: ctypes._Pointer[_Error]) -> int:
    error = event.contents
    what = error.code, error.request, error.minor
    if what not in _told:  # each kind once: it may come with each picture
        _told.add(what)
        aside.warning("the X server says error %d to request %d.%d", *what)
    return 0


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
def _on_gone(_display: int) -> int:
    try:
        log.error("visualizer: the display server has gone, and the window with it")
        with unhurried():
            if _last_things is not None:
                _last_things()
    except BaseException as error:  # nothing above could catch it: this was called from C
        log.error("visualizer: not all is kept: %r", error, exc_info=error)
    finally:
        for handler in log.handlers:
            handler.flush()
        os._exit(GONE)  # atexit would close the window, which asks the server
