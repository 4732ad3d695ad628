"""Threads that give way to the show."""

from __future__ import annotations

import os
import sys
import threading

NICE = 3


def step_back() -> None:
    """The calling thread gets less of a busy processor, and so do threads and processes that it starts.

    Only on Linux, where a thread has a niceness of its own.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
