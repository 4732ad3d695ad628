"""The smallest training there is: a straight line, found from examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.fit import FitConfig, FitTask, fit


class Line(nn.Module):
    """y = a x + b, to be found from examples of y = 3 x + 1."""

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        wrong = (self.layer(x) - 3 * x.sum(1, keepdim=True) - 1).square().mean()
        return {"total": wrong, "wrong": wrong}


def endless(start: int) -> Iterator[Tensor]:
    maker = torch.Generator().manual_seed(start)
    while True:
        yield torch.randn(16, 1, generator=maker)


def run(folder: Path, steps: int, network: nn.Module | None = None, batches=endless, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    config = FitConfig(steps, rate=0.1, **options)
    lesson = FitTask("line", network or Line(), lambda net, x: net.loss(x), batches, seed=0)  # type: ignore[operator]
    return fit(lesson, config, folder)
