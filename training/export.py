"""From torch to ONNX to a pack: every network is checked against torch, and the pack is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.motion.skeleton import JOINTS
from training.figure_export import FigureContents, describe_figures, export_figures
from training.folders import check_folder, write_whole
from training.models.autoencoder import Autoencoder
from training.models.dancer import Choreographer, DancerNetwork
from training.models.decoder_weights import DECODER_WEIGHTS, write_decoder_weights
from training.onnx_export import difference, export_network
from visualizer.dancer.body_space import BodySpace, describe_body_space
from visualizer.dancer.pack import FORMATS, FRAME_SIZE, NETWORKS, STEPS_PER_BEAT, STEPS_PER_LETTER
from visualizer.errors import UserError
from visualizer.networks.contract import FIGURES
from visualizer.networks.onnx_check import check_network

# Largest difference between torch and onnxruntime that is accepted. The encoder solves systems of equations, which
# amplify rounding errors: one of a millionth in its input has moved a latent by as much (std of latents: about 1).
TOLERANCE = {"encoder": 2e-3, "decoder": 1e-4, "choreographer": 1e-4, "dancer": 1e-4, "ear": 1e-4}


class _Encoder(nn.Module):
    def __init__(self, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, frame: Tensor) -> Tensor:
        return self.autoencoder.encode(frame)


class _Decoder(nn.Module):
    def __init__(self, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        return self.autoencoder.decode(latent)


def fold(layers: nn.Sequential) -> nn.Sequential:
    """Fold each batch norm into the convolution before it, also across a pixel shuffle: same result, fewer steps."""
    out: list[nn.Module] = []
    for layer in layers:
        if not isinstance(layer, nn.BatchNorm2d):
            out.append(layer)
            continue
        at = next(i for i in reversed(range(len(out))) if isinstance(out[i], nn.Conv2d))
        conv = out[at]
        assert isinstance(conv, nn.Conv2d)
        assert layer.running_var is not None
        assert layer.running_mean is not None
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        shift = layer.bias - layer.running_mean * scale
        copies = conv.out_channels // layer.num_features  # a pixel shuffle deals r² channels to each feature
        scale, shift = scale.repeat_interleave(copies), shift.repeat_interleave(copies)
        merged = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)  # type: ignore[arg-type]
        merged.weight.data = conv.weight.data * scale[:, None, None, None].detach()
        merged.bias.data = shift.detach()  # type: ignore[union-attr]
        out[at] = merged
    return nn.Sequential(*out)


def folded(autoencoder: Autoencoder) -> Autoencoder:
    """A copy of a trained autoencoder without batch norms before its activations."""
    copy = deepcopy(autoencoder).eval()
    copy.compare = fold(copy.compare)
    # The eye is left half-way for the marks: fold it in two, so that the way out stays where it was.
    eye = list(copy.eye)
    copy.eye = nn.Sequential(*fold(nn.Sequential(*eye[:5])), nn.Identity(), *fold(nn.Sequential(*eye[5:])))
    return copy


class HalfEmbedding(nn.Module):
    """An embedding whose table is kept in half precision, which is exact to 1/2000 of its largest numbers."""

    table: Tensor

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.register_buffer("table", embedding.weight.detach().half())

    def forward(self, index: Tensor) -> Tensor:
        return F.embedding(index, self.table).float()


def with_small_table(dancer: DancerNetwork) -> DancerNetwork:
    """A copy of the dancer for export: its file is to stay below 8 MB."""
    small = deepcopy(dancer)
    small.embedding = HalfEmbedding(dancer.embedding)  # type: ignore[assignment]
    return small


def public_command() -> str:
    """The command in a form that anyone can repeat: folders by their last name, not by paths of this machine."""
    return "python -m training " + " ".join(shlex.quote(word) for word in public_arguments(sys.argv[1:]))


def public_arguments(arguments: list[str]) -> list[str]:
    """The words of a command line, with folders by their last name."""

    def public(word: str) -> str:
        option, equals, value = word.rpartition("=")
        path = Path(value)
        return option + equals + (path.name if path.is_absolute() or ".." in path.parts else value)

    return [public(word) for word in arguments]


def _examples(autoencoder: Autoencoder, choreographer: Choreographer, dancer: DancerNetwork, n: int) -> dict[str, Any]:
    """Random inputs for each network, batch of `n`, and the names of its outputs."""
    d, c = autoencoder.config.latent, choreographer.config
    conditions = {
        "bar_phase": torch.randn(n, 6).clamp(-1, 1),
        "energy": torch.rand(n, 1),
        "style": torch.softmax(torch.randn(n, c.styles), dim=-1),
        "dance": torch.softmax(torch.randn(n, c.dances), dim=-1),
    }
    letter = torch.randint(0, c.letters, (n,))
    with torch.no_grad():  # a body: for noise the encoder's least squares have no solution, and rounding decides
        frame, _ = autoencoder.decode(0.5 * autoencoder.spread * torch.randn(n, d))
    return {
        "encoder": (_Encoder(autoencoder), {"frame": frame}, ["latent"]),
        "decoder": (_Decoder(autoencoder), {"latent": torch.randn(n, d)}, ["frame", "joints"]),
        "choreographer": (
            choreographer,
            {"letter": letter, "state": torch.randn(n, c.layers, c.hidden) * 0.5, **conditions,
             "noise": torch.rand(n, c.letters), "temperature": torch.full((n, 1), 0.9)},
            ["letter_out", "state_out"],
        ),
        "dancer": (
            dancer,
            {"latent": torch.randn(n, d), "state": torch.randn(n, dancer.config.layers, dancer.config.hidden) * 0.5,
             "letter": letter, "next_letter": letter.flip(0), "place": torch.randint(0, 8, (n, 1)) / STEPS_PER_LETTER,
             **conditions, "noise": torch.randn(n, d)},
            ["latent_out", "state_out", "travel"],
        ),
    }  # fmt: skip


def export_autoencoder(autoencoder: Autoencoder, folder: Path) -> None:
    """Write encoder.onnx and decoder.onnx into `folder`; they run faster than in torch."""
    torch.manual_seed(0)
    with torch.no_grad():
        latent = 0.5 * autoencoder.spread * torch.randn(3, autoencoder.config.latent)
        frame = autoencoder.decode(latent)[0]
        export_network(_Encoder(autoencoder), {"frame": frame}, ["latent"], folder / "encoder.onnx")
        export_network(_Decoder(autoencoder), {"latent": latent}, ["frame", "joints"], folder / "decoder.onnx")


def difference_of(autoencoder: Autoencoder, half: str, path: Path, given: Tensor) -> float:
    """Largest difference between one half of an autoencoder, "encoder" or "decoder", and the file at `path`."""
    if half == "encoder":
        return difference(_Encoder(autoencoder), path, {"frame": given}, ["latent"])
    return difference(_Decoder(autoencoder), path, {"latent": given}, ["frame", "joints"])


def check_out(out: Path, force: bool) -> None:
    """UserError where a pack must not be written: `out` exists, or is something other than a pack with `force`, or
    cannot be made."""
    check_folder(out)
    if out.exists() and not force:
        raise UserError(f"{out}: exists already; --force replaces it")
    if out.exists() and not (out / "pack.json").is_file():
        raise UserError(f"{out}: exists and is not a pack, so --force does not replace it")


@dataclass(frozen=True)
class PackContents:
    """What a pack is made of: its networks, and what `pack.json` says of them (see `visualizer.dancer.pack.Pack`)."""

    autoencoder: Autoencoder
    choreographer: Choreographer
    dancer: DancerNetwork
    styles: list[str]
    dances: list[dict[str, Any]]
    latent_mean: np.ndarray
    latent_std: np.ndarray
    seeds: list[dict[str, Any]]
    limits: dict[str, float]
    training: dict[str, Any]
    credits: list[str]
    planning: dict[str, Any] = field(default_factory=dict)  # keys of `pack.json` that help to choose what is danced
    figures: FigureContents | None = None


def write_pack(out: Path, contents: PackContents, force: bool = False, ready: Path | None = None) -> dict[str, float]:
    """Write the pack to `out` and return each network's largest difference from torch.

    `ready`: a folder that has encoder.onnx and decoder.onnx of this autoencoder already; they are checked too.

    The pack is written beside `out` first and moved there when complete. UserError if `out` exists and `force` is not
    set; ArithmeticError if a network differs from torch by more than its `TOLERANCE`.
    """
    check_out(out, force)
    with replaced_whole(out) as part:
        contents = replace(contents, autoencoder=folded(contents.autoencoder))
        differences = _write_networks(part, contents, ready)
        if contents.figures is not None:
            differences[FIGURES] = export_figures(contents.figures.decoder, part / f"{FIGURES}.onnx")
        write_decoder_weights(part / DECODER_WEIGHTS, contents.autoencoder)
        write_info(part, _describe(part, out.name, contents, differences))
        learned_from = "\n".join(f"- {c}" for c in contents.credits)
        notice = f"The networks of this pack were trained on:\n\n{learned_from}\n"
        (part / "NOTICE").write_text(notice, encoding="utf-8")
    return differences


@contextmanager
def replaced_whole(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write a pack into; where that ends well, it takes the place of `out`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
        part = Path(beside) / "pack"
        part.mkdir()
        yield part
        if out.exists():
            out.rename(Path(beside) / "old")
        part.rename(out)


def _write_networks(part: Path, contents: PackContents, ready: Path | None) -> dict[str, float]:
    """Write the networks, the autoencoder folded, into the folder `part`; returns each one's largest difference from
    torch."""
    # Float weights are kept, but no training-only state: the exported graph is what evaluation mode computes.
    networks = (contents.autoencoder, contents.choreographer.eval(), with_small_table(contents.dancer).eval())
    torch.manual_seed(0)
    differences: dict[str, float] = {}
    examples = _examples(*networks, n=3)
    single = _examples(*networks, n=1)
    for network in NETWORKS:
        module, example, outputs = examples[network]
        path = part / f"{network}.onnx"
        if ready is not None and network in ("encoder", "decoder"):
            shutil.copyfile(ready / f"{network}.onnx", path)
        else:
            with torch.no_grad():
                export_network(module, example, outputs, path)
        found = [difference(module, path, e[network][1], outputs) for e in (examples, single)]
        check_network(path.read_bytes(), path)  # a network that the show would refuse must not be written
        differences[network] = float(np.max(found))
        if not differences[network] <= TOLERANCE[network]:
            raise ArithmeticError(f"{network}: onnxruntime differs from torch by {differences[network]:.2g}")
    return differences


def _describe(part: Path, name: str, contents: PackContents, differences: dict[str, float]) -> dict[str, Any]:
    """What `pack.json` says of the pack called `name` whose networks are in the folder `part`."""
    choreographer, dancer = contents.choreographer.config, contents.dancer.config
    return {
        "format": FORMATS[1] if contents.autoencoder.deep else FORMATS[0],
        "name": name,
        "frame_size": FRAME_SIZE,
        "latent_size": contents.autoencoder.config.latent,
        "letters": choreographer.letters,
        "steps_per_beat": STEPS_PER_BEAT,
        "steps_per_letter": STEPS_PER_LETTER,
        "styles": contents.styles,
        "dances": contents.dances,
        "joints": list(JOINTS),
        "choreographer_state": [choreographer.layers, choreographer.hidden],
        "dancer_state": [dancer.layers, dancer.hidden],
        "latent_mean": [round(float(v), 5) for v in contents.latent_mean],
        "latent_spread": [round(float(v), 5) for v in contents.latent_std],
        "limits": contents.limits,
        "training": contents.training,
        "credits": contents.credits,
        "difference_from_torch": differences,
        "sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(part.glob("*.onnx"))},
        "measures": {},
        **contents.planning,
        **({"body": describe_body_space(body_space(contents.autoencoder))} if contents.autoencoder.deep else {}),
        **(describe_figures(contents.figures) if contents.figures is not None else {}),
        "seeds": contents.seeds,
    }


def body_space(autoencoder: Autoencoder) -> BodySpace:
    """The latents of an autoencoder of bodies in space, as a pack tells of them."""
    scaled = autoencoder.pose_vectors.cpu().numpy()
    scale = float(np.sqrt(np.square(scaled.astype(np.float64)).sum(axis=0).mean()))
    mean, std = autoencoder.pose_mean.cpu().numpy(), autoencoder.spread.cpu().numpy()
    return BodySpace(mean, (scaled / scale).astype(np.float32), scale, std)


def write_info(folder: Path, info: dict[str, Any]) -> None:
    """Write `pack.json`, a line for each key, so that changes can be read in a diff."""
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in info.items())
    write_whole(folder / "pack.json", "{\n" + lines + "\n}\n")
