"""One more figure for a decoder that is trained: a row more in each table that a figure has numbers in.

The new row begins as that of a figure which is like it, each stroke moved by as much as the shapes of the two differ.
Only the new row is trained. So the pictures of the other figures stay exactly as they were, and nothing about them need
be learned again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from training.data.figures.figure import Figure
from training.models.figure_decoder import CELL, DIRECTIONS, MOVED, FigureDecoder, StrokeInit
from training.models.pose_basis import PoseBasis
from training.models.stroke_init import Slots
from visualizer.moment import PARTS

ROWS = ("scale", "first", "moved", "radius", "cap", "lift", "feature")  # tables (F, …)
COLUMNS = ("rest.0.weight", "told.weight")  # (…, F), the figures last
# How much unlike two figures are of whom one wears something else: what changes more of the picture counts more.
WORDS = {"bottom": 2.0, "hair": 1.0, "top": 0.7, "shoes": 0.3}
ACCESSORY = 0.3
ALIKE = 0.4  # of the logarithm of a radius: strokes that differ by more are different pieces


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


def add_row(decoder: FigureDecoder, alike: int, slots: Slots | None) -> FigureDecoder:
    """A decoder of one figure more, which is the last. `alike`: the number of the figure as which it begins. `slots`:
    strokes of that figure and of the new one; None: it begins just as that one."""
    count, k = decoder.config.figures, decoder.config.strokes
    state = {name: value.detach().clone() for name, value in decoder.state_dict().items()}
    like = {name: state[name][alike].clone() for name in ROWS}
    if slots is not None:
        _move_row(like, slots, k, decoder.config.features)
    for name in ROWS:
        state[name] = torch.cat([state[name], like[name][None]])
    for name in COLUMNS:
        place = state[name].shape[1] - count + alike
        state[name] = torch.cat([state[name], state[name][:, place : place + 1]], dim=1)
    basis = PoseBasis(
        state["mean"].numpy(), state["vectors"].numpy(), 1.0, np.ones(state["vectors"].shape[1], np.float32)
    )
    ones = np.ones((count + 1, k, 2), np.float32)
    ends = np.zeros((count + 1, k, 2, DIRECTIONS), np.float32)
    init = StrokeInit(ends, ones, ones[..., 0], np.zeros((count + 1, k), np.int64), state["scale"].numpy())
    made = FigureDecoder(replace(decoder.config, figures=count + 1), basis, init)
    made.load_state_dict(state)
    return made


def _move_row(row: dict[str, Tensor], slots: Slots, k: int, features: int) -> None:
    """Move the row of a figure to another: `slots` are those of both."""
    init = slots.strokes
    ends, radii, caps = (torch.from_numpy(a) for a in (init.ends, init.radii, init.caps))
    thick = (radii.clamp(min=1e-3) / CELL).log()
    # What is another piece of cloth, or was hidden in one, has learned nothing that holds for the new one.
    other = torch.from_numpy((init.parts[0] != init.parts[1]) | (slots.hidden[0] & ~slots.hidden[1]))
    other |= (thick[1] - thick[0]).abs().amax(1) > ALIKE
    part = torch.from_numpy(np.eye(len(PARTS), dtype=np.float32)[init.parts[1]].T)
    feature = row["feature"].view(features, k)
    free = feature[len(PARTS) :]
    for number in init.parts[1][other.numpy()]:
        same = torch.from_numpy(init.parts[0] == number)
        mean = free[:, same].mean(1, keepdim=True) if same.any() else torch.zeros_like(free[:, :1])
        free[:, other & torch.from_numpy(init.parts[1] == number)] = mean
    feature[: len(PARTS), other] = part[:, other]
    first = (row["first"] + MOVED * row["moved"]).view(k, 2, DIRECTIONS) + ends[1] - ends[0]
    first[other] = ends[1][other]
    row["first"], row["moved"] = first.flatten(), torch.zeros_like(row["moved"])
    radius = row["radius"].view(k, 2) + thick[1] - thick[0]
    radius[other] = thick[1][other]
    row["radius"] = radius.flatten()
    row["cap"] = torch.where(other, caps[1].log(), row["cap"] + caps[1].log() - caps[0].log())
    row["lift"] = torch.where(other, torch.zeros_like(row["lift"]), row["lift"])
    row["scale"] = torch.from_numpy(init.scale[1])


def train_last_row(decoder: FigureDecoder) -> None:
    """Of a decoder only the numbers of its last figure are to be learned from now on."""
    for name, value in decoder.named_parameters():
        if name not in ROWS and name not in COLUMNS:
            value.requires_grad_(False)
            continue
        mask = torch.zeros_like(value)
        mask[(slice(None), -1) if name in COLUMNS else -1] = 1
        value.register_hook(lambda gradient, mask=mask: gradient * mask)
