"""Whether there is a beat to dance to: sure for long enough to begin, and then kept through what makes it less sure."""

from __future__ import annotations

STEADY_ON, STEADY_OFF = 0.6, 0.25  # confidence
SURE = 1.5  # seconds of confidence above STEADY_ON until there is a beat: talk and clicks seem one for less
TRUSTED = 4.0  # seconds for which a beat has been steady until it is trusted
TRUSTED_OFF = 0.05  # confidence below which a trusted beat is given up: a noisy party is sure of nothing for long


class SteadyGate:
    """Hysteresis over the tracker's confidence, in level and in time."""

    def __init__(self) -> None:
        self.steady = False
        self._seconds = 0.0  # for which it has been steady, or sure where it is not

    def push(self, confidence: float, seconds: float) -> bool:
        """The confidence of the next `seconds` -> whether there is a beat."""
        if self.steady:
            self.steady = confidence > (TRUSTED_OFF if self._seconds >= TRUSTED else STEADY_OFF)
            self._seconds = self._seconds + seconds if self.steady else 0.0
            return self.steady
        self._seconds = self._seconds + seconds if confidence > STEADY_ON else 0.0
        if self._seconds >= SURE:
            self.steady, self._seconds = True, 0.0
        return self.steady
