"""The interface of all methods of finding the figure."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.data.footage.video import Picture

Mask = NDArray[np.uint8]  # (height, width): 255 where the figure is, 0 elsewhere
Step = tuple[str, Picture | Mask]


class Method(Protocol):
    """One way of finding the figure."""

    def mask(self, picture: Picture) -> Mask: ...

    def steps(self, picture: Picture) -> list[Step]:
        """The same, step by step, as pictures to be looked at; the last is the mask."""
        ...


def masked(picture: Picture, mask: Mask) -> Picture:
    """What the mask keeps of a picture, on white."""
    return np.where(mask[..., None] > 0, picture, np.uint8(255)).astype(np.uint8)
