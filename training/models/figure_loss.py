"""What a decoder of figures is trained by: outline, surface, ink, parts, and that nothing flickers.

Two pictures that follow each other must differ as the true ones do. A network that is trained on single pictures puts
thin ink now here and now there: of its changes a third went back in the next picture, of the truth's a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.figure_truths import PICTURES, FigureBatch
from training.models.autoencoder import COVERAGE_SLOPE
from training.models.figure_decoder import LARGEST_CREASE, FigureDecoder
from visualizer.moment import PARTS

FACE = PARTS.index("face")
FIELD_CLAMP = 3.5  # pixels from the outline beyond which nothing is learned of the field
INK = 1.5  # pixels from a contour within which ink counts more
INSIDE = 0.5  # pixels beyond the outline that still count as within it: a painter's edge is as soft


@dataclass(frozen=True)
class FigureWeights:
    """How much each part of the loss counts."""

    edge: float = 3.0
    band: float = 0.5
    normal: float = 0.5
    crease: float = 0.6
    parts: float = 0.8
    flicker: float = 1.0
    face: float = 0.0  # how much more pixels at eyes and mouth count than others: they are two of a thousand


def figure_loss(network: FigureDecoder, batch: FigureBatch, weights: FigureWeights) -> dict[str, Tensor]:
    """Named losses of a batch of sequences; `total` is the one to be minimised."""
    latent = network.latents(batch.bodies)
    field, normal, crease, logits, _ = network(
        latent, batch.figure, batch.sway, batch.hands, batch.grid_x, batch.grid_y
    )
    inside = (batch.field < INSIDE).float()
    count = inside.sum() + 1
    edge = F.binary_cross_entropy_with_logits(-COVERAGE_SLOPE * field, (0.5 - batch.field).clamp(0, 1))
    band = F.smooth_l1_loss(field.clamp(-FIELD_CLAMP, FIELD_CLAMP), batch.field.clamp(-FIELD_CLAMP, FIELD_CLAMP))
    bent = ((normal - batch.normal).abs() * inside).sum() / count
    heavy = inside * (1 + 3 * (batch.crease < INK))
    # Without clamps, whose gradients vanish: what is far from any contour may be as far as it likes.
    off = crease - batch.crease
    off = torch.where((batch.crease >= LARGEST_CREASE - 0.05) & (off > 0), 0.1 * off, off.abs())
    ink = (off * heavy).sum() / (heavy.sum() + 1)
    worn = inside * (1 + weights.face * F.max_pool2d(batch.parts[:, FACE : FACE + 1], 3, 1, 1))
    torn = (-(batch.parts * F.log_softmax(logits, 1)).sum(1, keepdim=True) * worn).sum() / (worn.sum() + 1)
    shares = logits.softmax(1)
    flicker = sum(
        (_changes(made) - _changes(true)).abs().mul(_changes(inside, both=True)).sum() / (2 * count / 3 + 1) * weight
        for made, true, weight in (
            (_thin(crease), _thin(batch.crease), 1.0), (shares, batch.parts, 0.3),
            (torch.sigmoid(-COVERAGE_SLOPE * field), (0.5 - batch.field).clamp(0, 1), 0.5),
        )
    )  # fmt: skip
    losses = {"edge": edge, "band": band, "normal": bent, "crease": ink, "parts": torn, "flicker": flicker}
    total = sum(getattr(weights, name) * value for name, value in losses.items())
    return {"total": torch.as_tensor(total), **{k: torch.as_tensor(v) for k, v in losses.items()}}


def _thin(crease: Tensor) -> Tensor:
    """How much ink there is, 0..1, with an edge a pixel wide."""
    return torch.sigmoid(COVERAGE_SLOPE * (1 - crease))


def _changes(values: Tensor, both: bool = False) -> Tensor:
    """From picture to picture (B T, …) -> (B, T - 1, …); with `both`, where both are."""
    line = values.unflatten(0, (-1, PICTURES))
    return line[:, 1:] * line[:, :-1] if both else line[:, 1:] - line[:, :-1]
