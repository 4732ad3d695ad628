"""Loads the decoder of a pack's figures as a torch module, to be taught another figure.

Most weights have their names in `figures.onnx`. Six are there as the exporter folded them, as exponentials without a
name, and are found by what is done with them. The result is checked against the file, so nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from training.figure_export import TOLERANCE, find_difference
from training.models.figure_decoder import DIRECTIONS, FigureDecoder, FigureDecoderConfig, StrokeInit
from training.models.pose_basis import PoseBasis
from training.models.restore import weights_of
from visualizer.errors import UserError
from visualizer.networks.contract import FIGURES

_PREFIX = "decoder."


def load_figure_decoder(folder: Path) -> FigureDecoder:
    """The decoder of the figures of a pack, as `figures.onnx` has it. UserError where it is none of this program's."""
    path = folder / f"{FIGURES}.onnx"
    weights = weights_of(path)
    named = {name.removeprefix(_PREFIX): value for name, value in weights.items() if name.startswith(_PREFIX)}
    try:
        decoder = _build(named, _find_folded(path))
        apart = find_difference(decoder, path)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{path}: none of this program's ({said})") from None
    if not apart <= TOLERANCE:
        raise UserError(f"{path}: draws otherwise than its weights say, so it cannot be trained further")
    return decoder


def _build(named: dict[str, NDArray[np.float32]], folded: dict[str, NDArray[np.float32]]) -> FigureDecoder:
    figures, strokes = named["cap"].shape
    config = FigureDecoderConfig(
        figures, strokes, len(folded["unions"]), named["likes"].shape[1], len(folded["inks"]),
        len(named["in_.weight"]), len(named["rest.0.weight"]),
    )  # fmt: skip
    basis = PoseBasis(named["mean"], named["vectors"], 1.0, np.ones(named["vectors"].shape[1], np.float32))
    ends = named["first"].reshape(figures, strokes, 2, DIRECTIONS)
    ones = np.ones((figures, strokes, 2), np.float32)  # replaced below, as all that is learned
    init = StrokeInit(ends, ones, ones[..., 0], np.zeros((figures, strokes), np.int64), named["scale"])
    decoder = FigureDecoder(config, basis, init)
    # Of a network that is hardly trained the exporter leaves out biases that are still zero.
    nothing = {name: value.detach().numpy() * 0 for name, value in decoder.named_parameters() if name.endswith("bias")}
    given = {**nothing, **named, **folded}
    missing = {name for name, _ in decoder.named_parameters()} - set(given)
    if missing:
        raise KeyError(", ".join(sorted(missing)))
    state = {name: torch.from_numpy(np.array(given[name], np.float32)) for name in decoder.state_dict()}
    decoder.load_state_dict(state)
    return decoder.eval()


def _find_folded(path: Path) -> dict[str, NDArray[np.float32]]:
    """The parameters without names, see `FigureDecoder.draw`. IndexError or KeyError where one is not found."""
    graph = onnx.load(path).graph
    constants = {
        i.name: numpy_helper.to_array(i).astype(np.float64)
        for i in graph.initializer
        if i.data_type == onnx.TensorProto.FLOAT and not i.name.startswith(_PREFIX)
    }
    maker = {output: node for node in graph.node for output in node.output}

    def used(kind: str) -> Iterator[tuple[NDArray[np.float64], list[str], onnx.NodeProto]]:
        """Constants that nodes of a kind take, and which kinds of nodes make what else those take, with the node."""
        for node in graph.node:
            for name in node.input if node.op_type == kind else ():
                if name in constants:
                    others = [maker[other].op_type for other in node.input if other in maker]
                    yield constants[name], others, node

    def above(node: onnx.NodeProto) -> list[str]:
        """Kinds of nodes two steps before one."""
        near = [maker[name] for name in node.input if name in maker]
        return [maker[name].op_type for each in near for name in each.input if name in maker]

    squashed = {node.input[0] for node in graph.node if node.op_type == "Sigmoid"}
    unions, inks = (c for c, _, _ in used("MatMul") if c.ndim == 2)
    found = {
        "softness": [c for c, others, _ in used("Div") if not c.ndim and others == ["Concat"]],
        "depth": [c for c, others, node in used("Div") if not c.ndim and others == ["Add"] and "Log" in above(node)],
        "edge": [c for c, others, _ in used("Mul") if not c.ndim and others == ["Relu"]],
        "sharp": [c for c, _, node in used("Mul") if not c.ndim and node.output[0] in squashed],
        "unions": [unions], "inks": [inks],
    }  # fmt: skip
    first = {name: values[0] for name, values in found.items()}
    first["edge"] = first["edge"] / first["softness"]
    return {name: np.log(value).astype(np.float32) for name, value in first.items()}
