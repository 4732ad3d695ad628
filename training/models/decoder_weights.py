"""Parameters of a decoder that its ONNX file does not hold by name: `decoder.npz` beside the networks of a pack.

The exporter folds the strokes' parameters into constants without names: ends of strokes added to the bones they began
on, radii from their logarithms. To train a pack's decoder further they are read from this file, exactly as they were
learned. A show does not read it. That of the pack that ships (21 kB) was made once from the constants of its
decoder.onnx, and `load_autoencoder` checks it against that file each time.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.models.autoencoder import Autoencoder, AutoencoderConfig
from visualizer.errors import UserError

DECODER_WEIGHTS = "decoder.npz"
LARGEST_BYTES = 1 << 20
NAMES = ("moved", "shifted", "thickness", "softness", "weights")  # of `Strokes`


def write_decoder_weights(path: Path, autoencoder: Autoencoder) -> None:
    """Write sizes and the decoder's nameless parameters of an autoencoder."""
    arrays = {f"config.{k}": np.asarray(v, np.int64) for k, v in asdict(autoencoder.config).items()}
    arrays |= {f"decoder.{n}": getattr(autoencoder.decoder, n).detach().cpu().numpy() for n in NAMES}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read_decoder_weights(path: Path) -> tuple[AutoencoderConfig, dict[str, Tensor]]:
    """Sizes of an autoencoder, and parameters by their names in its state. UserError where they cannot be read."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UserError(f"{path}: too large for what it should hold")
        with np.load(path, allow_pickle=False) as kept:
            sizes: dict[str, Any] = {f.name: kept[f"config.{f.name}"].tolist() for f in fields(AutoencoderConfig)}
            state = {f"decoder.{n}": torch.from_numpy(kept[f"decoder.{n}"].astype(np.float32)) for n in NAMES}
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; without it this pack dances, but cannot be trained further") from error
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: broken ({' '.join(str(error).split())[:120]})") from error
    chosen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}
    config = AutoencoderConfig(**chosen)
    return config, state
