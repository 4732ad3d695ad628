"""One training loop for every network: progress bar, checkpoints, resume, TensorBoard; Fabric picks the hardware.

Started by torchrun, several processes train one network on several processors, graphics cards or machines. Each takes
its share of the same batches, and gradients are means over all of them, so that the network becomes what it would have
become in one process. Only batch norms count for themselves in each process.
"""

from __future__ import annotations

import ctypes
import math
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from lightning.fabric.plugins.precision import MixedPrecision
from lightning.fabric.strategies.ddp import DDPStrategy
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

from training import distributed
from visualizer.errors import UserError
from visualizer.support.console import Console
from visualizer.support.printable import say

CHECKPOINT_SECONDS = 60.0
LOG_SECONDS = 30.0  # where there is no terminal for a progress bar, a line this often


@dataclass(frozen=True)
class FitConfig:
    """How long and how hard to train one network."""

    steps: int
    rate: float = 2e-3
    warm_up: float = 0.05  # share of the steps over which the rate climbs
    decay: float = 1e-2  # AdamW weight decay
    clip: float = 1.0  # gradient norm
    precision: str = "32-true"  # "bf16-mixed" is 2-3 times as fast where the processor has it
    steady: bool = False  # `rate` from the first step to the last, with neither warm-up nor decline


