"""What the workers of one test run have between them: pytest-xdist starts two, each a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock


def find_shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of this run see; without workers, that of the run."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def take_turns(factory: pytest.TempPathFactory, name: str) -> Iterator[None]:
    """No two workers are within `name` at the same time: the second waits until the first is done."""
    with FileLock(find_shared_folder(factory) / f"{name}.lock"):
        yield


@contextmanager
def share_machine(folder: Path, worker: int, workers: int, alone: bool) -> Iterator[None]:
    """Run one test beside those of the other workers; `alone`: after theirs have ended, and before they begin another.

    Each worker holds a lock of its own in `folder` during a test. Who wants to be alone takes them all, and keeps the
    gate meanwhile: else the others would begin one test after the other, and never leave room.
    """
    gate = FileLock(folder / "gate.lock")
    locks = [FileLock(folder / f"{number}.lock") for number in range(workers)]
    with ExitStack() as held:
        with gate:
            for lock in locks if alone else [locks[worker]]:
                held.enter_context(lock)
            if alone:
                held.enter_context(gate)  # once more: it is held as long as the test runs
        yield
