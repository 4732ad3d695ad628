"""Run `python -m training` as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.repository import REPOSITORY


@dataclass(frozen=True)
class TinyFit:
    """What one run of `python -m training fit --tiny` was given, wrote and said."""

    motion: Path
    work: Path
    pack: Path
    said: str


HANGS = 900.0  # seconds after which a run counts as hung; a tiny one takes under a minute on two free cores


def run_training(*words: str | Path, timeout: float = HANGS) -> subprocess.CompletedProcess[str]:
    """Run `python -m training …` in the repository, on one thread."""
    return subprocess.run(
        [sys.executable, "-m", "training", *map(str, words)],
        capture_output=True, text=True, timeout=timeout, cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
    )  # fmt: skip
