"""What the dancer network is trained for: to dance a window on its own output as the data do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from training.models.autoencoder import exactly
from visualizer.dancer.legs import ANKLE_STANDS, TOE_STANDS
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT

if TYPE_CHECKING:
    from training.models.dancer import DancerNetwork

Batch = dict[str, Tensor]

# Heights in metres below which an ankle or a toe may be standing, and how far a standing one moves in a step.
STANDING, STANDS = (ANKLE_STANDS, TOE_STANDS) * 2, 0.003
ACCENT_STEPS = STEPS_PER_BEAT  # of a window in which accelerations are compared by their spectrum
QUIET = 1e-3  # of the mean power: what is below it is not compared


@dataclass(frozen=True)
class DancingWeights:
    """How much each objective counts; 0 leaves it out. See `dancing_loss` for what they are.

    Latents are an isometry of the joints and the bones keep their lengths, so position, velocity and acceleration of
    latents are those of joints after forward kinematics.
    """

    position: float = 1.0
    velocity: float = 20.0
    acceleration: float = 50.0
    pace: float = 10.0
    travel: float = 1.0
    skating: float = 50.0
    accents: float = 0.2


@dataclass(frozen=True)
class Danced:
    """A window that the network danced: latents (N, T, D), of which the first is given, and travel (N, T - 1, A)."""

    latent: Tensor
    travel: Tensor


def unroll(network: DancerNetwork, batch: Batch) -> Danced:
    """Dance a window on the network's own output; see `dancer_batches` for the shapes of `batch`."""
    target = batch["latent"]
    count, steps = target.shape[:2]
    state = torch.zeros(count, network.config.layers, network.config.hidden, device=target.device)
    latent = target[:, 0]
    found, speeds = [latent], []
    for t in range(1, steps):
        latent, state, speed = network(
            latent, state, batch["letter"][:, t], batch["next_letter"][:, t], batch["place"][:, t],
            batch["bar_phase"][:, t], batch["energy"][:, t], batch["style"][:, t], batch["dance"][:, t],
            torch.randn_like(latent),
        )  # fmt: skip
        found.append(latent)
        speeds.append(speed)
    return Danced(torch.stack(found, dim=1), torch.stack(speeds, dim=1))


def dancing_loss(network: DancerNetwork, batch: Batch, weights: DancingWeights = DancingWeights()) -> dict[str, Tensor]:
    """All objectives of a batch (see `dancer_batches`), each unweighted, and their weighted sum, "total".

    A loss of positions alone gives the mean of all possible moves, which is slow and soft; so velocity and
    acceleration count too, and the size of the velocity, "pace": a move may differ from the true one, but must not be
    slower. "skating": a foot that stood must stand in the room. "accents": see `accents`.
    """
    target, travel = batch["latent"], batch["travel"]
    danced = unroll(network, batch)
    step, true_step = danced.latent.diff(dim=1), target.diff(dim=1)
    pace = (step.square().mean(-1) + 1e-6).sqrt() - (true_step.square().mean(-1) + 1e-6).sqrt()
    losses = {
        "position": (danced.latent - target).square().mean(),
        "velocity": (step - true_step).square().mean(),
        "acceleration": (step.diff(dim=1) - true_step.diff(dim=1)).square().mean(),
        "pace": pace.square().mean(),
        "travel": F.smooth_l1_loss(danced.travel, travel[:, 1:], beta=0.1),
    }
    with exactly(target):
        if network.has_feet and weights.skating:
            losses["skating"] = skating(network.feet, danced, batch)
        if network.trunk is not None and weights.accents:
            losses["accents"] = accents(danced.latent @ network.trunk, target @ network.trunk)
    total = sum((getattr(weights, name) * value for name, value in losses.items()), torch.zeros(()))
    return {"total": total, **losses}


def foot_steps(feet: Tensor, latents: Tensor, travel: Tensor) -> Tensor:
    """Steps of ankles and toes in the room, (N, T - 1, 4, A) frame widths: the body's and the crop's together."""
    moved = torch.einsum("ntd,dja->ntja", latents.diff(dim=1), feet[:-1])
    crop = travel[:, :, None] / STEPS_PER_BEAT
    across = moved[..., :1] + crop[..., :1]
    if feet.shape[-1] == 2:
        return torch.cat([across, moved[..., 1:]], dim=-1)
    return torch.cat([across, moved[..., 1:2], moved[..., 2:] + crop[..., 1:]], dim=-1)


def skating(feet: Tensor, danced: Danced, batch: Batch) -> Tensor:
    """Mean squared step, in latent units, of feet that stand in the data. `feet` as in `LatentBody`."""
    scale = feet[:-1].square().sum(0).mean().sqrt()  # frame widths that a unit of latent moves a foot
    target = batch["latent"]
    true = foot_steps(feet, target, batch["travel"][:, 1:])
    height = FLOOR - (torch.einsum("ntd,dj->ntj", target, feet[:-1, :, 1]) + feet[-1, :, 1])
    low = height[:, 1:] * FRAME_METRES < torch.tensor(STANDING, device=target.device)
    stands = low & (true.norm(dim=-1) * FRAME_METRES < STANDS) & ~batch["spliced"][:, 1:, None]
    found = foot_steps(feet, danced.latent, danced.travel) / scale
    return (found.square().sum(-1) * stands).sum() / stands.sum().clamp(min=1)


def accents(danced: Tensor, true: Tensor) -> Tensor:
    """Difference of how hard pelvis, chest and head accelerate, (N, T, 9) each: 0 alike, 1 as if nothing moved.

    The mean of several possible accents is a soft one, and squared errors ask for the mean. So here the sizes of the
    accelerations' spectra are compared, over windows of a beat that overlap by half: how hard and how fast, whatever
    the exact moment (Griffin and Lim's short-time magnitudes, 1984).
    """
    found, wanted = _magnitudes(danced), _magnitudes(true)
    return (found - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


def _magnitudes(path: Tensor) -> Tensor:
    """(N, T, C) -> magnitudes (N, W, C, F) of the spectra of its second differences."""
    size = min(ACCENT_STEPS, path.shape[1] - 2)
    windows = path.diff(n=2, dim=1).unfold(1, size, max(1, size // 2))
    shape = torch.hann_window(size, device=path.device)
    spectrum = torch.fft.rfft(windows * shape, dim=-1)
    power = spectrum.real.square() + spectrum.imag.square()
    return (power + QUIET**2 * power.detach().mean() + 1e-12).sqrt()
