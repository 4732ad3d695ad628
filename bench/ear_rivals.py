"""Beats of other beat trackers, for `bench.ear`: each runs in a Python in which it is installed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.ear_marks import Called
from visualizer.music.analysis.features import RATE, Floats


def rival(name: str, python: str, sounds: Sequence[Floats], keep: Path | None = None) -> list[Called] | str:
    """The beats that a rival calls in each sound, or why it does not run. `keep`: a folder for its beats."""
    found = _ask_rival(name, python, sounds) if keep is None else _asked_before(name, python, sounds, keep)
    if isinstance(found, str):
        return found
    called = []
    for one, samples in zip(found, sounds, strict=True):
        beats, seconds = np.array(one["beats"]), len(samples) / RATE
        late = float(np.mean(np.array(one["told"]) - beats)) if one["told"] else None
        downbeats = None if one["downbeats"] is None else np.array(one["downbeats"])
        called.append(Called(beats, downbeats, late, one["cpu"] / seconds))
    return called


def _asked_before(name: str, python: str, sounds: Sequence[Floats], keep: Path) -> list[dict[str, Any]] | str:
    """As `_ask_rival`, but each sound is asked for only once and then read from the folder."""
    keep.mkdir(parents=True, exist_ok=True)
    found = []
    for samples in sounds:
        path = keep / f"{name}-{hashlib.sha256(samples.tobytes()).hexdigest()[:16]}.json"
        if not path.exists():
            one = _ask_rival(name, python, [samples])
            if isinstance(one, str):
                return one
            path.write_text(json.dumps(one[0]))
        found.append(json.loads(path.read_text()))
    return found


def _ask_rival(name: str, python: str, sounds: Sequence[Floats]) -> list[dict[str, Any]] | str:
    """Run it: what `rival_ears.py` says of each sound, or the last line of its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.wav" for i in range(len(sounds))]
        for path, samples in zip(files, sounds, strict=True):
            soundfile.write(path, samples, RATE, subtype="PCM_16")
        command = [python, str(Path(__file__).with_name("rival_ears.py")), name, *map(str, files)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{python} does not start ({error.strerror})"
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(found) != len(sounds):
        return ((done.stderr or done.stdout).strip().splitlines() or ["it says nothing"])[-1]
    return found
