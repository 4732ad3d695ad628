"""A layer that gives bodies bones of the right lengths, so that no network can stretch them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.data.motion.skeleton import BONES, CHAINS, LENGTHS

SHORTEST = 1e-3  # metres; a bone that is shorter has no direction, and is drawn upright


class BoneLayer(nn.Module):
    """Joints (..., 21, 3) -> joints (..., 21, 3) whose 20 bones have the skeleton's lengths.

    The pelvis stays where it is and each bone keeps its direction, so a body that already has these bones comes back
    as it was. Differentiable, and made of operators that ONNX has.
    """

    starts: Tensor
    ends: Tensor
    lengths: Tensor
    chains: Tensor
    upright: Tensor

    def __init__(self, metre: float = 1.0) -> None:
        """`metre`: the length of a metre in the units of the joints; 1 / FRAME_METRES for frame coordinates. Their
        axes may point anywhere, as long as all three have this unit."""
        super().__init__()
        self.shortest = SHORTEST * metre
        # Not persistent: they follow from the skeleton, and a checkpoint need not keep them.
        self.register_buffer("starts", torch.from_numpy(BONES[:, 0].copy()), persistent=False)
        self.register_buffer("ends", torch.from_numpy(BONES[:, 1].copy()), persistent=False)
        self.register_buffer("lengths", torch.from_numpy(LENGTHS)[:, None] * metre, persistent=False)
        self.register_buffer("chains", torch.from_numpy(CHAINS), persistent=False)
        self.register_buffer("upright", torch.tensor([0.0, 1.0, 0.0]), persistent=False)

    def forward(self, joints: Tensor) -> Tensor:
        bones = joints[..., self.ends, :] - joints[..., self.starts, :]
        length = bones.square().sum(-1, keepdim=True)
        short = length < self.shortest**2
        # Replaced before the root, whose derivative at zero is infinite.
        bones = torch.where(short, self.upright, bones)
        length = torch.where(short, torch.ones_like(length), length).sqrt()
        return joints[..., :1, :] + self.chains @ (bones * (self.lengths / length))
