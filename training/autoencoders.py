"""Frames to latents and back: the network that ships, and the student's dense one as its yardstick.

Where the pixels are is where the work is: the first layer folds 4×4 blocks of pixels into channels and the last
one unfolds them, so that no convolution runs above 32×32 (Shi et al., "Efficient Sub-Pixel Convolution", 2016).
That makes a decode cheap enough for one CPU thread beside a party.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visualizer.dancer.pack import FRAME_SIZE

from .motion.body import CLAMP_PIXELS, silhouettes
from .motion.skeleton import JOINTS

# A logistic of this slope crosses an outline as wide as an antialiased edge of one pixel.
COVERAGE_SLOPE = 4.0


@dataclass(frozen=True)
class AutoencoderConfig:
    """Widths of the network; the defaults are those of the shipped pack."""

    latent: int = 96
    encoder: tuple[int, ...] = (64, 128, 160, 192)  # at 32², 16², 8², 4²
    decoder: tuple[int, ...] = (160, 128, 96, 64)  # at 4², 8², 16², 32²
    noise: float = 0.1  # of the latents' spread, while training: it makes neighbours in latent space look alike


def _block(inputs: int, outputs: int, stride: int = 1, grow: int = 1) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs * grow * grow, 3, stride, 1, bias=False)]
    if grow > 1:
        layers.append(nn.PixelShuffle(grow))
    return [*layers, nn.BatchNorm2d(outputs), nn.SiLU()]


class Autoencoder(nn.Module):
    """Frames (N, 1, 128, 128) in frame widths <-> latents (N, D) of unit spread, and joints (N, 21, 2) from latents."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        e, d = config.encoder, config.decoder
        layers: list[nn.Module] = [nn.PixelUnshuffle(4), *_block(16, e[0])]
        for a, b in pairwise(e):
            layers += _block(a, b, stride=2)
        self.encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear(e[-1] * 16, config.latent))
        # No learned scale: each latent has zero mean and unit spread over the data, whatever the layer before does.
        self.spread = nn.BatchNorm1d(config.latent, affine=False, momentum=0.02)
        layers = [nn.Linear(config.latent, d[0] * 16), nn.Unflatten(1, (d[0], 4, 4))]
        for a, b in pairwise(d):
            layers += _block(a, b, grow=2)
        layers += [*_block(d[-1], d[-1]), nn.Conv2d(d[-1], 16, 3, 1, 1), nn.PixelShuffle(4)]
        self.decoder = nn.Sequential(*layers)
        self.joints = nn.Sequential(nn.Linear(config.latent, 256), nn.SiLU(), nn.Linear(256, len(JOINTS) * 2))

    def encode(self, frame: Tensor) -> Tensor:
        """(N, 1, 128, 128) -> (N, D)."""
        pixels = frame * (FRAME_SIZE / CLAMP_PIXELS)  # -1..1
        return self.spread(self.encoder(pixels))

    def decode_pixels(self, latent: Tensor) -> Tensor:
        """(N, D) -> (N, 1, 128, 128): signed distance in pixels, not clamped."""
        return self.decoder(latent)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) -> frame (N, 1, 128, 128) in frame widths, joints (N, 21, 2) in frame coordinates."""
        pixels = self.decode_pixels(latent).clamp(-CLAMP_PIXELS, CLAMP_PIXELS)
        return pixels / FRAME_SIZE, self.joints(latent).unflatten(1, (len(JOINTS), 2)) + 0.5

    def _picture_loss(self, latent: Tensor, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """How far what `latent` decodes to is from `frame` and `joints`; joints that are NaN (footage) are left out."""
        noisy = latent + self.config.noise * torch.randn_like(latent) if self.training else latent
        found = self.decode_pixels(noisy).float()
        true = frame * FRAME_SIZE
        coverage = (0.5 - true).clamp(0, 1)
        edge = F.binary_cross_entropy_with_logits(-COVERAGE_SLOPE * found, coverage)
        band = F.smooth_l1_loss(found.clamp(-CLAMP_PIXELS, CLAMP_PIXELS), true)
        pose = (self.joints(noisy).float().unflatten(1, (len(JOINTS), 2)) + 0.5 - joints).abs()
        known = torch.isfinite(pose)
        pose = torch.where(known, pose, 0).sum() / known.sum().clamp(min=1)
        return {"total": edge + 0.2 * band + 0.5 * pose, "edge": edge, "band": band, "pose": pose}

    def loss(self, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """Losses of a batch of frames (N, 1, 128, 128) and joints (N, 21, 2); `total` is what to minimise."""
        return self._picture_loss(self.encode(frame), frame, joints)

    def bodies_loss(self, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """As `loss`, and what lies between two latents must be a body too.

        A recurrent network that is unsure predicts a mean of latents. In a plain autoencoder that is a picture with
        half a leg; here the mean of two latents is taught to decode to the body whose joints are the mean of theirs,
        drawn anew for the purpose. (Mixup, Zhang et al., 2018, with the true in-between instead of a blend.)
        """
        latent = self.encode(frame).float()
        losses = self._picture_loss(latent, frame, joints)
        known = torch.isfinite(joints).flatten(1).all(dim=1).nonzero()[:, 0]
        if len(known) < 16:  # footage without joints: nothing says what lies between
            return losses
        latent, joints = latent[known], joints[known]
        # A partner among the nearest poses for one half, any other for the rest.
        near = torch.cdist(joints.flatten(1), joints.flatten(1)).topk(9, largest=False).indices[:, 1:]
        rows = torch.arange(len(known), device=frame.device)
        partner = near[rows, torch.randint(0, 8, (len(known),), device=frame.device)]
        partner = torch.where(rows % 2 == 0, partner, partner.flip(0)[torch.randperm(len(known), device=frame.device)])
        share = torch.rand(len(known), 1, device=frame.device)
        between = torch.lerp(latent, latent[partner], share)
        bodies = torch.lerp(joints, joints[partner], share[..., None])
        drawn = torch.from_numpy(silhouettes(bodies.cpu().numpy())).to(frame.device)
        mixed = self._picture_loss(between, drawn, bodies)
        return {**losses, "total": losses["total"] + mixed["total"], "between": mixed["edge"]}


class StudentDense(nn.Module):
    """The seed project's first autoencoder: masks of 47×51 through one dense layer of 128 and back.

    Mean binary cross-entropy and Adadelta at Keras's step size of 0.001, as it was written.
    """

    HEIGHT, WIDTH, LATENT = 51, 47, 128

    def __init__(self) -> None:
        super().__init__()
        size = self.HEIGHT * self.WIDTH
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(size, self.LATENT), nn.ReLU())
        self.decoder = nn.Linear(self.LATENT, size)
        for layer in (self.encoder[1], self.decoder):
            nn.init.xavier_uniform_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    @classmethod
    def shrink(cls, mask: Tensor) -> Tensor:
        """Masks (N, 1, H, W) 0..1 -> (N, 1, 51, 47)."""
        return F.interpolate(mask, (cls.HEIGHT, cls.WIDTH), mode="bilinear", antialias=True)

    def forward(self, mask: Tensor) -> Tensor:
        """(N, 1, 51, 47) -> logits of the same shape."""
        return self.decoder(self.encoder(mask)).unflatten(1, (1, self.HEIGHT, self.WIDTH))


def parameters(module: nn.Module) -> int:
    """Number of trained numbers in a network."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
