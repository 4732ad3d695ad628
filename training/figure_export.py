"""From a trained decoder of figures to `figures.onnx`, and to what `pack.json` says of who can dance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data.figures.figure import Figure
from training.data.figures.reshape import find_height
from training.models.figure_decoder import FigureDecoder, read_out
from training.onnx_export import difference, export_network
from visualizer.moment import PARTS
from visualizer.networks.contract import GRID
from visualizer.networks.onnx_check import check_network

NAME = "figures"
OUTPUTS = ["frame", "normal", "crease", "parts", "joints"]
# Largest difference between torch and onnxruntime. Depth is a sharp softmax: where two strokes are equally near,
# rounding shows in what is seen.
TOLERANCE = 1e-2


class _Drawn(nn.Module):
    def __init__(self, decoder: FigureDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, latent: Tensor, figure: Tensor, sway: Tensor, hands: Tensor, grid_x: Tensor, grid_y: Tensor
    ) -> tuple[Tensor, ...]:
        return read_out(self.decoder(latent, figure, sway, hands, grid_x, grid_y))


@dataclass(frozen=True)
class FigureContents:
    """Figures of a pack: a decoder, who it draws, the mean hands (K, 4) of each letter, and how far each figure reaches
    beyond its joints, (F, 3) frame widths (see `visualizer.dancer.pack_figures`)."""

    decoder: FigureDecoder
    figures: tuple[Figure, ...]
    hands: NDArray[np.float32]
    margins: NDArray[np.float32]


def _example(decoder: FigureDecoder, count: int, columns: int, rows: int) -> dict[str, Tensor]:
    """Random inputs: bodies near the mean one, in a box that begins somewhere."""
    config, size = decoder.config, decoder.vectors.shape[1]
    return {
        "latent": 0.3 * torch.randn(count, size),
        "figure": torch.softmax(3 * torch.randn(count, config.figures), dim=1),
        "sway": 0.1 * torch.randn(count, 7),
        "hands": torch.rand(count, 4),
        "grid_x": (torch.arange(columns) + 0.5 + (GRID - columns) // 2).repeat(count, 1),
        "grid_y": (torch.arange(rows) + 0.5 + (GRID - rows) // 2).repeat(count, 1),
    }


def export_figures(decoder: FigureDecoder, path: Path) -> float:
    """Write the network to `path`; the largest difference from torch on a few random bodies. ArithmeticError where it
    is too large, UserError where the file is none that a show would take."""
    torch.manual_seed(0)
    drawn = _Drawn(decoder).eval()
    n, w, h = (torch.export.Dim(name, min=1, max=most) for name, most in (("N", 1024), ("W", GRID), ("H", GRID)))
    free = {"grid_x": {0: n, 1: w}, "grid_y": {0: n, 1: h}}
    with torch.no_grad():
        export_network(drawn, _example(decoder, 3, 20, 30), OUTPUTS, path, free)
    check_network(path.read_bytes(), path)
    worst = find_difference(decoder, path)
    if not worst <= TOLERANCE:
        raise ArithmeticError(f"{NAME}: onnxruntime differs from torch by {worst:.2g}")
    return worst


def find_difference(decoder: FigureDecoder, path: Path) -> float:
    """Largest difference of a decoder from the file at `path`, on a few random bodies in boxes of several sizes."""
    drawn = _Drawn(decoder).eval()
    boxes = ((1, 28, 52), (3, GRID, GRID), (2, 5, 4))
    found = [difference(drawn, path, _example(decoder, *box), OUTPUTS) for box in boxes]
    return float(np.max(found))  # not max: a NaN must come through


def describe_figures(contents: FigureContents) -> dict[str, Any]:
    """What `pack.json` says: "figures", "parts" and "hands"."""
    people = [
        {
            "name": figure.name, "title": figure.title, "height": round(find_height(figure), 3),
            "colours": {part: figure.colours[part] for part in PARTS},
            "margin": [round(float(v), 4) for v in margin], "flat": figure.flat,
        }
        for figure, margin in zip(contents.figures, contents.margins, strict=True)
    ]  # fmt: skip
    hands = [[round(float(v), 2) for v in row] for row in contents.hands]
    return {"figures": people, "parts": list(PARTS), "hands": hands}
