"""Loads the networks of a pack as torch modules, to be trained further.

Weights are read by their names in the ONNX files, those of the decoder's strokes from decoder.npz. Batch norms were
folded into the convolutions before them, and stay so. The result is checked against the file, like an export.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from training.export import TOLERANCE, difference_of, folded
from training.models.autoencoder import Autoencoder
from training.models.dancer import Choreographer, ChoreographerConfig, DancerConfig, DancerNetwork
from training.models.decoder_weights import DECODER_WEIGHTS, read_decoder_weights
from training.models.latent_body import latent_body
from training.models.pose_basis import PoseBasis
from visualizer.dancer.body_space import read_body_space
from visualizer.dancer.pack import read_info
from visualizer.errors import UserError

Weights = dict[str, NDArray[np.float32]]


def weights_of(path: Path) -> Weights:
    """All numbers that a network holds, by their names. UserError where it cannot be read."""
    try:
        model = onnx.load(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from error
    except Exception as error:  # protobuf's own class, which has no public name
        if type(error).__name__ != "DecodeError":
            raise
        raise UserError(f"{path}: not a network") from error
    return {i.name: numpy_helper.to_array(i).copy() for i in model.graph.initializer}


def basis_of(folder: Path) -> PoseBasis:
    """The latent space of a pack whose latents are bodies. UserError where they are not."""
    info = read_info(folder)
    if info["format"] > 2:
        space = read_body_space(info["body"], info["latent_size"])
        return PoseBasis(space.mean, space.axes, space.scale, space.std)
    back, there = weights_of(folder / "decoder.onnx"), weights_of(folder / "encoder.onnx")
    try:
        mean, scaled = back["autoencoder.pose_mean"], back["autoencoder.pose_vectors"]
        std = there["autoencoder.spread"]
    except KeyError as error:
        raise UserError(
            f"{folder}: its latents are no bodies as this program makes them ({error} is missing)"
        ) from None
    scale = float(np.sqrt(np.square(scaled).sum(axis=0).mean()))
    return PoseBasis(mean, scaled / np.float32(scale), scale, std)


def load_autoencoder(folder: Path) -> Autoencoder:
    """The autoencoder of a pack, folded, and checked against its files. UserError where it is not of the kind that this
    program makes."""
    basis = basis_of(folder)
    named = {
        name.removeprefix("autoencoder."): torch.from_numpy(numbers)
        for half in ("encoder", "decoder")
        for name, numbers in weights_of(folder / f"{half}.onnx").items()
        if name.startswith("autoencoder.")
    }
    config, learned = read_decoder_weights(folder / DECODER_WEIGHTS)
    try:
        network = folded(Autoencoder(config, basis))
        state = network.state_dict()  # what is left of it comes out of the basis
        given = {k: v for k, v in {**named, **learned}.items() if k in state}
        missing = {k for k, _ in network.named_parameters()} - set(given)
        if missing:
            raise KeyError(", ".join(sorted(missing)))
        network.load_state_dict(given, strict=False)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{folder}: its autoencoder is none of this program's ({said})") from None
    torch.manual_seed(0)
    latent = 0.5 * network.spread * torch.randn(2, network.config.latent)
    try:
        apart = difference_of(network.eval(), "decoder", folder / "decoder.onnx", latent)
    except ValueError as error:  # another network, that asks for other inputs
        said = " ".join(str(error).split())[:120]
        raise UserError(f"{folder}: its decoder.onnx is none of this program's ({said})") from None
    if not apart <= TOLERANCE["decoder"]:
        raise UserError(f"{folder}: its decoder.onnx draws otherwise than its {DECODER_WEIGHTS} says")
    return network


def load_dancing(folder: Path) -> tuple[Choreographer, DancerNetwork]:
    """The recurrent networks of a pack. UserError where they are not of the kind that this program makes."""
    info, basis = read_info(folder), basis_of(folder)
    letters, styles, dances = info["letters"], len(info["styles"]), max(1, len(info["dances"]))
    write, dance = weights_of(folder / "choreographer.onnx"), weights_of(folder / "dancer.onnx")
    if "embedding.table" in dance:  # in half precision; see `HalfEmbedding`
        dance["embedding.weight"] = dance.pop("embedding.table")
    try:
        c = ChoreographerConfig(
            letters, styles, dances, write["embedding.weight"].shape[1], info["choreographer_state"][1],
            info["choreographer_state"][0], write["asked.0.weight"].shape[0],
        )  # fmt: skip
        d = DancerConfig(
            len(basis.std), letters, styles, dances, dance["embedding.weight"].shape[1],
            dance["knows.weight"].shape[0], info["dancer_state"][1], info["dancer_state"][0],
        )  # fmt: skip
        choreographer = Choreographer(c)
        moves = dance["mean_moves"].astype(np.float32).reshape(letters, -1, len(basis.std))
        dancer = DancerNetwork(d, moves, basis.std, latent_body(basis))
        for network, given in ((choreographer, write), (dancer, dance)):
            names = {n for n, _ in network.named_parameters()}
            if names - set(given):
                raise KeyError(", ".join(sorted(names - set(given))))
            network.load_state_dict({n: torch.from_numpy(given[n].astype(np.float32)) for n in names}, strict=False)
    except (KeyError, IndexError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{folder}: its networks are none of this program's ({said})") from None
    return choreographer.eval(), dancer.eval()
