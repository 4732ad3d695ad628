"""One more figure for a decoder that is trained: a row more in each table that a figure has numbers in.

The new row begins as that of a figure which is like it, with the proportions of the new one. Only the new row is
trained. So the pictures of the other figures stay exactly as they were, and nothing about them need be learned again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch

from training.data.figures.figure import Figure
from training.data.figures.reshape import scale_bones
from training.data.motion.skeleton import PARENT
from training.models.figure_decoder import DIRECTIONS, FigureDecoder, StrokeInit
from training.models.pose_basis import PoseBasis

ROWS = ("scale", "first", "moved", "radius", "cap", "lift", "feature")  # tables (F, …)
COLUMNS = ("rest.0.weight", "told.weight")  # (…, F), the figures last
# How much unlike two figures are of whom one wears something else: what changes more of the picture counts more.
WORDS = {"bottom": 2.0, "hair": 1.0, "top": 0.7, "shoes": 0.3}
ACCESSORY = 0.3


def find_alike(figure: Figure, others: Sequence[Figure]) -> int:
    """The number of that one of `others` who is most like `figure`, by clothes, hair and build."""

    def apart(other: Figure) -> float:
        far = ACCESSORY * len(set(figure.accessory) ^ set(other.accessory))
        for part in ("body", "hair", "top", "bottom", "shoes"):
            one, two = getattr(figure, part), getattr(other, part)
            for each in fields(one):
                a, b = getattr(one, each.name), getattr(two, each.name)
                if isinstance(a, str):
                    far += WORDS[part] * (a != b)
                else:
                    low, high = each.metadata["range"]
                    far += abs(a - b) / (high - low)
        return far + (len(others) if other.flat else 0)

    return min(range(len(others)), key=lambda k: apart(others[k]))


def add_row(decoder: FigureDecoder, alike: int, figure: Figure) -> FigureDecoder:
    """A decoder of one figure more, which is the last. `alike`: the number of the figure as which it begins, but for
    the proportions, which are those of `figure`.

    To begin each stroke on the new figure's own shapes was tried: with what the decoder has learned of its strokes
    outlines overlapped by 0.52 then, and by 0.87 this way.
    """
    count, k = decoder.config.figures, decoder.config.strokes
    state = {name: value.detach().clone() for name, value in decoder.state_dict().items()}
    for name in ROWS:
        state[name] = torch.cat([state[name], state[name][alike : alike + 1]])
    for name in COLUMNS:
        place = state[name].shape[1] - count + alike
        state[name] = torch.cat([state[name], state[name][:, place : place + 1]], dim=1)
    factors = scale_bones(figure)
    state["scale"][-1] = torch.tensor([factors[joint.split("_")[-1]] for joint in PARENT])
    basis = PoseBasis(
        state["mean"].numpy(), state["vectors"].numpy(), 1.0, np.ones(state["vectors"].shape[1], np.float32)
    )
    ones = np.ones((count + 1, k, 2), np.float32)
    ends = np.zeros((count + 1, k, 2, DIRECTIONS), np.float32)
    init = StrokeInit(ends, ones, ones[..., 0], np.zeros((count + 1, k), np.int64), state["scale"].numpy())
    made = FigureDecoder(replace(decoder.config, figures=count + 1), basis, init)
    made.load_state_dict(state)
    return made


def train_last_row(decoder: FigureDecoder) -> None:
    """Of a decoder only the numbers of its last figure are to be learned from now on."""
    for name, value in decoder.named_parameters():
        if name not in ROWS and name not in COLUMNS:
            value.requires_grad_(False)
            continue
        mask = torch.zeros_like(value)
        mask[(slice(None), -1) if name in COLUMNS else -1] = 1
        value.register_hook(lambda gradient, mask=mask: gradient * mask)
