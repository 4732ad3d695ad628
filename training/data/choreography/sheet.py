"""A contact sheet of dances: one row for each dance, figures at even steps of time. For the eye, not for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.data.choreography.dance import Dance, perform
from training.data.motion.skeleton import INDEX, PARENT, turn

METRES = 2.3  # height and width of a cell
_THICK = {"pelvis": 0.13, "spine": 0.26, "chest": 0.28, "neck": 0.20, "hip": 0.2, "shoulder": 0.13, "elbow": 0.10,
          "wrist": 0.085, "hand": 0.08, "knee": 0.15, "ankle": 0.11, "toe": 0.08, "head": 0.1}  # fmt: skip
LEFT, RIGHT, TRUNK = (203, 75, 56), (56, 98, 176), (66, 66, 72)


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out: figures in a row, size of a figure in pixels, and beats between figures (None: one
    round of the dance fills the row)."""

    columns: int = 16
    cell: int = 100
    every: float | None = None


def draw_sheet(
    dances: Sequence[Dance], layout: Layout, energy: float = 0.5, yaw: float = 0.0, seed: int | None = None
) -> Image.Image:
    """Draw the dances, a row each, with left limbs red and right ones blue."""
    label, columns, cell, every = 130, layout.columns, layout.cell, layout.every
    image = Image.new("RGB", (label + columns * cell, len(dances) * cell), (246, 245, 241))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=12)
    for row, dance in enumerate(dances):
        performance = perform(dance, energy, 16, seed=seed)
        joints = turn(performance.positions, yaw)
        frames = len(joints)
        stride = frames / columns if every is None else every * 16
        draw.line([(0, (row + 1) * cell - 1), (image.width, (row + 1) * cell - 1)], (214, 212, 206))
        draw.text(
            (4, row * cell + 6),
            f"{dance.name}\n{dance.style}, {dance.beats} beats".replace(" - ", "\n"),
            (40, 40, 40),
            font,
        )
        for column in range(columns):
            i = round(column * stride) % frames
            beat = column * stride / 16 % dance.beats
            x0 = label + column * cell
            draw.text((x0 + 3, row * cell + 2), f"{beat:g}", (190, 150, 60) if beat % 1 == 0 else (205, 205, 205), font)
            draw_figure(draw, joints[i], performance.contacts[i], x0, row * cell, cell)
    return image


def draw_figure(
    draw: ImageDraw.ImageDraw, joints: np.ndarray, contacts: Sequence[bool] | np.ndarray, x0: int, y0: int, cell: int
) -> None:
    """One body, `joints` (21, 3) metres, in the square at x0, y0; a line under each foot that is in contact."""
    scale = cell / METRES
    middle = joints[0, 0]

    def at(p: np.ndarray) -> tuple[float, float]:
        return x0 + cell / 2 + (p[0] - middle) * scale, y0 + cell * 0.95 - p[1] * scale

    floor = y0 + cell * 0.95
    draw.line([(x0, floor), (x0 + cell, floor)], (225, 222, 214))
    bones = []
    for joint, parent in PARENT.items():
        kind = joint.split("_")[-1]
        if kind == "head":
            continue
        color = LEFT if joint.startswith("left") else RIGHT if joint.startswith("right") else TRUNK
        a, b = joints[INDEX[parent]], joints[INDEX[joint]]
        bones.append(((a[2] + b[2]) / 2, a, b, _THICK[kind], color))
    neck, head = joints[INDEX["neck"]], joints[INDEX["head"]]
    bones.append((head[2], neck + 0.5 * (head - neck), head - 0.35 * (head - neck), 0.19, TRUNK))
    for depth, a, b, thick, color in sorted(bones, key=lambda bone: bone[0]):
        shade = np.clip(1.0 - 0.5 * (depth - joints[0, 2]), 0.75, 1.3)
        fill = tuple(int(min(255, c / shade)) for c in color)
        (ax, ay), (bx, by) = at(a), at(b)
        r = thick * scale / 2
        draw.line([(ax, ay), (bx, by)], fill, max(1, round(2 * r)))
        for x, y in ((ax, ay), (bx, by)):
            draw.ellipse([x - r, y - r, x + r, y + r], fill)
    for side, down in zip(("left", "right"), contacts, strict=True):
        if down:
            x, _ = at(joints[INDEX[f"{side}_toe"]])
            draw.line([(x - 4, floor + 2), (x + 4, floor + 2)], LEFT if side == "left" else RIGHT, 2)
