"""The outline of a new dancer is learned from frames, and from bodies where they are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import zarr

from tests.support.made_clips import dance_motion
from training.data.dataset import Take, to_bytes
from training.data.motion.body import project, silhouettes
from training.data.motion.fit_skeleton import fit_skeleton
from training.models.restore import load_autoencoder
from training.outline import _split_frames, picture_losses
from visualizer.dancer.pack import find_pack

BODIES = fit_skeleton(dance_motion("bounce and rock", 120, 8)[0][:240:6]).positions
BODIES -= BODIES[:, :1] * np.array([1, 0, 1], np.float32)
FRAMES = silhouettes(project(BODIES, np.zeros(len(BODIES), np.float32)))


def take(known: bool) -> Take:
    group = zarr.group()
    group.create_array("seen", data=to_bytes(FRAMES[:, 0]))
    group.create_array("times", data=np.arange(len(FRAMES)) / 4)
    group.create_array("energy", data=np.zeros(len(FRAMES), np.float32))
    if known:
        group.create_array("person", data=BODIES)
    return Take(group, "a", "a", "", False, 0.0, True, False, True, "", 0)


@pytest.mark.parametrize("known", [True, False])
def test_frames_are_split_with_their_bodies(known: bool) -> None:
    learn, judge = _split_frames([take(known), take(known)])
    assert len(learn) + len(judge) == len(FRAMES)
    assert len(judge) > 0
    assert np.isfinite(learn.bodies).all() == known
    if known:
        assert np.array_equal(learn.bodies[:5], BODIES[:10:2])


def test_bodies_that_are_known_are_drawn_too() -> None:
    network = load_autoencoder(find_pack(None))
    frame, bodies = torch.from_numpy(FRAMES[:3]), torch.from_numpy(BODIES[:3])
    unknown = torch.full_like(bodies, float("nan"))
    with torch.no_grad():
        plain, drawn = picture_losses(network, frame, unknown), picture_losses(network, frame, bodies)
        some = picture_losses(network, frame, torch.cat([bodies[:1], unknown[1:]]))
    assert "drawn" not in plain
    assert torch.isfinite(plain["total"])
    assert drawn["drawn"] < 0.2  # it is the product's own body
    assert "drawn" in some
    assert torch.isfinite(some["total"])
