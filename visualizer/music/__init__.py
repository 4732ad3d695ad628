"""The ear: from sound to musical time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Clock = Callable[[], float]  # seconds from any moment on


def taken(messages: deque[str]) -> list[str]:
    """All messages there are, out of a queue that another thread may be filling."""
    return [messages.popleft() for _ in range(len(messages))]
