"""From torch to ONNX, and whether both compute the same."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

OPSET = 18


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hide the notes of torch's exporter: that torchvision is not installed, and that it renames the batch axis."""
    talker = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = talker.level
    talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".*LeafSpec.*is deprecated", FutureWarning)
            warnings.filterwarnings("ignore", r".*axis name: N will not be used", UserWarning)
            yield
    finally:
        talker.setLevel(before)


def export_network(
    module: nn.Module, example: dict[str, Tensor], outputs: list[str], path: Path, free: dict[str, Any] | None = None
) -> None:
    """Write a network as ONNX. Its inputs are named as in `example`, each a batch (N, …) of any size N. `free`: which
    axes of an input are free, where that is not the first alone."""
    batch = torch.export.Dim("N", min=1, max=1024)
    axes = {name: {0: batch} for name in example}
    if free:
        axes = {name: {0: next(iter(free.values()))[0]} for name in example} | free
    with _quiet_exporter():
        torch.onnx.export(
            module.eval(), kwargs=example, f=str(path), input_names=list(example), output_names=outputs,
            opset_version=OPSET, dynamic_shapes=axes, dynamo=True,
            external_data=False, verbose=False, optimize=True,
        )  # fmt: skip
    model = onnx.load(path)
    for node in model.graph.node:  # the exporter leaves a stack trace in each: megabytes, with paths of this machine
        del node.metadata_props[:]
        node.doc_string = node.name = ""
    del model.graph.value_info[:]  # shapes in between, which every runtime finds out by itself
    onnx.save(model, path)


def difference(module: nn.Module, path: Path, inputs: dict[str, Tensor], outputs: list[str]) -> float:
    """Largest absolute difference between torch and onnxruntime over all outputs, for one batch."""
    ort.disable_telemetry_events()
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    given = {k: v.numpy() for k, v in inputs.items()}
    found = session.run(outputs, given)
    with torch.no_grad():
        wanted = module(**inputs)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    # np.max, not max: a NaN must come through.
    return float(
        np.max(
            [
                np.abs(np.asarray(a, np.float64) - b.numpy().astype(np.float64)).max()
                for a, b in zip(found, wanted, strict=True)
            ]
        )
    )
