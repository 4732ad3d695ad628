"""Several processes that train one network: which of them this one is, and what the first one does alone.

`torchrun --nproc-per-node 2 -m training fit …` starts the same command twice; on several machines torchrun is told
where the others are (`--nnodes`, `--rdzv-endpoint`). All must see the same `--work` folder. Without torchrun there is
one process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from visualizer.errors import UserError

PATIENCE = timedelta(hours=24)  # how long the others wait while the first one draws a data set or writes a pack

T = TypeVar("T")


def rank() -> int:
    """Which of the processes this is, from 0."""
    return int(os.environ.get("RANK", "0")) if world() > 1 else 0


def world() -> int:
    """How many processes train together, on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def here() -> int:
    """How many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def join() -> None:
    """Join the process group, if there are other processes and this one has not joined yet."""
    if world() > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)


def wait() -> None:
    """Wait until every process has come to this line."""
    if world() > 1:
        join()
        dist.barrier()


@contextmanager
def first_alone() -> Iterator[bool]:
    """The first process runs the block, then the others do, and find on the disk what it has made. Yields whether this
    is the first."""
    if rank() > 0:
        wait()
    yield rank() == 0
    if rank() == 0:
        wait()


def share(count: int) -> slice:
    """The examples of a batch of `count` that are this process's. UserError if they cannot be divided evenly: then the
    mean of the processes would not be the mean of the batch."""
    if count % world():
        raise UserError(
            f"batches of {count} cannot be divided among {world()} processes; their number must divide {count}"
        )
    each = count // world()
    return slice(rank() * each, (rank() + 1) * each)


def shared(batch: T) -> T:
    """This process's share of a batch, which is a tensor, or a tuple or dictionary of tensors."""
    if world() == 1:
        return batch
    if isinstance(batch, torch.Tensor):
        return batch[share(len(batch))]  # type: ignore[return-value]
    if isinstance(batch, dict):
        return {name: shared(part) for name, part in batch.items()}  # type: ignore[return-value]
    parts = [shared(part) for part in batch]  # type: ignore[attr-defined]
    return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)  # type: ignore[call-arg]