def keep_memory() -> None:
    """Have glibc keep what is freed instead of handing it back to the system, which clears it before it comes again:
    a step was measured twice as fast. Other C libraries have no `mallopt`, and nothing is done there."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in ((-1, 2**31 - 1), (-2, 2**28), (-4, 0)):  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
            mallopt(option, value)


class _Autocast(MixedPrecision):
    """Mixed precision that leaves the batch alone: targets rounded to bfloat16 would blur the outline, and a
    bfloat16 frame takes a path through the convolutions that was measured five times slower on a CPU."""

    def convert_input(self, data: Any) -> Any:
        return data


class _Losses(nn.Module):
    """A network that answers with its losses: gradients are gathered only where a step begins with `forward`."""

    def __init__(self, network: nn.Module, loss: Callable[[nn.Module, Any], dict[str, Tensor]]) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: Any) -> dict[str, Tensor]:
        return self.loss(self.network, batch)


def _fabric(precision: str, logger: TensorBoardLogger | None) -> Fabric:
    """The hardware: as many processes as torchrun has started, else this one."""
    many: dict[str, Any] = {"devices": 1}
    if distributed.world() > 1:
        distributed.join()
        # A lesson may leave parts of a network alone, and those have no gradients to gather.
        many = {
            "devices": distributed.here(), "num_nodes": distributed.world() // distributed.here(),
            "strategy": DDPStrategy(find_unused_parameters=True),
        }  # fmt: skip
    if precision == "bf16-mixed":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return Fabric(accelerator="auto", plugins=_Autocast("bf16-mixed", device), loggers=logger or [], **many)
    return Fabric(accelerator="auto", precision="32-true", loggers=logger or [], **many)


def _keep_curves(folder: Path, name: str) -> TensorBoardLogger | None:
    """Where the losses are kept; None in a folder whose name is not UTF-8, in which TensorBoard opens no file."""
    try:
        os.path.abspath(folder).encode()
    except UnicodeEncodeError:
        say(f"{folder}: a name that is not UTF-8, so {name} is trained without curves for TensorBoard")
        return None
    return TensorBoardLogger(root_dir=folder / "tensorboard", name=name, version=0)


def schedule(step: int, config: FitConfig) -> float:
    """Learning rate at `step`: linear warm-up, then half a cosine down to a hundredth."""
    if config.steady:
        return config.rate
    warm = max(1, round(config.warm_up * config.steps))
    if step < warm:
        return config.rate * (step + 1) / warm
    progress = (step - warm) / max(1, config.steps - warm)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def _resume(fabric: Fabric, checkpoint: Path, state: dict[str, Any]) -> None:
    """Go on from a checkpoint, if there is one. UserError where it is broken or belongs to another network."""
    if not checkpoint.exists():
        return
    try:
        fabric.load(checkpoint, state)
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{checkpoint}: broken or of another network ({said}); choose another --work") from error


def fit(
    name: str,
    network: nn.Module,
    loss: Callable[[nn.Module, Any], dict[str, Tensor]],
    batches: Callable[[int], Iterator[Any]],
    config: FitConfig,
    folder: Path,
    seed: int,
    optimizer: torch.optim.Optimizer | None = None,
    shared: bool = False,
) -> nn.Module:
    """Train `network` for `config.steps` steps and return it, on the CPU and in evaluation mode.

    `loss(network, batch)` gives named losses, of which `total` is minimised. `batches(start)` begins an endless
    stream of batches at step `start`. Checkpoints go to `folder/name.ckpt` every minute and at the end; a run that
    was killed goes on from there, and one that had finished is only loaded. Raises FloatingPointError when the loss
    or its gradient stops being a number, and UserError where the checkpoint is broken or belongs to another network.
    Among several processes, each cuts its share out of every batch; `shared` says that `batches` gives that alone.
    """
    keep_memory()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{name}.ckpt"
    logger = _keep_curves(folder, name)
    fabric = _fabric(config.precision, logger)
    fabric.launch()
    alone = fabric.world_size == 1
    torch.manual_seed(seed)
    adam = optimizer or torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.decay)
    model, adam = fabric.setup(network if alone else _Losses(network, loss), adam)
    state: dict[str, Any] = {"network": model if alone else network, "optimizer": adam, "step": 0}
    _resume(fabric, checkpoint, state)
    step = int(state["step"])

    def mean_of_all(values: list[float]) -> list[float]:
        """Means of numbers over all processes."""
        if alone:
            return values
        return fabric.all_reduce(torch.tensor(values, dtype=torch.float64), reduce_op="mean").tolist()  # type: ignore[union-attr]

    def save() -> None:
        state["step"] = step
        part = checkpoint.with_suffix(".part")
        fabric.save(part, state)
        if fabric.is_global_zero:
            part.replace(checkpoint)  # a kill while writing leaves the last whole checkpoint in place

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    model.train()
    if step < config.steps:
        torch.manual_seed(seed + step + 1_000_003 * fabric.global_rank)  # each has its own examples, and its own chance
        console = Console()
        bar = fabric.is_global_zero and console.is_terminal
        with Progress(*columns, console=console, disable=not bar, speed_estimate_period=120) as progress:
            task = progress.add_task(name, total=config.steps, completed=step, loss="…")
            began, first = time.monotonic(), step
            saved = logged = began
            average, stream = None, batches(step)
            for batch in stream:
                for group in adam.param_groups:
                    group["lr"] = schedule(step, config)
                if alone:
                    # Through the wrapper it was measured three times slower than with the plain network.
                    with fabric.autocast():
                        losses = loss(network, batch)
                else:
                    losses = model(batch if shared else distributed.shared(batch))
                # The first one's clock decides for all of them when to save: they must do it at the same step.
                late = fabric.is_global_zero and time.monotonic() - saved > CHECKPOINT_SECONDS
                value, late = mean_of_all([float(losses["total"].detach()), float(late)])
                fabric.backward(losses["total"])
                norm = fabric.clip_gradients(model, adam, max_norm=config.clip, error_if_nonfinite=False)
                # Before the step: a network that holds NaN must never reach the checkpoint.
                if not math.isfinite(value) or (norm is not None and not math.isfinite(float(norm))):
                    raise FloatingPointError(f"{name}: the loss is {value}, its gradient {norm}, at step {step + 1}")
                adam.step()
                adam.zero_grad()
                step += 1
                average = value if average is None else 0.98 * average + 0.02 * value
                progress.update(task, completed=step, loss=f"{average:.4f}")
                if step % 20 == 0:
                    said = mean_of_all([float(v.detach()) for v in losses.values()])
                    fabric.log_dict(dict(zip(losses, said, strict=True)), step=step)
                now = time.monotonic()
                if late:
                    save()
                    saved = now
                if fabric.is_global_zero and not bar and (now - logged > LOG_SECONDS or step == config.steps):
                    left = (now - began) / (step - first) * (config.steps - step)
                    say(f"{name}: step {step} of {config.steps}, loss {average:.4f}, {left:.0f} s left")
                    logged = now
                if step >= config.steps:
                    break
            close = getattr(stream, "close", None)
            if close:
                close()
        save()
        if logger is not None:
            logger.finalize("success")
    return network.cpu().eval()
