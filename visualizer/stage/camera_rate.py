"""How many pictures of the camera are looked at where the processor paints too: fewer, before the show has fewer.

A guest of fifteen pictures a second is still one who dances; a show of fewer pictures is seen by everybody.
"""

from __future__ import annotations

RATES = (30.0, 20.0, 15.0, 10.0)  # pictures a second
SETTLE = 2.0  # seconds after a step before another one down
PATIENCE, MOST_PATIENCE = 10.0, 320.0  # seconds of time to spare before a step up: the first, and after many failures
SOON = 15.0  # seconds within which a step up is found to be too much


class CameraRate:
    """The rate in force while a camera is on."""

    def __init__(self) -> None:
        self.on = False
        self._step = 0
        self._changed = self._spare_since = 0.0
        self._raised: float | None = None
        self._patience = PATIENCE

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return RATES[self._step]

    def lower(self, now: float) -> bool:
        """There is too little time at `now`. Whether fewer pictures are looked at from now on; else it is the show's
        turn."""
        self._spare_since = now
        if not self.on or self._step == len(RATES) - 1 or now - self._changed < SETTLE:
            return False
        if self._raised is not None:
            is_soon = now - self._raised < SOON
            self._patience = min(2 * self._patience, MOST_PATIENCE) if is_soon else PATIENCE
        self._raised = None
        self._step += 1
        self._changed = now
        return True

    def spare(self, now: float, is_spare: bool) -> bool:
        """There is time to spare at `now`, or not. Whether more pictures are looked at from now on."""
        if not is_spare or not self.on or self._step == 0:
            self._spare_since = now
            return False
        if now - max(self._spare_since, self._changed) < self._patience:
            return False
        self._step -= 1
        self._changed = self._spare_since = self._raised = now
        return True
