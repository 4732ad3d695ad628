"""How much is trained and measured to replicate the student's networks, and shared units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Dots = NDArray[np.uint8]

Floats = NDArray[np.float32]

CLIP = 1e-7  # least distance of probabilities from 0 and 1 before Keras takes their logarithm (its epsilon)

PICTURES_PER_BEAT = 8  # of dances in dots: 16 a second at 120 BPM, a film's pace rather than the dancer's

SECOND = 2 * PICTURES_PER_BEAT

READ_FIRST = SECOND  # pictures that the recurrent network reads before it is judged, or dances on


@dataclass(frozen=True)
class Effort:
    """How much is learned and measured. The defaults take a quarter of an hour on two cores that are free."""

    seed: int = 7
    tiny: bool = False
    pictures: int = 32768  # that the autoencoders learn from as they should have been
    filmed: int = 2048  # of these, what the student may have had: a minute of film
    epochs: int = 20  # times that it was gone through
    every_frame: int = 8  # of the held-out takes
    share: float = 1.0  # of the steps of each version
    rnn_steps: int = 500
    dream_seconds: int = 60
    dreamers: int = 4


TINY = Effort(
    tiny=True, pictures=256, filmed=128, epochs=1, every_frame=8, share=0.001, rnn_steps=4, dream_seconds=3,
    dreamers=2,
)  # fmt: skip
