"""Takes of a written dance without a data set, and a decoder of figures that has learned nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr

from training.data.choreography import DANCES, perform
from training.data.dataset import HANDS, Take
from training.data.motion.fit_skeleton import fit_skeleton


def made_takes(folder: Path, steps: int = 96, held_out: bool = False) -> list[Take]:
    """Two takes of the first written dances, `steps` long."""
    root = zarr.open_group(folder / "takes.zarr", mode="w")
    takes = []
    for number, dance in enumerate(DANCES[:2]):
        performed = perform(dance, seed=number)
        index = np.arange(steps) % len(performed.positions)
        group = root.create_group(f"{number:05d}")
        group.create_array("positions", data=fit_skeleton(performed.positions).positions[index])
        group.create_array("hands", data=performed.hands.reshape(-1, HANDS)[index])
        group.create_array("energy", data=np.full(steps, 0.5, np.float32))
        takes.append(
            Take(group, dance.name, dance.style, dance.name, False, 0.0, True, held_out, False, "MIT", 0)
        )  # fmt: skip
    return takes
