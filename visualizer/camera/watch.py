"""The process that looks through the camera: `python -m visualizer.camera.watch NAME`.

A process of its own, for three reasons: to import MediaPipe takes seconds in which nothing else of ours would run; a
driver that hangs or crashes takes nothing with it; and pictures of people never enter the process that draws, records
and writes reports. What comes out, on standard output, are lines of JSON: joints in space, and what there is to say. On
standard input come lines too: `rate N`, pictures a second to look at, and `people N`. Where that ends, so does this.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import IO, Any, Protocol

import numpy as np

from visualizer.camera.bundle import COMMAND, Bundle, find_bundle
from visualizer.camera.follower import Follower, Seen
from visualizer.camera.landmarker import Landmarker, Person
from visualizer.camera.pictures import CameraLost, Newest, Picture, Pictures, open_pictures
from visualizer.dancer.guest_body import MOST_GUESTS
from visualizer.errors import UserError

MOST_RATE = 30.0  # pictures a second that are looked at
RETRY = 3.0  # seconds between two tries to open a camera
STALLED = 4.0  # seconds after which a camera that gives nothing is lost
DARK, DARK_SECONDS = 6, 8.0  # grey levels that no pixel exceeds, and for how long: covered, or not permitted
SIZES = ("lite", "full", "heavy")  # of bundles, the first that is there
NO_BUNDLE = f"the network that sees people is missing: {COMMAND} fetches it, once"
HUNG = 3  # exit code where a driver does not let go


class Eyes(Protocol):
    """What sees people, such as landmarker.Landmarker."""

    def look(self, picture: Picture, seconds: float) -> list[Person]: ...
    def close(self) -> None: ...


class Watch:
    """Looks at pictures until it is told to end. What it sees and says goes to `tell`."""

    def __init__(
        self, name: str, tell: Callable[[dict[str, Any]], None], eyes: Callable[[int], Eyes],
        pictures: Callable[[str], Pictures] = open_pictures,
    ) -> None:  # fmt: skip
        """`eyes(people)` makes what sees that many."""
        self.rate, self.people, self.ended = MOST_RATE, 1, False
        self._name, self._tell, self._make, self._open = name, tell, eyes, pictures
        self._eyes: Eyes | None = None
        self._made_for = 0
        self._said = ""

    def order(self, line: str) -> None:
        """What the show asks for, from any thread."""
        word, _, number = line.strip().partition(" ")
        try:
            value = float(number)
        except ValueError:
            return
        if word == "rate":
            self.rate = min(max(value, 1.0), MOST_RATE)
        elif word == "people":
            self.people = int(min(max(value, 1), MOST_GUESTS))

    def run(self) -> int:
        """Look until the end. Gives the exit code."""
        self._say("waking the camera", "waking")
        try:
            self._look_for(self.people)
            while not self.ended:
                if not self._try():
                    return HUNG
                for _ in range(round(RETRY / 0.1)):
                    if not self.ended:
                        time.sleep(0.1)
        except UserError as error:  # nothing that another try would mend
            self._say(f"no guests: {error}", "final")
        finally:
            if self._eyes is not None:
                self._eyes.close()
        return 0

    def _try(self) -> bool:
        """Open the camera and look through it until it is lost. Whether the driver let go of it."""
        try:
            source = Newest(self._open(self._name))
        except (CameraLost, UserError, OSError) as error:
            why = str(error) if isinstance(error, UserError) else f"no camera {self._name}: {error}"
            self._say(f"{why}. Dancing alone, looking again", "lost")
            return True
        self._say(f"the camera is on: {self._name}", "on")
        try:
            self._look_through(source)
        except CameraLost:
            self._say("camera lost. Dancing alone, looking again", "lost")
        finally:
            let_go = source.close()
        return let_go

    def _look_through(self, source: Newest) -> None:
        follower, due, heard, light = Follower(), 0.0, time.monotonic(), time.monotonic()
        while not self.ended:
            taken = source.take(0.25)
            now = time.monotonic()
            if taken is None:
                if now - heard > STALLED:
                    raise CameraLost("it gives no more pictures")
                continue
            heard = now
            picture, at = taken
            if at < due:
                continue
            due = max(due, at - 1 / self.rate) + 0.97 / self.rate
            light = now if light and int(picture[::8, ::8].max()) > DARK else light
            if light and now - light > DARK_SECONDS:
                self._tell({"says": "the camera sees nothing but black: is it covered, or not permitted?"})
                light = 0.0
            eyes = self._look_for(self.people)
            people = eyes.look(picture, at)
            seen = follower.push(people, (picture.shape[1], picture.shape[0]), at)
            self._tell(describe_seen(seen, at, time.monotonic() - now))

    def _look_for(self, people: int) -> Eyes:
        if self._eyes is None or people != self._made_for:
            if self._eyes is not None:
                self._eyes.close()
            self._eyes, self._made_for = self._make(people), people
        return self._eyes

    def _say(self, text: str, state: str) -> None:
        """Once, however often it is tried in vain."""
        if text != self._said:
            self._said = text
            self._tell({"says": text, "state": state})


def describe_seen(seen: list[Seen], at: float, took: float) -> dict[str, Any]:
    """What was seen in a picture that came at `at`, on the monotonic clock, and was looked at for `took` seconds."""
    guests = [
        {"slot": s.slot, "joints": np.round(s.joints, 4).ravel().tolist(), "place": round(s.place, 4),
         "speed": np.round(s.speed, 3).ravel().tolist(), "legs": round(s.legs, 3)}
        for s in seen
    ]  # fmt: skip
    return {"at": at, "took": round(took, 4), "guests": guests}


def open_eyes() -> Callable[[int], Eyes]:
    """The landmarker of the bundle that is kept, the quickest first. UserError where there is none."""
    kept: Bundle | None = find_bundle(SIZES)
    if kept is None:
        raise UserError(NO_BUNDLE)
    bundle = kept
    return lambda people: Landmarker(bundle, people, masks=False)


def main(name: str, orders: IO[str], out: IO[str]) -> int:
    """Watch as `orders` say, and write to `out`."""

    def tell(what: dict[str, Any]) -> None:
        try:
            out.write(json.dumps(what) + "\n")
            out.flush()
        except (OSError, ValueError):  # nobody reads any more
            watch.ended = True

    def make(people: int) -> Eyes:
        return open_eyes()(people)

    def listen() -> None:
        for line in orders:
            watch.order(line)
        watch.ended = True

    watch = Watch(name, tell, make)
    Thread(target=listen, name="orders", daemon=True).start()
    return watch.run()


if __name__ == "__main__":
    # Libraries write to standard output as they please; what is told goes where it went before.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    code = main(sys.argv[1], sys.stdin, told)
    os._exit(code)  # a driver or library that cannot end well has told all the same
