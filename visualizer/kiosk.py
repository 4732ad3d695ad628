"""A show that is left to itself: where it fails it is started again, after longer and longer waits.

The program that was started only watches; the show is a process of its own, told by the environment that it is watched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from visualizer.leave import unhurried
from visualizer.options import Settings
from visualizer.stop import SIGNALS, TOLD
from visualizer.support.log import log

WATCHED = "DANCING_SCREEN_WATCHED"  # in the environment of the show
WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds before it is started again; the last ones stay
STEADY_SECONDS = 300.0  # after which a show was well, and the next wait is short
LEAVE_SECONDS = 8.0  # that the show has for its end

Start = Callable[[list[str]], "subprocess.Popen[bytes]"]


def is_watched() -> bool:
    """Whether this process is the show of a kiosk."""
    return bool(os.environ.get(WATCHED))


def fit_to_kiosk(settings: Settings) -> Settings:
    """Full screen, unless a window was asked for on the command line; what guests choose by key is not remembered."""
    window = settings.window if "window" in settings.from_cli else None
    return replace(settings, window=window, remember=False)


def start_show(words: list[str]) -> subprocess.Popen[bytes]:
    """The same program, watched."""
    return subprocess.Popen([sys.executable, "-m", "visualizer", *words], env={**os.environ, WATCHED: "1"})


def keep_running(
    words: list[str], *, start: Start = start_show, clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:  # fmt: skip
    """Run `visualizer WORDS` until it ends well, or by a signal that asked it to; its exit code.

    A signal to us ends the show too, and is raised as by `stop.asked_to_stop`.
    """
    failures = 0
    while True:
        begun = clock()
        show = start(words)
        try:
            code = show.wait()
        except BaseException:  # we are asked to end
            with unhurried():
                _end(show)
            raise
        if code == 0 or code - TOLD in SIGNALS:
            return code
        failures = 1 if clock() - begun >= STEADY_SECONDS else failures + 1
        seconds = WAITS[min(failures, len(WAITS)) - 1]
        log.error("the show ended with %d; it is started again in %g s", code, seconds)
        sleep(seconds)


def _end(show: subprocess.Popen[bytes]) -> None:
    show.terminate()
    try:
        show.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        show.kill()
        show.wait()
