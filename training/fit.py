"""One training loop for every network: progress bar, checkpoints, resume, TensorBoard; Fabric picks the hardware.

Started by torchrun, several processes train one network on several processors, graphics cards or machines. Each takes
its share of the same batches, and gradients are means over all processes, so that the result is the same as that of one
process. Only batch norms use the statistics of each process's own share.
"""

from __future__ import annotations

import ctypes
import math
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

from training import distributed
from visualizer.errors import UserError
from visualizer.support.console import Console
from visualizer.support.printable import say

if TYPE_CHECKING:
    from lightning.fabric import Fabric

CHECKPOINT_SECONDS = 60.0
LOG_SECONDS = 30.0  # between two lines of progress, where there is no terminal for a bar


@dataclass(frozen=True)
class FitConfig:
    """How long and how hard to train one network."""

    steps: int
    rate: float = 2e-3
    warm_up: float = 0.05  # share of the steps over which the learning rate rises
    decay: float = 1e-2  # AdamW weight decay
    clip: float = 1.0  # largest norm of the gradient
    precision: str = "32-true"  # "bf16-mixed" is 2 to 3 times as fast where the processor has it
    steady: bool = False  # `rate` at every step, without warm-up or decay


def keep_memory() -> None:
    """Make glibc keep freed memory instead of returning it to the system, which clears it before it hands it out
    again: a step was measured twice as fast. Other C libraries have no `mallopt`; with them nothing is done."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in ((-1, 2**31 - 1), (-2, 2**28), (-4, 0)):  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
            mallopt(option, value)


class _Losses(nn.Module):
    """A network whose `forward` gives its losses: DDP gathers gradients only where a step begins with `forward`."""

    def __init__(self, network: nn.Module, loss: Callable[[nn.Module, Any], dict[str, Tensor]]) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: Any) -> dict[str, Tensor]:
        return self.loss(self.network, batch)


def schedule(step: int, config: FitConfig) -> float:
    """Learning rate at `step`: linear warm-up, then half a cosine down to a hundredth."""
    if config.steady:
        return config.rate
    warm = max(1, round(config.warm_up * config.steps))
    if step < warm:
        return config.rate * (step + 1) / warm
    progress = (step - warm) / max(1, config.steps - warm)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


@dataclass(frozen=True)
class FitTask:
    """One network and what it learns.

    `loss(network, batch)` gives named losses, of which `total` is minimised. `batches(start)` begins an endless
    stream of batches at step `start`. `name` is that of the checkpoint and the curves. AdamW is the optimizer where
    none is given. Among several processes, each cuts its share out of every batch; `shared` says that `batches` gives
    only that share.
    """

    name: str
    network: nn.Module
    loss: Callable[[nn.Module, Any], dict[str, Tensor]]
    batches: Callable[[int], Iterator[Any]]
    seed: int
    optimizer: torch.optim.Optimizer | None = None
    shared: bool = False


@dataclass
class _Run:
    """A lesson while it is trained, in one process: `model` is the network, or what gathers its gradients from all
    processes; `step` counts the steps taken."""

    lesson: FitTask
    config: FitConfig
    fabric: Fabric
    model: nn.Module
    adam: Any  # the optimizer as Fabric wraps it
    checkpoint: Path
    step: int = 0
    saved: float = field(default_factory=time.monotonic)  # when, by this process's clock

    @property
    def alone(self) -> bool:
        """Whether no other process trains the same network."""
        return self.fabric.world_size == 1

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        network = self.model if self.alone else self.lesson.network
        return {"network": network, "optimizer": self.adam, "step": self.step}

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one. UserError where it is broken or belongs to another network."""
        if not self.checkpoint.exists():
            return
        state = self.state()
        try:
            self.fabric.load(self.checkpoint, state)
        except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            said = " ".join(str(error).split())[:160]
            raise UserError(
                f"{self.checkpoint}: broken or of another network ({said}); choose another --work"
            ) from error
        self.step = int(state["step"])

    def save(self) -> None:
        """Write the checkpoint. A kill while it is written leaves the last whole one in place."""
        part = self.checkpoint.with_suffix(".part")
        self.fabric.save(part, self.state())
        if self.fabric.is_global_zero:
            part.replace(self.checkpoint)
        self.saved = time.monotonic()

    def mean_of_all(self, values: list[float]) -> list[float]:
        """Means of numbers over all processes."""
        if self.alone:
            return values
        return self.fabric.all_reduce(torch.tensor(values, dtype=torch.float64), reduce_op="mean").tolist()  # type: ignore[union-attr]

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """The losses of this process's share of a batch."""
        if self.alone:
            # Through the wrapper it was measured three times slower than with the plain network.
            with self.fabric.autocast():
                return self.lesson.loss(self.lesson.network, batch)
        return self.model(batch if self.lesson.shared else distributed.shared(batch))

    def take_step(self, batch: Any) -> tuple[float, bool]:
        """Learn from one batch. Returns the mean loss of all processes, and whether it is time to save.

        Raises FloatingPointError when the loss or its gradient stops being a number.
        """
        for group in self.adam.param_groups:
            group["lr"] = schedule(self.step, self.config)
        losses = self.losses(batch)
        # All must save at the same step, so the first process's clock decides for them.
        late = self.fabric.is_global_zero and time.monotonic() - self.saved > CHECKPOINT_SECONDS
        value, due = self.mean_of_all([float(losses["total"].detach()), float(late)])
        self.fabric.backward(losses["total"])
        norm = self.fabric.clip_gradients(self.model, self.adam, max_norm=self.config.clip, error_if_nonfinite=False)
        # Before the step: a network that holds NaN must never reach the checkpoint.
        if not math.isfinite(value) or (norm is not None and not math.isfinite(float(norm))):
            name = self.lesson.name
            raise FloatingPointError(f"{name}: the loss is {value}, its gradient {norm}, at step {self.step + 1}")
        self.adam.step()
        self.adam.zero_grad()
        self.step += 1
        if self.step % 20 == 0:
            means = self.mean_of_all([float(v.detach()) for v in losses.values()])
            self.fabric.log_dict(dict(zip(losses, means, strict=True)), step=self.step)
        return value, bool(due)


