"""A ring of samples between one writer and one reader, so that an audio callback never waits for anybody."""

from __future__ import annotations

import numpy as np

from visualizer.music.analysis.features import Floats


class Ring:
    """Float32 (size, channels). Each counter is changed by one side only, after the samples are in place: no lock."""

    def __init__(self, size: int, channels: int = 1) -> None:
        self._samples = np.zeros((size, channels), np.float32)
        self.written = 0  # samples ever; for the writer to read
        self._read = 0

    @property
    def filled(self) -> int:
        """Samples that wait to be read."""
        return self.written - self._read

    @property
    def free(self) -> int:
        """Samples that fit in."""
        return len(self._samples) - self.filled

    def write(self, block: Floats) -> int:
        """Copy in (n, channels), or as much of it as fits; how many that were."""
        n = min(len(block), self.free)
        size, at = len(self._samples), self.written % len(self._samples)
        first = min(n, size - at)
        self._samples[at : at + first] = block[:first]
        self._samples[: n - first] = block[first:n]
        self.written += n
        return n

    def read(self, out: Floats) -> int:
        """Fill `out` (n, channels) from the oldest on; how many there were. The rest of `out` is left as it is."""
        n = min(len(out), self.filled)
        size, at = len(self._samples), self._read % len(self._samples)
        first = min(n, size - at)
        out[:first] = self._samples[at : at + first]
        out[first:n] = self._samples[: n - first]
        self._read += n
        return n
