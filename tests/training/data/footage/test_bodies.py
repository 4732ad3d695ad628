"""Bodies that the network has seen become latents; no frame is encoded for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from tests.support.made_clips import dance_motion
from training.data.dataset import Take
from training.data.footage.bodies import see_bodies
from training.data.motion.body import project
from training.data.motion.fit_skeleton import fit_skeleton
from training.models.pose_basis import pose_basis

MOTION = fit_skeleton(dance_motion("bounce and rock", 120, 8)[0][:240]).positions
MOTION -= MOTION[:, :1] * np.array([1, 0, 1], np.float32)
SECONDS = np.arange(len(MOTION)) / 60


@pytest.mark.parametrize("axes", [2, 3])
def test_bodies_that_are_known_are_taken(tmp_path: Path, axes: int) -> None:
    wanted = MOTION if axes == 3 else project(MOTION, np.zeros(len(MOTION), np.float32))
    basis = pose_basis(wanted, 21 * axes)
    assert basis.axes == axes
    group = zarr.group()
    steps = np.linspace(0.1, 3.5, 80)
    for name, data in (("person", MOTION[::2]), ("times", SECONDS[::2]), ("steps", steps)):
        group.create_array(name, data=data)
    take = Take(group, "a", "a", "", False, 0.0, True, False, True, "", 0)
    latents = see_bodies(take, 0, tmp_path / "no encoder", basis, tmp_path, 1)
    nearest = np.round(steps * 60).astype(int)
    assert len(latents) == len(steps)
    assert np.abs(basis.joints(latents) - wanted[nearest]).mean() < 0.005
