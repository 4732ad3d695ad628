"""What libraries read from the environment is set before any of them is imported, whatever is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS", "PYGAME_HIDE_SUPPORT_PROMPT", "OMP_WAIT_POLICY")
LIBRARIES = ("numpy", "onnxruntime", "torch", "pygame", "numba")
ASK = """
import json, os, sys
import {module}
libraries = [name for name in {libraries} if name in sys.modules]
print(json.dumps([{{name: os.environ.get(name) for name in {names}}}, libraries]))
"""


def told(module: str, **environment: str) -> tuple[dict[str, str | None], list[str]]:
    """The environment once a fresh interpreter has imported `module`, and the libraries that it has imported."""
    env = {name: value for name, value in os.environ.items() if name not in NAMES} | environment
    code = ASK.format(module=module, libraries=LIBRARIES, names=NAMES)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    set_to, libraries = json.loads(done.stdout)
    return set_to, libraries


@pytest.mark.parametrize("module", ["visualizer", "training", "bench"])
@pytest.mark.parametrize("before", [{}, {"ORT_DISABLE_TELEMETRY": "0"}, {"ORT_DISABLE_TELEMETRY": ""}])
def test_nothing_is_sent_whatever_was_set_before(module: str, before: dict[str, str]) -> None:
    environment, libraries = told(module, **before)
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert environment["PYGAME_HIDE_SUPPORT_PROMPT"] == "1"
    assert libraries == []


def test_the_show_computes_on_one_thread_and_training_as_the_user_has_it() -> None:
    assert told("visualizer", OPENBLAS_NUM_THREADS="7")[0]["OPENBLAS_NUM_THREADS"] == "1"
    assert told("training", OPENBLAS_NUM_THREADS="7")[0]["OPENBLAS_NUM_THREADS"] == "7"
    assert told("training")[0]["OPENBLAS_NUM_THREADS"] is None


def test_the_users_own_settings_stay() -> None:
    environment, _ = told("training", PYGAME_HIDE_SUPPORT_PROMPT="", OMP_WAIT_POLICY="ACTIVE")
    assert (environment["PYGAME_HIDE_SUPPORT_PROMPT"], environment["OMP_WAIT_POLICY"]) == ("", "ACTIVE")
    assert told("training")[0]["OMP_WAIT_POLICY"] == "PASSIVE"


def test_a_process_that_is_started_from_here_is_told_as_well() -> None:
    """Also one that opens a network without any of this, as a worker of another program would."""
    code = "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "1"
