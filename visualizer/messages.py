"""Messages for people: all code that has something to say calls one `notify(text)`; here is what becomes of it.

Any thread may call. The thread that draws asks `Toasts.show` what to write now.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Protocol

from visualizer.support.printable import make_printable

log = logging.getLogger("visualizer")

TOAST_SECONDS = 3.5
MOST_TOASTS = 4
LONGEST_TOAST = 400  # characters


class Notify(Protocol):
    """Say `text`, in place of the last message of the same `topic` if it has one.

    `asked`: it answers somebody, and is shown also where the stage was made dark.
    """

    def __call__(self, text: str, topic: str = "", asked: bool = False, /) -> None: ...


def discard(text: str, topic: str = "", asked: bool = False, /) -> None:
    """A `Notify` for what has nowhere to say it."""


def write_to_log(text: str, topic: str = "", asked: bool = False, /) -> None:
    """A `Notify` for what has no screen: one line of the log."""
    log.info("%s", text)


class Toasts:
    """A `Notify` that shows and logs each message for a few seconds, the last `MOST_TOASTS` at a time."""

    def __init__(self) -> None:
        self._inbox: deque[tuple[str, str, bool]] = deque()  # from any thread
        self._shown: list[tuple[str, str, float]] = []  # text, topic, until when

    def __call__(self, text: str, topic: str = "", asked: bool = False, /) -> None:
        if asked:
            log.info("toast: %s", text)
        self._inbox.append((text, topic, asked))

    def show(self, now: float, dark: bool = False) -> tuple[str, ...]:
        """The messages to show at `now`, seconds, oldest first.

        `dark`: messages that were not asked for do not light up a stage that was made dark; they are only logged.
        """
        for _ in range(len(self._inbox)):
            text, topic, asked = self._inbox.popleft()
            if dark and not asked:
                log.info("toast, in the dark: %s", text)
                continue
            if not asked:
                log.info("toast: %s", text)
            others = [each for each in self._shown if not topic or each[1] != topic]
            self._shown = [*others, (make_printable(text, LONGEST_TOAST), topic, now + TOAST_SECONDS)][-MOST_TOASTS:]
        self._shown = [each for each in self._shown if each[2] > now]
        return tuple(text for text, *_ in self._shown)

    def log_rest(self) -> None:
        """Put what was said since into the log: nothing more is drawn."""
        while self._inbox:
            text, _, asked = self._inbox.popleft()
            if not asked:
                log.info(text)
