"""What is done when a network fails: dancers begin again from a pose, and a pack that goes on failing is replaced."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from visualizer import paths
from visualizer.errors import UserError

from .calls import Decoded
from .pack import DEFAULT_PACK, FRAME_SIZE, JOINT_COUNT, Pack, load_pack, ships

MOST_FAILURES = 3  # within WINDOW_BEATS, and the shipped pack takes over
WINDOW_BEATS = 20.0  # ten seconds at 120 BPM. Counted in musical time, so that a film fails as the show did

EMPTY = 1.0  # of a frame: outside of any outline everywhere

_aside = logging.getLogger("visualizer.aside")  # into the log file alone: people are told by `notify`


class Recovery:
    """Counts what fails and says so, once for each pack. `restarts`: how often somebody had to begin again."""

    def __init__(self, pack: Pack, notify: Callable[[str], None]) -> None:
        self.restarts = 0
        self.given_up = False  # whether the pack must be replaced
        self._notify = notify
        self.follow(pack)

    def follow(self, pack: Pack) -> None:
        """Another pack is danced: nothing counts against it."""
        self._pack, self._said, self.given_up = pack, False, False
        self._replaceable = not (ships(pack.folder) and pack.folder.name == DEFAULT_PACK)
        self._failures: deque[float] = deque(maxlen=MOST_FAILURES)

    def failed(self, beat: float, reason: str) -> None:
        """A network has failed at that moment of musical time."""
        self.restarts += 1
        self._failures.append(beat)
        if self.restarts & (self.restarts - 1) == 0:  # the 1st, 2nd, 4th, 8th: a log is not to be flooded
            _aside.warning("a network of pack %s gave nothing to dance (%s); it starts again from a seed (%d times)",
                        self._pack.name, reason, self.restarts)  # fmt: skip
        if not self._said:
            self._said = True
            self._notify(f"a network fails ({reason}): dancing on from another pose")
        if len(self._failures) == MOST_FAILURES and beat - self._failures[0] <= WINDOW_BEATS:
            self.given_up = self._replaceable

    def slow(self, network: str) -> None:
        """A network takes too long."""
        if not self._said and self._replaceable:
            self._said = True
            self._notify(f"the {network} of pack {self._pack.name} is too slow to dance")
        self.given_up = self._replaceable

    def replace(self) -> Pack | None:
        """The shipped pack, for the one that has been given up. None where it cannot be loaded: that is said once."""
        self.given_up = False
        folder = paths.models() / DEFAULT_PACK
        try:
            try:
                pack = load_pack(folder, self._pack.provider, self._notify)
            except UserError:
                pack = load_pack(folder, "cpu", self._notify)
        except UserError as error:
            self._replaceable = False
            self._notify(f"pack {self._pack.name} fails, and the one that ships cannot take over: {error}")
            return None
        self._notify(f"pack {self._pack.name} has failed: the dancer that ships takes over")
        self.follow(pack)
        return pack


class LastGood:
    """The bodies of the last picture, which are shown again of dancers whose networks give none."""

    def __init__(self) -> None:
        self._frame: NDArray[np.float32] | None = None  # (N, 1, 128, 128)
        self._joints: NDArray[np.float32] | None = None  # (N, 21, 2)

    def mend(self, made: Decoded) -> Decoded:
        """The same, with what was shown before of those who have `failed`: an empty frame where nothing was.

        Without joints then, for there are none that a look could use, and without an inside of anybody.
        """
        frame, joints = made.frame, made.joints
        if made.failed.any():
            frame = frame.copy()
            frame[made.failed] = EMPTY
            joints = None if joints is None else joints.copy()
            known = 0 if self._frame is None else min(len(self._frame), len(frame))
            again = np.flatnonzero(made.failed[:known])
            if self._frame is not None:
                frame[again] = self._frame[again]
            if joints is not None and self._joints is not None and len(again) == made.failed.sum():
                joints[again] = self._joints[again]
            else:
                joints = None
        self._frame, self._joints = frame, joints
        return Decoded(frame, joints, made.failed, None if made.failed.any() else made.insides)

    def hold(self, count: int, joints: bool) -> Decoded:
        """The last bodies of that many dancers, where there is nothing new to show."""
        nothing = np.zeros((count, 1, FRAME_SIZE, FRAME_SIZE), np.float32)
        empty = np.zeros((count, JOINT_COUNT, 2), np.float32) if joints else None
        return self.mend(Decoded(nothing, empty, np.ones(count, bool)))
