"""What libraries read from the environment, all of it set here, before the first of them is imported.

`visualizer/__init__.py` imports this module first, and so whatever opens a network, draws or computes finds it done:
the program, the processes that it starts (they inherit it), training, `bench`, and tests.
"""

from __future__ import annotations

import os

# Whatever was there before.
ALWAYS = {
    # onnxruntime of 1.29 and newer sends a device id, the path of python, the machine and each network's name and
    # hash to its maker, and keeps a database in the user's cache folder. It reads this once, when it is imported.
    "ORT_DISABLE_TELEMETRY": "1",
    # On few cores OpenBLAS's threads cost more than they bring (56 -> 15 ms a frame, measured).
    "OPENBLAS_NUM_THREADS": "1",
}
# Where the user has set nothing.
UNLESS_SET = {"PYGAME_HIDE_SUPPORT_PROMPT": "1"}
# Torch's threads wait for one another by spinning, which starves those they wait for where another program has a core:
# of niceness 10 beside one such, 0.75 steps a second against 2.4; alone 10.0 against 9.8.
TRAINING_UNLESS_SET = {"OMP_WAIT_POLICY": "PASSIVE"}

_blas_before = os.environ.get("OPENBLAS_NUM_THREADS")


def set_environment() -> None:
    """For all that imports `visualizer`."""
    os.environ.update(ALWAYS)
    for name, value in UNLESS_SET.items():
        os.environ.setdefault(name, value)


def set_training_environment() -> None:
    """For all that imports `training`: OpenBLAS as the user has it, for torch computes with it on some machines."""
    if _blas_before is None:
        os.environ.pop("OPENBLAS_NUM_THREADS", None)
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = _blas_before
    for name, value in TRAINING_UNLESS_SET.items():
        os.environ.setdefault(name, value)


def set_worker_environment() -> None:
    """For processes that share the cores: each has one, and libraries that see two would fight for them."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")


set_environment()
