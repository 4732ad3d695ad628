"""What the C library of Linux keeps of the memory that was let go, and how to have less of that.

It gives each thread a heap of its own, and each heap keeps what its thread needed at the worst moment; in the hours of
a show that adds up. With other C libraries, and on other systems, there are no such calls, and nothing is done.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

M_ARENA_MAX = -8  # of glibc's malloc.h


def one_heap() -> None:
    """One heap for all threads that begin from now on. They seldom meet there: Python lets one work at a time."""
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """What is free goes back to the system; 0.5 to 4 ms."""
    if (malloc_trim := _of_glibc("malloc_trim")) is not None:
        malloc_trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
