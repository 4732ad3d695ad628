"""A small training that one process can do, or several together; started by torchrun in `test_distributed.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from training import distributed
from training.fit import FitConfig, FitTask, fit
from training.models.dancer import Choreographer, ChoreographerConfig


def batches(start: int) -> Iterator[dict[str, Tensor]]:
    draw = torch.Generator().manual_seed(start)
    while True:
        yield {
            "letters": torch.randint(0, 12, (8, 5), generator=draw),
            "following": torch.randint(0, 12, (8, 5), generator=draw),
            "given": torch.randn(8, 5, 12, generator=draw),
        }


def learn(folder: Path) -> dict[str, Tensor]:
    """What the network has become after 25 steps. No dropout: chance is each process's own."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    network = Choreographer(ChoreographerConfig(12, 2, 3, embedding=8, hidden=16, dropout=0.0))
    network.extra = nn.Linear(2, 2)  # a part that this lesson does not touch
    lesson = FitTask(
        "net", network, lambda net, b: net.loss(b["letters"], b["following"], b["given"]), batches, seed=1  # type: ignore[operator]
    )  # fmt: skip
    fit(lesson, FitConfig(25, rate=1e-2), folder)
    return dict(network.state_dict())


if __name__ == "__main__":
    made = learn(Path(sys.argv[1]))
    torch.save(made, Path(sys.argv[1]) / f"weights{distributed.rank()}.pt")
