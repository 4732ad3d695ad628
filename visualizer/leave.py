"""The process ends in time, also where a library that it has called does not return.

The handler of a signal runs between two steps of Python on the main thread: not while that thread is inside a library.
So the signal is also written into a pipe, which the interpreter does at once (`signal.set_wakeup_fd`), and a thread
that reads the pipe sees to it that the process ends. What is worth keeping is put away first, by the first to come to
it: the main thread, in `unhurried`, or that thread, by what `before_leaving` was given.

A library that does not return and holds Python's lock as well stops that thread too; those here give it back.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from visualizer.stop import SIGNALS, TOLD

log = logging.getLogger("visualizer")
aside = logging.getLogger("visualizer.aside")

PROMPT = 1.5  # seconds from a signal until whatever runs has ended, or has begun to put things away
CLOSING = 3.0  # seconds from then on in which devices, windows and libraries must close
FLUSHING = 0.3  # seconds in which what was said must be written

_finishing = threading.RLock()  # held while things are put away
_last_things: Callable[[], object] | None = None
_watch: _Watch | None = None


class _Watch:
    """Ends the process when a deadline is over."""

    def __init__(self, last_words: Callable[[int], object]) -> None:
        """`last_words` says that the process ends by that signal, in place of what would have said it."""
        self.code = 0  # that the process would end with now
        self.deadline = math.inf  # on time.monotonic
        self.orderly = False  # whether the main thread has put things away
        self._signals = 0
        self._last_words = last_words
        self._changed: queue.SimpleQueue[None] = queue.SimpleQueue()  # wakes; a lock might be held by what is stuck
        threading.Thread(target=self._run, name="leave", daemon=True).start()

    def set_deadline(self, deadline: float) -> None:
        """inf: none."""
        self.deadline = deadline
        self._changed.put(None)

    def take_signal(self, number: int) -> None:
        """A signal has come."""
        self._signals += 1
        self.code = TOLD + number
        if self._signals == 1 and _is_finishing():
            return  # what is being put away may take its time; who asks twice does not wait for it
        self.set_deadline(time.monotonic() + PROMPT)

    def _run(self) -> None:
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                self._keep_and_leave()
                continue
            with suppress(queue.Empty):
                self._changed.get(timeout=None if left == math.inf else left)

    def _keep_and_leave(self) -> None:
        """The deadline is over. Put away what has not been put away yet, and end the process."""
        self.deadline = math.inf
        if self._signals > 1 or (last_things := _last_things) is None:
            self._leave()
        elif _finishing.acquire(blocking=False):  # else the main thread has come to it just now, and will say when
            # On a thread of its own, so that another signal is heard meanwhile.
            threading.Thread(target=self._keep, args=(last_things,), name="last things", daemon=True).start()

    def _keep(self, last_things: Callable[[], object]) -> None:
        try:
            last_things()
        except Exception as error:
            log.error("visualizer: not all is kept: %s", error, exc_info=error)
        finally:
            self._leave()

    def _leave(self) -> None:
        def speak() -> None:
            aside.warning("--- left, for something that was called does not return")
            if self._signals and not self.orderly:
                self._last_words(self.code - TOLD)
            flush()

        # A stream or a disk may be what hangs.
        speaking = threading.Thread(target=speak, daemon=True)
        with suppress(RuntimeError):  # at the very end Python begins no threads any more
            speaking.start()
            speaking.join(FLUSHING)
        os._exit(self.code)


def flush() -> None:
    """Write what was said."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    for handler in log.handlers:
        handler.flush()


def _is_finishing() -> bool:
    free = _finishing.acquire(blocking=False)
    if free:
        _finishing.release()
    return not free


@contextmanager
def leaving_in_time(last_words: Callable[[int], object]) -> Iterator[None]:
    """As long as this lasts, a signal ends the process in time; and from then on too where the show was over.

    For the main thread of a program of ours. `last_words`: see `_Watch`.
    """
    global _watch
    if _watch is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _watch = watch = _Watch(last_words)
    atexit.register(_leave_at_last, watch)  # first, so it comes after all that others register
    pipe = _listen_to_signals(watch)
    try:
        yield
    except SystemExit as done:
        watch.code = done.code if isinstance(done.code, int) else int(done.code is not None)
        raise
    except BaseException:
        watch.code = 1
        raise
    finally:
        if pipe is not None:
            writer, before = pipe
            signal.set_wakeup_fd(before)
            os.close(writer)
        _watch = None
        if watch.deadline < math.inf:  # libraries close at the very end too, and may wait for what never comes
            watch.orderly = True
            watch.set_deadline(time.monotonic() + CLOSING)


def _listen_to_signals(watch: _Watch) -> tuple[int, int] | None:
    """Let `watch` know of signals at once: the descriptor that they are written to, and that of before. None where
    the system cannot."""
    if sys.platform == "win32":  # there a pipe cannot be made so that writing into it never waits
        return None
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def read() -> None:
        while numbers := os.read(reader, 16):
            for number in numbers:
                if number in SIGNALS:
                    watch.take_signal(number)
        os.close(reader)

    threading.Thread(target=read, name="signals", daemon=True).start()
    return writer, before


def _forget_signals() -> None:
    """A process that was forked from this one would tell us of its own signals."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_signals)


def _leave_at_last(watch: _Watch) -> None:
    """What Python and libraries take down after this cannot be watched, for no thread runs any more."""
    if watch.deadline < math.inf:
        flush()
        os._exit(watch.code)


@contextmanager
def before_leaving(last_things: Callable[[], object]) -> Iterator[None]:
    """As long as this lasts, `last_things` is done before the process is ended by a signal that the main thread does
    not obey. It runs on another thread."""
    set_last_things(last_things)
    try:
        yield
    finally:
        set_last_things(None)


def set_last_things(last_things: Callable[[], object] | None) -> None:
    """What `before_leaving` does, until this is called again."""
    global _last_things
    _last_things = last_things


@contextmanager
def unhurried() -> Iterator[None]:
    """Put things away in here, on the main thread, and take your time. What comes after it must be done in `CLOSING`.

    It does not begin where the process is being ended by then, and then there are no last things to do any more.
    """
    with _finishing:
        if _watch is not None:
            _watch.set_deadline(math.inf)
        try:
            yield
        finally:
            set_last_things(None)
            if _watch is not None:
                _watch.orderly = True
                _watch.set_deadline(time.monotonic() + CLOSING)
