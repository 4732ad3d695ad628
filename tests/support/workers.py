"""What the workers of one test run have between them: pytest-xdist starts two, each a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
