"""Real dances in memory, as data and as what a pack's decoder would give of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
import zarr.storage

from training.data.dataset import Motion, Take, crop_place, crop_speed, views
from training.data.motion.body import about_crop, project
from training.data.motion.skeleton import mirror, turn
from training.evaluate.real import Real
from visualizer.dancer.pack import STEPS_PER_BEAT, NamedDance

SEED = 7


def made_takes(motions: list[Motion]) -> list[Take]:
    """Takes of motions in memory, as `build` would write them, without frames."""
    root = zarr.create_group(zarr.storage.MemoryStore())
    takes: list[Take] = []
    for motion in motions:
        for mirrored, yaw in views(motion, SEED, False):
            positions = turn(mirror(motion.positions) if mirrored else motion.positions, yaw)
            place = crop_place(positions)
            group = root.create_group(f"{len(takes):05d}")
            group.create_array("joints", data=project(positions, place[:, 0]))
            group.create_array("body", data=about_crop(positions, place))
            group.create_array("energy", data=motion.energy)
            group.create_array("travel", data=crop_speed(place)[:, 0].copy())
            takes.append(
                Take(group, motion.clip, motion.style, motion.dance, mirrored, yaw, motion.timed, motion.held_out,
                     motion.captured, motion.licence, motion.phrase)
            )  # fmt: skip
    return takes


class Joints:
    """The joints' part of a decoder whose latents are the joints."""

    def run(self, _: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [given["latent"].reshape(-1, 21, 2)]


@dataclass(frozen=True)
class StandIn:
    """What of a pack is asked for while it dances."""

    styles: tuple[str, ...]
    dances: tuple[NamedDance, ...]
    latent_size: int = 42
    body: Any = None  # its latents are flat joints
    name: str = "stand-in"


def pack_of(pool: list[Real]) -> Any:
    styles = tuple(sorted({r.style for r in pool}))
    lengths = {r.dance: (styles.index(r.style), r.round_steps // STEPS_PER_BEAT) for r in pool}
    return StandIn(styles, tuple(NamedDance(name, style, beats) for name, (style, beats) in lengths.items()))
