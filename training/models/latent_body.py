"""What the dancer network knows of the bodies that its latents are: feet, trunk, and bones that keep their lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.motion.skeleton import INDEX, JOINTS
from training.models.autoencoder import exactly
from training.models.bone_layer import BoneLayer
from training.models.pose_basis import PoseBasis
from visualizer.dancer.pack import FRAME_METRES

FEET = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "toe")]
TRUNK = [INDEX[part] for part in ("pelvis", "chest", "head")]


class LatentBones(nn.Module):
    """Latents (N, D) of bodies in space -> latents (N, D) whose 20 bones have the skeleton's lengths: decode, normalise
    the bones, encode. Latents that have all 63 numbers lose nothing on the way."""

    mean: Tensor
    out: Tensor
    back: Tensor

    def __init__(self, basis: PoseBasis) -> None:
        super().__init__()
        self.layer = BoneLayer()
        # Not persistent: they are the basis, which a checkpoint need not keep.
        self.register_buffer("mean", torch.from_numpy(basis.mean), persistent=False)
        self.register_buffer("out", torch.from_numpy(basis.vectors * np.float32(basis.scale)), persistent=False)
        self.register_buffer("back", torch.from_numpy(basis.vectors / np.float32(basis.scale)), persistent=False)

    def forward(self, latent: Tensor) -> Tensor:
        with exactly(latent):
            body = F.linear(latent, self.out, self.mean).unflatten(-1, (len(JOINTS), 3))
            return (self.layer(body).flatten(-2) - self.mean) @ self.back


@dataclass(frozen=True)
class LatentBody:
    """Linear functions of the latents, in frame widths. `feet` (D + 1, 4, A): ankles and toes, x to the right, y down,
    and where A is 3 z towards the viewer, the constant last. `trunk` (D, 9): x, y and z of pelvis, chest and head, but
    for the constant. `bones`: see `LatentBones`. The last two are None for flat bodies."""

    feet: NDArray[np.float32]
    trunk: NDArray[np.float32] | None = None
    bones: LatentBones | None = None


def latent_body(basis: PoseBasis) -> LatentBody:
    """What a latent space tells of the body."""
    size = len(basis.std)
    weights, constants = basis.in_picture()
    flat = np.concatenate([weights, constants[:, None]], axis=1).T.reshape(size + 1, len(JOINTS), 2)
    if basis.axes == 2:
        return LatentBody(flat[:, FEET].astype(np.float32))
    whole = np.concatenate([basis.vectors * basis.scale, basis.mean[:, None]], axis=1) / FRAME_METRES
    whole = whole.T.reshape(size + 1, len(JOINTS), 3)
    feet = np.concatenate([flat[:, FEET], whole[:, FEET, 2:]], axis=-1)
    return LatentBody(
        feet.astype(np.float32), whole[:-1, TRUNK].reshape(size, -1).astype(np.float32), LatentBones(basis)
    )
