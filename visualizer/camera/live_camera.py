"""The camera of a live show: turned on and off by a command, looked after from picture to picture."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from visualizer.dancer.guest_body import MOST_GUESTS, GuestBody
from visualizer.messages import Notify
from visualizer.options import FIRST_CAMERA

if TYPE_CHECKING:
    from visualizer.show import Show

log = logging.getLogger("visualizer")

AT_THE_SHOW = "a camera is turned on by the key V or --camera alone"


class Looking(Protocol):
    """What is asked of a CameraThread."""

    on: bool
    failed: bool

    def look(self) -> tuple[GuestBody, ...]: ...
    def ask(self, what: str, number: float) -> None: ...
    def close(self) -> None: ...


def open_camera(name: str, notify: Notify) -> Looking:
    """Begin to look through a camera."""
    from visualizer.camera.camera_thread import CameraThread

    return CameraThread(name, notify)


class LiveCamera:
    """At most one camera. `name`: what it is called, or None where nobody asked for one at the start."""

    def __init__(self, name: str | None = None, start: Callable[[str, Notify], Looking] = open_camera) -> None:
        self.name = name
        self._start = start
        self._looking: Looking | None = None
        self._rate = 0.0
        self._guests = 0

    @property
    def on(self) -> bool:
        """Whether a camera is open."""
        return self._looking is not None and self._looking.on

    @property
    def wanted(self) -> bool:
        """Whether one is to be open."""
        return self._looking is not None

    def turn(self, show: Show, on: bool) -> None:
        """Guests from now on, or no more. A remote or a list of cues can turn on only what was asked for at the start.
        UserError where the pack's dancers are flat."""
        if on and not self.wanted:
            if show.answer is not None and self.name is None:
                show.reply(AT_THE_SHOW, "camera")
                return
            show.dancer.watch(_Nobody())
            looking = self._looking = self._start(self.name or FIRST_CAMERA, show.notify)
            self.name = self.name or FIRST_CAMERA
            show.dancer.watch(looking)
            show.reply("guests: step before the camera; V turns it off", "camera")
        elif not on and self.wanted:
            self.close(show)
            show.reply("the camera is off", "camera")

    def tend(self, show: Show, rate: float) -> None:
        """To be called with each picture. `rate`: pictures a second that there is time to look at."""
        if (looking := self._looking) is None:
            return
        if (guests := show.dancer.guests) != self._guests:
            self._guests = guests
            log.info("guests: %d", guests)
        if looking.failed:
            self.close(show)
            return
        looking.ask("people", min(show.troupe, MOST_GUESTS))
        if rate != self._rate:
            self._rate = rate
            looking.ask("rate", rate)

    def close(self, show: Show) -> None:
        """The camera is off when this returns."""
        looking, self._looking, self._rate = self._looking, None, 0.0
        if looking is not None:
            show.dancer.watch(None)
            looking.close()


class _Nobody:
    """A feed without guests."""

    def look(self) -> tuple[GuestBody, ...]:
        return ()
