"""One output at work: its thread, what it was given and what it made of it."""

from __future__ import annotations

import logging
import threading

from visualizer.messages import Notify
from visualizer.outputs.mailbox import Mailbox
from visualizer.outputs.sender import OutputError, Picture, Sender
from visualizer.support.log import what
from visualizer.support.priority import step_back

log = logging.getLogger("visualizer")

END_SECONDS = 3.0  # that an output has to finish what it does


class Line:
    """Sends the newest picture that there is, as often as the sender comes round; those in between are dropped."""

    def __init__(self, name: str, sender: Sender, notify: Notify) -> None:
        """`notify` is told, once, from the line's thread, where it leads to or why it ended."""
        self.name, self._sender, self._notify = name, sender, notify
        self._box: Mailbox[Picture] = Mailbox()
        self.sent = 0
        self.where = ""  # "" until it is open
        self.failure = ""
        self._ends = False
        self._thread = threading.Thread(target=self._run, name=f"output {name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Pictures that were not sent."""
        return self._box.dropped

    @property
    def over(self) -> bool:
        """Whether it sends nothing more."""
        return self._ends or bool(self.failure)

    def put(self, picture: Picture) -> None:
        """The next picture; never waits."""
        self._box.put(picture)

    def describe(self) -> str:
        """How it is, in a few words."""
        if self.failure:
            return f"{self.name}: {self.failure}"
        if not self.where:
            return f"{self.name}: waiting"
        return f"{self.name}: {self.where}, {self.sent} sent, {self.dropped} dropped"

    def _run(self) -> None:
        step_back()
        try:
            self.where = self._sender.open()
            self._notify(f"output {self.name}: {self.where}")
            while (picture := self._box.take()) is not None:
                self._sender.send(picture)
                self.sent += 1
        except Exception as error:
            if not self._ends:
                self.failure = str(error) if isinstance(error, OutputError) else what(error)
                self._notify(f"output {self.name}: {self.failure}")
                log.debug("output %s", self.name, exc_info=error)
        finally:
            self._box.close()
            try:
                self._sender.close()
            except Exception as error:
                log.debug("output %s, closing", self.name, exc_info=error)

    def begin_end(self) -> None:
        """Send what waits, and end; does not wait for that."""
        self._box.close()

    def finish(self, timeout: float = END_SECONDS) -> None:
        """Wait until it has ended; what takes longer is interrupted."""
        self._box.close()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._ends = True
            self._sender.interrupt()
            self._thread.join(timeout)
