"""Several channels of sound as one, loud where they are loud.

The mean of left and right is silent where they are of opposite phase, and faint where one of many channels sounds.
There the loudest channel is heard instead, and the way from one to the other takes some hundredths of a second, so that
nothing clicks.
"""

from __future__ import annotations

import numpy as np

from visualizer.music.analysis.features import Floats

LOST, FOUND = 0.1, 0.2  # of the loudest channel's power: below, the usual mix is left; above, it is taken again
LOUDER = 2.0  # times the power of the channel that is heard: another one is heard from then on
REMEMBERED = 0.3  # seconds over which power is averaged
CROSSING = 0.03  # seconds
SOUNDS = 1e-9  # power, -90 dBFS: below, nothing is decided


class MonoMix:
    """A stream of blocks (n, channels) at `rate` Hz; `usual` (channels,) are the weights of the usual mix."""

    def __init__(self, rate: int, usual: Floats) -> None:
        self._rate, self._usual = rate, np.asarray(usual, np.float32)
        self._powers = np.full(len(self._usual) + 1, np.nan)  # of the usual mix and of each channel
        self._before = self._now = self._usual
        self._crossed = 1.0  # share of the way from the weights before to those of now

    @property
    def is_usual(self) -> bool:
        """Whether the usual mix is right now."""
        return self._now is self._usual and self._crossed >= 1

    def push(self, block: Floats) -> Floats | None:
        """Mono (n,) of these samples, or None where the usual mix is right for all of them: the caller makes it."""
        if not len(block) or len(self._usual) < 2:
            return None
        self._weigh(block)
        if self._crossed >= 1:
            return None if self._now is self._usual else (block @ self._now).astype(np.float32)
        step = 1 / (CROSSING * self._rate)
        share = np.minimum(self._crossed + step * np.arange(1, len(block) + 1), 1).astype(np.float32)
        self._crossed = float(share[-1])
        return ((block @ self._before) * (1 - share) + (block @ self._now) * share).astype(np.float32)

    def _weigh(self, block: Floats) -> None:
        """Follow the powers, and choose what is heard from here on."""
        mix = block @ self._usual
        powers = np.append(mix @ mix, np.einsum("nc,nc->c", block, block)) / len(block)
        if not np.isfinite(powers).all():  # a driver's nonsense
            return
        if np.isnan(self._powers[0]):
            self._powers = powers
        else:
            self._powers = self._powers + (powers - self._powers) * (
                1 - np.exp(-len(block) / (REMEMBERED * self._rate))
            )
        if self._crossed < 1:
            return
        usual, channels = self._powers[0], self._powers[1:]
        loudest = int(np.argmax(channels))
        if channels[loudest] < SOUNDS:
            return
        if self._now is self._usual:
            if usual < LOST * channels[loudest]:
                self._cross(self._only(loudest))
        elif usual > FOUND * channels[loudest]:
            self._cross(self._usual)
        elif channels[loudest] > LOUDER * (channels @ self._now):
            self._cross(self._only(loudest))

    def _only(self, channel: int) -> Floats:
        weights = np.zeros_like(self._usual)
        weights[channel] = 1
        return weights

    def _cross(self, weights: Floats) -> None:
        self._before, self._now, self._crossed = self._now, weights, 0.0


class LiveMix:
    """What comes in from a device as one channel: the mean of them, or the loudest where that cancels."""

    def __init__(self, rate: int, channels: int) -> None:
        self._mix = MonoMix(rate, np.full(channels, 1 / channels, np.float32))

    def push(self, block: Floats) -> Floats:
        """Mono (n,) of (n, channels)."""
        mixed = self._mix.push(block)
        return block.mean(axis=1) if mixed is None else mixed
