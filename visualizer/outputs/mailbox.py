"""Room for a few things between two threads: where it is full, the oldest goes, and nobody waits."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
ROOM = 3  # pictures: a thread that comes round a little late loses none, and what is sent is not much late itself


class Mailbox(Generic[T]):
    """One writer that never waits, one reader that does."""

    def __init__(self, room: int = ROOM) -> None:
        self.dropped = 0  # things that had to make room before they were fetched
        self._things: deque[T] = deque()
        self._room = room
        self._closed = False
        self._ready = threading.Condition()

    def put(self, thing: T) -> None:
        """Leave it there; nothing happens once it is closed."""
        with self._ready:
            if self._closed:
                return
            if len(self._things) == self._room:
                self._things.popleft()
                self.dropped += 1
            self._things.append(thing)
            self._ready.notify()

    def take(self) -> T | None:
        """Wait for the next thing; None once it is closed and empty."""
        with self._ready:
            while not self._things and not self._closed:
                self._ready.wait()
            return self._things.popleft() if self._things else None

    def close(self) -> None:
        """Nothing more will come."""
        with self._ready:
            self._closed = True
            self._ready.notify()