class _Reporter:
    """Shows how far a run is: a progress bar on a terminal, else a line every `LOG_SECONDS`; one process alone."""

    def __init__(self, run: _Run) -> None:
        console = Console()
        self.run, self.first = run, run.step
        self.speaks = run.fabric.is_global_zero
        self.average: float | None = None
        self.began = self.logged = time.monotonic()
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        self.has_bar = self.speaks and console.is_terminal
        self.bar = Progress(*columns, console=console, disable=not self.has_bar, speed_estimate_period=120)
        self.task = self.bar.add_task(run.lesson.name, total=run.config.steps, completed=run.step, loss="…")

    def tell(self, value: float) -> None:
        """Say how far the run is after a step whose loss was `value`."""
        step, steps = self.run.step, self.run.config.steps
        self.average = value if self.average is None else 0.98 * self.average + 0.02 * value
        self.bar.update(self.task, completed=step, loss=f"{self.average:.4f}")
        now = time.monotonic()
        if self.speaks and not self.has_bar and (now - self.logged > LOG_SECONDS or step == steps):
            left = (now - self.began) / (step - self.first) * (steps - step)
            say(f"{self.run.lesson.name}: step {step} of {steps}, loss {self.average:.4f}, {left:.0f} s left")
            self.logged = now


def fit(lesson: FitTask, config: FitConfig, folder: Path) -> nn.Module:
    """Train the network of `lesson` for `config.steps` steps and return it, on the CPU and in evaluation mode.

    Checkpoints go to `folder/NAME.ckpt` every minute and at the end; a run that was killed goes on from there, and one
    that had finished is only loaded. Raises FloatingPointError when the loss or its gradient stops being a number, and
    UserError where the checkpoint is broken or belongs to another network.
    """
    from training.hardware import keep_curves, open_fabric  # late: two seconds, and what is refused needs none of it

    keep_memory()
    folder.mkdir(parents=True, exist_ok=True)
    logger = keep_curves(folder, lesson.name)
    fabric = open_fabric(config.precision, logger)
    fabric.launch()
    torch.manual_seed(lesson.seed)
    network = lesson.network
    adam = lesson.optimizer or torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.decay)
    alone = fabric.world_size == 1
    model, adam = fabric.setup(network if alone else _Losses(network, lesson.loss), adam)
    run = _Run(lesson, config, fabric, model, adam, folder / f"{lesson.name}.ckpt")
    run.resume()
    model.train()
    if run.step < config.steps:
        _train(run)
        run.save()
        if logger is not None:
            logger.finalize("success")
    return network.cpu().eval()


def _train(run: _Run) -> None:
    """Take the steps that are left, and save every `CHECKPOINT_SECONDS`."""
    # Each process has its own examples, and its own random numbers.
    torch.manual_seed(run.lesson.seed + run.step + 1_000_003 * run.fabric.global_rank)
    reporter = _Reporter(run)
    with reporter.bar:
        stream = run.lesson.batches(run.step)
        for batch in stream:
            value, due = run.take_step(batch)
            reporter.tell(value)
            if due:
                run.save()
            if run.step >= run.config.steps:
                break
        close = getattr(stream, "close", None)
        if close:
            close()
