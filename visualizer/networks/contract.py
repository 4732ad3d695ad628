"""The contract of a pack's networks: names, kinds and shapes of what goes in and what comes out.

Shapes are without the batch axis, which is free: a troupe of N dancers is one call. Letters are int64, all else is
float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError, clean

from .session import failures, first_line

NETWORKS = ("encoder", "decoder", "choreographer", "dancer")
FRAME_SIZE = 128  # pixels a side of the learned field
JOINT_COUNT = 21
MOST_DANCERS = 9
STEPS_PER_BEAT = 16  # of the dancer network
LETTERS = ("letter", "next_letter", "letter_out")  # whole numbers; all else are floats


def expected_inputs(info: dict[str, Any]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: input names and shapes (without the batch axis) of each network."""
    d, k, s = info["latent_size"], info["letters"], len(info["styles"])
    g = max(1, len(info["dances"]))  # no axis of a network is empty
    conditions = {"bar_phase": (6,), "energy": (1,), "style": (s,), "dance": (g,)}
    return {
        "encoder": {"frame": (1, FRAME_SIZE, FRAME_SIZE)},
        "decoder": {"latent": (d,)},
        "choreographer": {"letter": (), "state": tuple(info["choreographer_state"]), **conditions,
                          "noise": (k,), "temperature": (1,)},
        "dancer": {"latent": (d,), "state": tuple(info["dancer_state"]), "letter": (), "next_letter": (),
                   "place": (1,), **conditions, "noise": (d,)},
    }  # fmt: skip


def travel_size(info: dict[str, Any]) -> int:
    """Numbers of a dancer's travel: sideways, and in packs of format 3 also towards the viewer."""
    return 2 if info.get("format", 2) >= 3 else 1


def expected_outputs(info: dict[str, Any]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: output names and shapes (without the batch axis). The decoder alone may leave out joints."""
    d = info["latent_size"]
    return {
        "encoder": {"latent": (d,)},
        "decoder": {"frame": (1, FRAME_SIZE, FRAME_SIZE), "joints": (JOINT_COUNT, 2)},
        "choreographer": {"letter_out": (), "state_out": tuple(info["choreographer_state"])},
        "dancer": {"latent_out": (d,), "state_out": tuple(info["dancer_state"]), "travel": (travel_size(info),)},
    }


def check_contract(session: Any, network: str, info: dict[str, Any], path: Path, dancers: int = 2) -> None:
    """UserError unless a network takes and gives what the contract says. It is run once by a troupe of `dancers`, for
    what a file says of its outputs is a claim, and a party is a bad place to find that out.
    """
    try:
        inputs = {i.name: i for i in session.get_inputs()}
        found = {name: tuple(i.shape[1:]) for name, i in inputs.items()}
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: the name of an input is no text") from error
    wanted = expected_inputs(info)[network]
    if found != wanted:
        raise UserError(f"{path}: inputs are {clean(str(found), 300)}, but the pack says {clean(str(wanted), 300)}")
    given = {}
    for name, shape in wanted.items():
        kind, dtype = ("tensor(int64)", np.int64) if name in LETTERS else ("tensor(float)", np.float32)
        if inputs[name].type != kind or not inputs[name].shape or isinstance(inputs[name].shape[0], int):
            raise UserError(f"{path}: input {name} must be {kind} with a free first axis")
        given[name] = np.zeros((dancers, *shape), dtype=dtype)
    run_checked(session, network, info, path, given)


def run_checked(
    session: Any, network: str, info: dict[str, Any], path: Path, given: dict[str, NDArray]
) -> dict[str, NDArray]:
    """What a network makes of `given`, by name. UserError unless shapes and kinds are those of the contract."""
    names = [o.name for o in session.get_outputs()]
    shapes = expected_outputs(info)[network]
    missing = set(shapes) - set(names) - {"joints"}
    if missing:
        raise UserError(f"{path}: output {', '.join(sorted(missing))} is missing")
    shapes = {name: shape for name, shape in shapes.items() if name in names}
    try:
        made = dict(zip(shapes, session.run(list(shapes), given), strict=True))
    except failures() as error:
        raise UserError(f"{path}: does not run ({first_line(error)})") from error
    count = len(next(iter(given.values())))
    for name, shape in shapes.items():
        dtype = np.int64 if name in LETTERS else np.float32
        if not isinstance(made[name], np.ndarray) or made[name].shape != (count, *shape) or made[name].dtype != dtype:
            raise UserError(
                f"{path}: output {name} of a troupe of {count} must be {np.dtype(dtype).name} {(count, *shape)}"
            )
    return made
