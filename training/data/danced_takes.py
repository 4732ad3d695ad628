"""Takes that a pack dances: bodies to dress where there is no motion and no data set at hand."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import numpy as np
import zarr

from training.data.dataset import Take
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.formation import FARTHER
from visualizer.dancer.pack import FRAME_METRES, MOST_DANCERS, STEPS_PER_BEAT, Pack

ENERGY = 0.6


def dance_takes(pack: Pack, beats: int, seed: int, folder: Path) -> list[Take]:
    """A take of as many `beats` by each of a full troupe, who have the pack's styles in turn, written into `folder`.
    Bodies are those that a show draws, with their feet held."""
    assert pack.body is not None
    dancer = Dancer(pack, seed, troupe=MOST_DANCERS)
    dancer.set_styles(islice(cycle(pack.styles), MOST_DANCERS))
    bodies, hands = [], []
    for k in range(beats * STEPS_PER_BEAT):
        now = k / STEPS_PER_BEAT
        dancer.step_to(now, ENERGY)
        step = dancer.find_step(now)
        body = pack.body.joints(step.latent)
        body[..., 0] += (FRAME_METRES * step.place / FARTHER**step.depth)[:, None]
        body[..., 2] += (FRAME_METRES * step.near)[:, None]
        bodies.append(body)
        hands.append(step.hands)
    root = zarr.open_group(folder, mode="w")
    takes: list[Take] = []
    for k in range(MOST_DANCERS):
        group = root.create_group(f"{k:05d}")
        group.create_array("positions", data=np.stack(bodies)[:, k].astype(np.float32))
        group.create_array("hands", data=np.stack(hands)[:, k].astype(np.float32))
        group.create_array("energy", data=np.full(len(bodies), ENERGY, np.float32))
        takes.append(Take(group, f"danced {k}", dancer.styles[k], "", False, 0.0, True, False, True, "", 0))
    return takes
