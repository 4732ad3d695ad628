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
FIGURES = "figures"  # the network that a pack with figures has beside those
GRID = 64  # cells a side of the frame, two pixels each; figures are drawn in a box of cells
SWAY_SIZE, HANDS_SIZE, PART_COUNT = 7, 4, 7
BOX = ("grid_x", "grid_y")  # inputs whose second axis is free: the columns and the rows of the box
FRAME_SIZE = 128  # pixels a side of the learned field
JOINT_COUNT = 21
MOST_DANCERS = 9
STEPS_PER_BEAT = 16  # of the dancer network
LETTERS = ("letter", "next_letter", "letter_out")  # whole numbers; all else are floats


def expected_inputs(info: dict[str, Any]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: input names and shapes (without the batch axis) of each network; of `BOX` the largest."""
    d, k, s = info["latent_size"], info["letters"], len(info["styles"])
    g = max(1, len(info["dances"]))  # no axis of a network is empty
    conditions = {"bar_phase": (6,), "energy": (1,), "style": (s,), "dance": (g,)}
    figures = {
        "latent": (d,), "figure": (len(info.get("figures", ())),), "sway": (SWAY_SIZE,), "hands": (HANDS_SIZE,),
        "grid_x": (GRID,), "grid_y": (GRID,),
    }  # fmt: skip
    return {
        FIGURES: figures,
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


def networks_of(info: dict[str, Any]) -> tuple[str, ...]:
    """The networks that a pack has by its `pack.json`."""
    return (*NETWORKS, FIGURES) if "figures" in info else NETWORKS


def expected_outputs(
    info: dict[str, Any], box: tuple[int, int] = (GRID, GRID)
) -> dict[str, dict[str, tuple[int, ...]]]:
    """The contract: output names and shapes (without the batch axis). The decoder alone may leave out joints. `box`:
    columns and rows of cells that figures are drawn in."""
    d, (w, h) = info["latent_size"], (2 * box[0], 2 * box[1])
    return {
        FIGURES: {
            "frame": (1, h, w),
            "normal": (2, h, w),
            "crease": (1, h, w),
            "parts": (PART_COUNT, h, w),
            "joints": (JOINT_COUNT, 2),
        },
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
        for name in BOX:
            if name in found and len(found[name]) == 1 and not isinstance(found[name][0], int):
                found[name] = (GRID,)  # free, as it should be
            elif name in found:
                raise UserError(f"{path}: input {name} must have a free second axis")
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
    box = tuple(given[name].shape[1] if name in given else GRID for name in BOX)
    shapes = expected_outputs(info, (box[0], box[1]))[network]
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
