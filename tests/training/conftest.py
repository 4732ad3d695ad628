"""What all tests of training stand on."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """Sums of one thread are the same on every machine and whatever test ran before, and small networks are faster."""
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
