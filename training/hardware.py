"""What a network is trained on, by Lightning's Fabric: processor or graphics card, one process or many; its curves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from lightning.fabric.plugins.precision import MixedPrecision
from lightning.fabric.strategies.ddp import DDPStrategy

from training import distributed
from visualizer.support.printable import say


class _Autocast(MixedPrecision):
    """Mixed precision that leaves the batch alone: targets rounded to bfloat16 would blur the outline, and a
    bfloat16 frame takes a path through the convolutions that was measured five times slower on a CPU."""

    def convert_input(self, data: Any) -> Any:
        return data


def open_fabric(precision: str, logger: TensorBoardLogger | None) -> Fabric:
    """The hardware, for as many processes as torchrun has started, or for this one."""
    many: dict[str, Any] = {"devices": 1}
    if distributed.world() > 1:
        distributed.join()
        # A lesson may not touch all parts of a network, and the others have no gradients to gather.
        many = {
            "devices": distributed.here(), "num_nodes": distributed.world() // distributed.here(),
            "strategy": DDPStrategy(find_unused_parameters=True),
        }  # fmt: skip
    if precision == "bf16-mixed":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return Fabric(accelerator="auto", plugins=_Autocast("bf16-mixed", device), loggers=logger or [], **many)
    return Fabric(accelerator="auto", precision="32-true", loggers=logger or [], **many)


def keep_curves(folder: Path, name: str) -> TensorBoardLogger | None:
    """The log of the losses; None in a folder whose name is not UTF-8, where TensorBoard cannot open a file."""
    try:
        os.path.abspath(folder).encode()
    except UnicodeEncodeError:
        say(f"{folder}: its name is not UTF-8, so {name} is trained without curves for TensorBoard")
        return None
    return TensorBoardLogger(root_dir=folder / "tensorboard", name=name, version=0)
