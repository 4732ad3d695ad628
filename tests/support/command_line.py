"""The command line without a process of its own."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest

from visualizer import cli


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Exit code of `visualizer words…`, in this process."""
    monkeypatch.setattr(sys, "argv", ["visualizer", *words])
    monkeypatch.setattr(cli, "log_file", nullcontext)  # it takes hold of the hooks of the whole process
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 1
