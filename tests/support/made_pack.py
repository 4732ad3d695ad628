"""A whole pack of a few kilobytes, its networks a handful of operators each: for tests that spoil packs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, LETTERS, STYLES, DANCES = 4, 6, 2, 1
FILES = ("pack.json", "NOTICE", "encoder.onnx", "decoder.onnx", "choreographer.onnx", "dancer.onnx")
INFO: dict[str, Any] = {
    "format": 2, "name": "Made Up", "frame_size": 128, "latent_size": SIZE, "letters": LETTERS, "steps_per_beat": 16,
    "steps_per_letter": 8, "styles": ["house", "disco"], "dances": [{"name": "jack", "style": 0, "beats": 8}],
    "choreographer_state": [1, 3], "dancer_state": [1, 3], "latent_mean": [0.0] * SIZE, "latent_spread": [1.0] * SIZE,
    "limits": {"far": 3.0, "still": 0.01}, "training": {"command": "by hand"}, "credits": ["made for the tests, MIT"],
    "seeds": [{"latent": [0.1, 0.2, 0.3, 0.4], "letter": n, "style": n % 2} for n in range(3)],
}  # fmt: skip
CONDITIONS = {"bar_phase": [6], "energy": [1], "style": [STYLES], "dance": [DANCES]}


def network(
    inputs: dict[str, list[int]], outputs: dict[str, list[int]], nodes: Iterable[Any], weights: dict[str, np.ndarray]
) -> onnx.ModelProto:
    """Shapes without the batch axis; letters are whole numbers, all else floats."""

    def value(name: str, shape: list[int]) -> Any:
        kind = TensorProto.INT64 if "letter" in name else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, ["N", *shape])

    graph = helper.make_graph(
        list(nodes), "made", [value(*i) for i in inputs.items()], [value(*o) for o in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def networks() -> dict[str, onnx.ModelProto]:
    node = helper.make_node
    matrix = np.random.default_rng(5).standard_normal((SIZE, 42)).astype(np.float32)
    return {
        "encoder": network(
            {"frame": [1, 128, 128]}, {"latent": [SIZE]},
            [node("ReduceMean", ["frame", "sides"], ["mean"], keepdims=0), node("Mul", ["mean", "row"], ["latent"])],
            {"sides": np.array([2, 3]), "row": np.ones((1, SIZE), np.float32)},
        ),
        "decoder": network(
            {"latent": [SIZE]}, {"frame": [1, 128, 128], "joints": [21, 2]},
            [node("ConstantOfShape", ["square"], ["zeros"]), node("ReduceSum", ["latent", "axis"], ["sum"], keepdims=1),
             node("Unsqueeze", ["sum", "two"], ["high"]), node("Add", ["zeros", "high"], ["frame"]),
             node("MatMul", ["latent", "matrix"], ["flat"]), node("Reshape", ["flat", "as"], ["joints"])],
            {"square": np.array([1, 1, 128, 128]), "axis": np.array([1]), "two": np.array([2, 3]), "matrix": matrix,
             "as": np.array([-1, 21, 2])},
        ),
        "choreographer": network(
            {"letter": [], "state": [1, 3], **CONDITIONS, "noise": [LETTERS], "temperature": [1]},
            {"letter_out": [], "state_out": [1, 3]},
            [node("ArgMax", ["noise"], ["letter_out"], axis=1, keepdims=0), node("Tanh", ["state"], ["state_out"])],
            {},
        ),
        "dancer": network(
            {"latent": [SIZE], "state": [1, 3], "letter": [], "next_letter": [], "place": [1], **CONDITIONS,
             "noise": [SIZE]},
            {"latent_out": [SIZE], "state_out": [1, 3], "travel": [1]},
            [node("Mul", ["noise", "tenth"], ["small"]), node("Add", ["latent", "small"], ["latent_out"]),
             node("Tanh", ["state"], ["state_out"]), node("Mul", ["energy", "tenth"], ["travel"])],
            {"tenth": np.array([0.1], np.float32)},
        ),
    }  # fmt: skip


def contents(**changed: bytes) -> dict[str, bytes]:
    """The files of the pack; `changed` replaces networks by name."""
    files = {f"{name}.onnx": model.SerializeToString() for name, model in networks().items()}
    files |= {f"{name}.onnx": data for name, data in changed.items()}
    return {"pack.json": json.dumps(INFO).encode(), "NOTICE": b"made for the tests, MIT\n", **files}


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_zip(path: Path, files: dict[str, bytes], prefix: str = "made/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(prefix + name, data)
    return path
