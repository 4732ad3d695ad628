"""What asks a show or a film to end from outside: Ctrl-C, SIGTERM, and SIGHUP when its terminal is closed.

The first signal lets the picture in hand be finished, and then all is put away as at any other end. A second one ends
it at once, as the first does where there is nothing to put away.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
TOLD = 128  # exit codes of what a signal has ended begin here, as in any shell


class Stopped(BaseException):
    """What KeyboardInterrupt is to Ctrl-C, for the other signals."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.code = TOLD + number


class Stop:
    """Whether to end. `signal`: which one asked for it, 0 none yet.

    A plain number, not a threading.Event: that has a lock, which the handler of a signal must not wait for.
    """

    def __init__(self) -> None:
        self.signal = 0

    @property
    def name(self) -> str:
        """What asked, in words; "" nothing yet."""
        return signal.Signals(self.signal).name if self.signal else ""


def stopped(number: int) -> BaseException:
    """What to raise where that signal ends it."""
    return KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)


@contextmanager
def asked_to_stop(patient: bool = True) -> Iterator[Stop]:
    """Signals are taken in as long as this lasts. SIGHUP stays ignored where it is, as by nohup.

    The second one raises Stopped, or KeyboardInterrupt, where it finds the program; if not `patient`, the first.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield stop
        return
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def ask(number: int, _frame: FrameType | None) -> None:
        again, stop.signal = bool(stop.signal), stop.signal or number
        for descriptor in terminals:
            if not os.isatty(descriptor):  # it was closed, and a word to it would be an error
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, descriptor)
                os.close(nothing)
        if again or not patient:
            raise stopped(number)

    before = {
        number: signal.signal(number, ask)
        for number in SIGNALS
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
