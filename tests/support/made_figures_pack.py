"""A pack of format 3 with figures, a few kilobytes: `made_pack` with bodies in space and a network that draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tests.support.made_pack import CONDITIONS, INFO, LETTERS, SIZE, contents, network, write_folder
from tests.support.made_space import made_space, standing_body
from visualizer.dancer.body_space import BodySpace, describe_body_space
from visualizer.moment import PARTS

COLOURS = ("#102030", "#405060", "#708090", "#a0b0c0", "#d0e0f0", "#123456", "#654321")


def figures_info() -> dict[str, Any]:
    """The pack.json: a silhouette and two people."""
    space = made_space(SIZE)
    space = BodySpace(standing_body().ravel(), space.axes, space.scale, space.std)
    people = [
        {"name": name, "title": name.title(), "height": 1.7, "margin": [0.03 + 0.02 * k, 0.05, 0.02],
         "colours": dict(zip(PARTS, COLOURS[k:] + COLOURS[:k], strict=True)), "flat": k == 0}
        for k, name in enumerate(("flat", "ann", "bob"))
    ]  # fmt: skip
    hands = [[round(0.1 * k, 1), 0.0, 0.0, round(1 - 0.1 * k, 1)] for k in range(LETTERS)]
    return {**INFO, "format": 3, "body": describe_body_space(space), "figures": people, "parts": list(PARTS),
            "hands": hands}  # fmt: skip


def figures_network() -> onnx.ModelProto:
    """Draws a slope across the box, the same for everybody."""
    node = helper.make_node
    matrix = np.random.default_rng(5).standard_normal((SIZE, 42)).astype(np.float32) * np.float32(0.01)
    return network(
        {"latent": [SIZE], "figure": [3], "sway": [7], "hands": [4], "grid_x": ["W"], "grid_y": ["H"]},  # type: ignore[list-item]
        {"frame": [1, "h", "w"], "normal": [2, "h", "w"], "crease": [1, "h", "w"], "parts": [7, "h", "w"],  # type: ignore[list-item]
         "joints": [21, 2]},
        [node("Unsqueeze", ["grid_x", "column"], ["x"]), node("Unsqueeze", ["grid_y", "row"], ["y"]),
         node("Add", ["x", "y"], ["place"]), node("Mul", ["place", "small"], ["slope"]),
         node("Concat", ["slope"] * 4, ["four"], axis=1), node("DepthToSpace", ["four"], ["frame"], blocksize=2),
         node("Abs", ["frame"], ["crease"]), node("Mul", ["frame", "nothing"], ["zero"]),
         node("Concat", ["zero"] * 2, ["normal"], axis=1), node("Add", ["zero", "seventh"], ["one"]),
         node("Concat", ["one"] * 7, ["parts"], axis=1), node("MatMul", ["latent", "matrix"], ["flat"]),
         node("Add", ["flat", "half"], ["moved"]), node("Reshape", ["moved", "as"], ["joints"])],
        {"column": np.array([1, 2]), "row": np.array([1, 3]), "small": np.float32(1e-4).reshape(1),
         "nothing": np.zeros(1, np.float32), "seventh": np.full(1, 1 / 7, np.float32), "matrix": matrix,
         "half": np.full(1, 0.5, np.float32), "as": np.array([-1, 21, 2])},
    )  # fmt: skip


def figures_contents() -> dict[str, bytes]:
    """The files of the pack."""
    node = helper.make_node
    dancer = network(
        {"latent": [SIZE], "state": [1, 3], "letter": [], "next_letter": [], "place": [1], **CONDITIONS,
         "noise": [SIZE]},
        {"latent_out": [SIZE], "state_out": [1, 3], "travel": [2]},
        [node("Mul", ["noise", "tenth"], ["small"]), node("Add", ["latent", "small"], ["latent_out"]),
         node("Tanh", ["state"], ["state_out"]), node("Mul", ["energy", "both"], ["travel"])],
        {"tenth": np.array([0.1], np.float32), "both": np.array([[0.1, -0.1]], np.float32)},
    )  # fmt: skip
    files = contents(dancer=dancer.SerializeToString())
    drawn = figures_network().SerializeToString()
    return {**files, "pack.json": json.dumps(figures_info()).encode(), "figures.onnx": drawn}


def figures_pack(folder: Path) -> Path:
    """Write the pack to `folder`."""
    return write_folder(folder, figures_contents())
