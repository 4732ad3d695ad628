"""Networks of a pack back as torch modules, to be trained further: an ONNX file holds all that was learned.

Batch norms are folded into the convolutions before them, and stay so. What comes back is held against the file, as an
export is.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from training.export import TOLERANCE, difference_of, folded
from training.models.autoencoder import GRID, STEP, Autoencoder, AutoencoderConfig, PoseBasis
from training.models.dancer import Choreographer, ChoreographerConfig, DancerConfig, DancerNetwork
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
    back, there = weights_of(folder / "decoder.onnx"), weights_of(folder / "encoder.onnx")
    try:
        mean, scaled = back["autoencoder.pose_mean"], back["autoencoder.pose_vectors"]
        spread = there["autoencoder.spread"]
    except KeyError as error:
        raise UserError(
            f"{folder}: its latents are no bodies as this program makes them ({error} is missing)"
        ) from None
    scale = float(np.sqrt(np.square(scaled).sum(axis=0).mean()))
    return PoseBasis(mean, scaled / np.float32(scale), scale, spread)


def load_autoencoder(folder: Path) -> Autoencoder:
    """The autoencoder of a pack, folded. UserError where the pack's is another than this program makes."""
    basis = basis_of(folder)
    given = weights_of(folder / "encoder.onnx")
    flesh = weights_of(folder / "decoder.onnx")
    named = {k.removeprefix("autoencoder."): v for k, v in given.items() if k.startswith("autoencoder.")}
    named |= {k.removeprefix("autoencoder."): v for k, v in flesh.items() if k.startswith("autoencoder.decoder.flesh")}
    try:
        ends = next(v for k, v in flesh.items() if v.ndim == 2 and v.shape[1] == len(basis.spread) and "pose" not in k)
        shift = next(v for v in flesh.values() if v.shape == (ends.shape[0],))
        weights = next(
            v for v in flesh.values() if v.ndim == 4 and v.shape[2:] == (1, 1) and v.shape[1] * 4 == len(ends)
        )
        widths = [named[f"eye.{k}.weight"].shape[0] for k in (0, 2, 5, 7)]
        corrector = [named[f"compare.{k}.weight"].shape[0] for k in (0, 2, 4, 6)]
        config = AutoencoderConfig(
            latent=len(basis.spread), encoder=tuple(widths), corrector=tuple(corrector),
            marks=named["marks.2.weight"].shape[0], strokes=len(ends) // 4, unions=weights.shape[0],
            decoder=named["decoder.flesh.0.weight"].shape[0],
        )  # fmt: skip
    except (StopIteration, KeyError) as error:
        raise UserError(f"{folder}: its autoencoder is none of this program's ({error})") from None
    network = folded(Autoencoder(config, basis))
    state = {
        **{k: torch.from_numpy(v) for k, v in named.items() if k in network.state_dict()},
        "decoder.moved": (torch.from_numpy(ends) - network.decoder.first) / STEP,
        "decoder.shifted": (torch.from_numpy(shift) - network.decoder.first_bias) / STEP,
        "decoder.weights": torch.from_numpy(weights[:, :, 0, 0]).clamp(min=1e-12).log(),
    }
    missing = set(network.state_dict()) - set(state)
    keep = {"pose_mean", "pose_vectors", "decoder.first", "decoder.first_bias", "decoder.thickness", "decoder.softness",
            "decoder.grid"}  # fmt: skip
    if missing - keep:
        raise UserError(f"{folder}: its autoencoder lacks {', '.join(sorted(missing - keep))}")
    network.load_state_dict(state, strict=False)
    assert len(network.decoder.grid) == GRID
    _find_thickness(network, flesh, folder)
    return network.eval()


def _find_thickness(network: Autoencoder, flesh: Weights, folder: Path) -> None:
    """Radii and softness were computed at export and have lost their names: of what has their shape, that which makes
    the network draw what the file draws."""
    radii = [v[:, 0, 0] for v in flesh.values() if v.shape == (network.config.strokes, 1, 1)]
    softs = {
        round(abs(float(v.ravel()[0])), 7)
        for v in flesh.values()
        if v.size == 1 and 1e-3 < abs(float(v.ravel()[0])) < 30
    }
    torch.manual_seed(0)
    latent = 0.5 * network.spread * torch.randn(2, network.config.latent)
    for begin, other in itertools.permutations(radii, 2):
        for end in (other, begin + other):  # a radius, or by how much it tapers
            if (begin <= 0).any() or (end <= 0).any():
                continue
            for soft in softs:
                with torch.no_grad():
                    network.decoder.thickness.copy_(torch.from_numpy(np.log(np.stack([begin, end], axis=1))))
                    network.decoder.softness.fill_(float(np.log(soft)))
                if difference_of(network, "decoder", folder / "decoder.onnx", latent) <= TOLERANCE["decoder"]:
                    return
    raise UserError(f"{folder}: its decoder draws otherwise than this program's would")


def load_dancing(folder: Path) -> tuple[Choreographer, DancerNetwork]:
    """The recurrent networks of a pack. UserError where they are others than this program makes."""
    info, basis = read_info(folder), basis_of(folder)
    letters, styles, dances = info["letters"], len(info["styles"]), max(1, len(info["dances"]))
    write, dance = weights_of(folder / "choreographer.onnx"), weights_of(folder / "dancer.onnx")
    try:
        c = ChoreographerConfig(
            letters, styles, dances, write["embedding.weight"].shape[1], info["choreographer_state"][1],
            info["choreographer_state"][0], write["asked.0.weight"].shape[0],
        )  # fmt: skip
        d = DancerConfig(
            len(basis.spread), letters, styles, dances, dance["embedding.weight"].shape[1],
            dance["knows.weight"].shape[0], info["dancer_state"][1], info["dancer_state"][0],
        )  # fmt: skip
        choreographer = Choreographer(c)
        moves = dance["mean_moves"].astype(np.float32).reshape(letters, -1, len(basis.spread))
        dancer = DancerNetwork(d, moves, basis.spread, feet_of(basis))
        for network, given in ((choreographer, write), (dancer, dance)):
            names = {n for n, _ in network.named_parameters()}
            if names - set(given):
                raise KeyError(", ".join(sorted(names - set(given))))
            network.load_state_dict({n: torch.from_numpy(given[n].astype(np.float32)) for n in names}, strict=False)
    except (KeyError, IndexError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:160]
        raise UserError(f"{folder}: its networks are none of this program's ({said})") from None
    return choreographer.eval(), dancer.eval()


def feet_of(basis: PoseBasis) -> NDArray[np.float32]:
    """What latents say of ankles and toes in frame coordinates, (D + 1, 4, 2), the constant last."""
    from training.models.dancer import FEET

    whole = np.concatenate([basis.vectors * basis.scale, basis.mean[:, None]], axis=1)
    return whole.T.reshape(len(basis.spread) + 1, -1, 2)[:, FEET].astype(np.float32)
