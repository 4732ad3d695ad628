"""The pictures of a show on their way to other programs.

The thread that draws leaves a picture in a mailbox and goes on. One thread makes of it what outputs want: one size, and
no flashes. Each output then has a thread of its own. Whoever is behind finds the newest picture next; those in between
are dropped, and nobody waits for anybody.

Where outputs have alpha, the pictures are others than those of the screen: the dancers alone, painted here a second
time, by the processor.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from visualizer.film.recorder import fit
from visualizer.messages import Notify
from visualizer.outputs.line import END_SECONDS, Line
from visualizer.outputs.mailbox import Mailbox
from visualizer.outputs.sender import Format, Picture, Pixels, Sender
from visualizer.stage.guarded import GuardedFrames
from visualizer.support.log import what
from visualizer.support.priority import step_back

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.stage.cpu.painter import Painter
    from visualizer.stage.shots import Shot

log = logging.getLogger("visualizer")

Make = Callable[[], Pixels]


class Outputs:
    """All outputs of one show. `due`, `offer` and `offer_moment` are for the thread that draws, and never wait."""

    def __init__(self, form: Format, senders: Mapping[str, Sender], notify: Notify) -> None:
        """`senders` by the names that are said of them."""
        self.form = form
        self._notify = notify
        self._began: float | None = None  # when the first picture was seen, on the show's clock
        self._slot = -1  # of the last picture that was offered
        self._guard = GuardedFrames(form.size, transparent=form.alpha)  # the screen has one of its own
        self._painter: Painter | None = None
        self._box: Mailbox[tuple[int, Make]] = Mailbox()
        self.lines = [Line(name, sender, notify) for name, sender in senders.items()]
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)
        self._thread.start()

    def due(self, seen: float) -> bool:
        """Whether a picture of the screen that is seen then, seconds on the show's clock, is wanted."""
        return not self.form.alpha and self._is_new(seen)

    def _is_new(self, seen: float) -> bool:
        return self._slot_of(seen) > self._slot and not all(line.over for line in self.lines)

    def offer(self, shot: Shot, black: float) -> None:
        """The picture of the screen; `black` of its light is faded out."""
        if self.due(shot.time):
            self._leave(shot.time, lambda: fit(shot, self.form.size, black))

    def offer_moment(self, moment: Moment, seen: float) -> None:
        """What the picture shows that is seen then."""
        if self.form.alpha and self._is_new(seen):
            self._leave(seen, lambda: self._paint(moment))

    def _slot_of(self, seen: float) -> int:
        if self._began is None:
            self._began = seen
        return int((seen - self._began) * float(self.form.fps) + 1e-6)

    def _leave(self, seen: float, make: Make) -> None:
        self._slot = self._slot_of(seen)
        self._box.put((self._slot, make))

    def _paint(self, moment: Moment) -> Pixels:
        """(height, width, 4) straight red, green, blue, alpha: the dancers, on nothing."""
        if self._painter is None:
            from visualizer.stage.cpu.painter import Painter

            self._painter = Painter(self.form.size, patient=False)
        pixels = self._painter.paint_alpha(moment)
        if moment.text.black:
            pixels[:, :, 3] = pixels[:, :, 3] * (1 - moment.text.black)
        return pixels

    def _run(self) -> None:
        step_back()
        fps = float(self.form.fps)
        try:
            while (waiting := self._box.take()) is not None:
                slot, make = waiting
                pixels = make()
                self._guard.show(pixels, slot / fps)
                if not self.form.alpha:
                    pixels[:, :, 3] = 255
                pixels.flags.writeable = False
                for line in self.lines:
                    line.put(Picture(pixels, slot))
        except Exception as error:
            self._notify(f"outputs: {what(error)}")
            raise  # all of it into the log
        finally:
            for line in self.lines:
                line.begin_end()
            if self._painter is not None:
                self._painter.release()

    def describe(self) -> tuple[str, ...]:
        """How each output is, in a few words."""
        return tuple(line.describe() for line in self.lines)

    def close(self) -> None:
        """Send what waits and close all, those that hang too."""
        self._box.close()
        self._thread.join(END_SECONDS)
        for line in self.lines:
            line.begin_end()
        for line in self.lines:
            line.finish()
            log.info("output %s", line.describe())
