"""From sound to musical time: where the music comes from (`sources`), what is heard in it (`analysis`), and the clock
that the dance goes by."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Clock = Callable[[], float]  # seconds from any moment on


def taken(messages: deque[str]) -> list[str]:
    """All messages there are, out of a queue that another thread may be filling."""
    return [messages.popleft() for _ in range(len(messages))]
