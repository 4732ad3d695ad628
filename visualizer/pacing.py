"""Even pacing: pictures are shown at deadlines that are whole periods apart.

A picture is drawn as soon as the one before it was shown, and then held until its deadline: the time that drawing
takes, which differs from frame to frame, is not seen. The deadline is known before it is drawn, so the dance is drawn
for the moment at which it is seen, and its steps are as even as the deadlines.
"""

from __future__ import annotations

from collections.abc import Callable

SLACK = 0.25  # of a period: a picture that is later than that moves all deadlines after it
OVERSLEEP = 0.002  # seconds; a longer oversleep is another program's doing, and no property of the system
LEARN = 0.1  # how much each sleep adds to what is known of oversleeping


class Pacer:
    """Deadlines on a clock, in seconds; `due` is when the picture at hand is to be shown."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock, self._sleep = clock, sleep
        self._oversleep = 0.0  # seconds that the system's sleep takes longer than it was asked to
        self.due = clock()
        self.waited = 0.0  # seconds, for the picture at hand
        self.is_over = False  # the wait for the picture at hand

    def plan(self, period: float) -> None:
        """Begin with a picture that is to be shown `period` seconds after the last; 0: at once.

        After a late one it still is a whole period, for a hurried picture is as uneven as a late one.
        """
        now = self._clock()
        is_late = now - self.due > SLACK * period
        self.due = (now if is_late else self.due) + period
        self.waited, self.is_over = 0.0, False

    def wait(self) -> None:
        """Wait until the picture at hand is due. It is called last before it is shown."""
        begun = self._clock()
        self.is_over = True
        if (asked := self.due - begun - self._oversleep) <= 0:
            return
        self._sleep(asked)
        self.waited = self._clock() - begun
        over = min(max(self.waited - asked, 0.0), OVERSLEEP)
        self._oversleep += LEARN * (over - self._oversleep)
