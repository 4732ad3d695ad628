"""A soft mask out of a PNG: where it is white the picture is seen, where it is black it is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.files import find_inside
from visualizer.settings import settings_file
from visualizer.stage.titles.logo import load_logo


def load_mask(name: str) -> NDArray[np.float32]:
    """(height, width) 0..1: how bright it is where it covers. UserError if the file cannot be used.

    `name`: of a file in the folder of the settings file or below it; what comes over a network opens no other.
    """
    pixels = load_logo(find_inside(settings_file().parent, name, "mask"), "mask").pixels.astype(np.float32)
    return pixels[:, :, :3].mean(axis=2) * pixels[:, :, 3] / (255 * 255)
