"""Commands from outside the thread that draws: phone, OSC and MIDI put them in, the live loop takes them out.

It is bounded as a whole and for each sender, and only a few are taken a frame: neither a flood nor a slow command
can make a picture late.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

MOST = 128  # commands that wait
MOST_OF_ONE = 32  # of one sender
MOST_A_FRAME = 8  # that are run for one picture: 480 a second at 60 pictures
LONGEST_ARGUMENT = 1000  # characters


def drop_answer(text: str) -> None:
    """An answer that is not wanted."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A command as it was sent. `answer` gets each line that the show says to it, on the thread that draws: it must
    return at once and raise nothing. `time`: when it was meant, seconds on the show's clock; None: when it is run."""

    name: str
    argument: str = ""
    sender: str = ""
    answer: Callable[[str], None] = drop_answer
    time: float | None = None


class Inbox:
    """For many threads that send and one that takes."""

    def __init__(self) -> None:
        self._waiting: deque[Sent] = deque()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def send(self, sent: Sent) -> bool:
        """Put a command in; False, and nothing done, if there is no room for it or its argument is too long."""
        if len(sent.argument) > LONGEST_ARGUMENT:
            return False
        with self._lock:
            if len(self._waiting) >= MOST or self._counts[sent.sender] >= MOST_OF_ONE:
                return False
            self._waiting.append(sent)
            self._counts[sent.sender] += 1
        return True

    def take(self) -> list[Sent]:
        """The next commands to run, in the order in which they came."""
        if not self._waiting:  # nearly always: no lock then
            return []
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(MOST_A_FRAME, len(self._waiting)))]
            for sent in taken:
                self._counts[sent.sender] -= 1
                if not self._counts[sent.sender]:
                    del self._counts[sent.sender]
        return taken
