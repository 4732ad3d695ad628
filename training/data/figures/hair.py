"""Hair and beards. What hangs lags behind the head."""

from __future__ import annotations

import numpy as np

from training.data.figures.body import HAIR
from training.data.figures.figure import Figure
from training.data.figures.head import find_skull
from training.data.figures.posture import DOWN, Posture
from training.data.figures.shapes import HEAD, LOCKS, Cut, Floats, Shapes, unit

# Where curls sit, shares of the head's height left, up and ahead of the middle of the skull.
_CURLS = (
    (0.26, 0.22, 0.12), (-0.26, 0.22, 0.12), (0.02, 0.36, 0.14), (0.32, 0.02, -0.10), (-0.32, 0.02, -0.10),
    (0.16, 0.34, -0.10), (-0.16, 0.34, -0.10), (0.0, 0.12, -0.30),
)  # fmt: skip
SWING = 1.0  # of the head's lag that the tip of long hair shows


def hairline(posture: Posture, skull: Floats, h: float, low: float = 0.0) -> Cut:
    """The plane between hair and face: from the forehead over the ears to the nape, `low` metres further down."""
    head = posture.head
    return Cut(head.at(skull, up=0.24 * h - low, ahead=0.36 * h), 0.74 * head.ahead - 0.67 * head.up)


def add_hair(shapes: Shapes, posture: Posture, figure: Figure) -> None:
    """The hair of a figure, and a beard."""
    style = figure.hair.style
    skull, h = find_skull(posture, figure)
    if figure.hair.beard:
        _add_beard(shapes, posture, skull, h, figure.hair.beard)
    if style == "bald" or "headscarf" in figure.accessory:
        return
    size = figure.hair.size
    if style == "afro":
        _add_afro(shapes, posture, skull, h, size)
        return
    _add_cap(shapes, posture, skull, h, 1.0 if style == "crop" else 1.0 + 0.05 * size)
    add = {
        "short": _add_short, "curls": _add_curls, "quiff": _add_quiff, "bob": _add_bob, "long": _add_long,
        "ponytail": _add_ponytail, "bun": _add_bun, "buns": _add_buns, "braids": _add_braids,
    }.get(style)  # fmt: skip
    if add:
        add(shapes, posture, skull, h, figure)


def swung(posture: Posture, root: Floats, point: Floats, gain: float) -> Floats:
    """Where a lock's `point` (N, 3) swings to: it lags behind the head, turns late, and stays as far from `root`."""
    head = posture.sway[:, :3]
    late = posture.sway[:, 6:7]
    offset = point - root
    aside = np.cross(np.array([0.0, 1.0, 0.0]), offset) * late
    moved = offset + gain * head + 0.7 * gain * aside
    return root + unit(moved) * np.linalg.norm(offset, axis=-1, keepdims=True)


def _add_cap(shapes: Shapes, posture: Posture, skull: Floats, h: float, thick: float) -> None:
    head = posture.head
    top = head.at(skull, up=0.02 * h, ahead=-0.02 * h)
    shapes.cone(
        HAIR, HEAD, (top, 0.455 * h * thick, head.at(skull, up=-0.07 * h, ahead=-0.05 * h), 0.42 * h * thick),
        (0.006, 0.006), ((head.left, 1.03),), (hairline(posture, skull, h),), 0.02,
    )  # fmt: skip


def _add_short(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, size = posture.head, figure.hair.size
    shapes.cone(
        HAIR, HEAD, (head.at(skull, 0.10 * h, 0.30 * h, 0.14 * h), 0.20 * h * size,
                     head.at(skull, -0.14 * h, 0.27 * h, 0.17 * h), 0.17 * h * size), (0.04, 0.03),
    )  # fmt: skip


def _add_quiff(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, size = posture.head, figure.hair.size
    shapes.cone(
        HAIR, HEAD, (head.at(skull, -0.16 * h, 0.30 * h, 0.20 * h), 0.16 * h * size,
                     head.at(skull, 0.14 * h, 0.40 * h, 0.24 * h), 0.19 * h * size), (0.04, 0.04),
    )  # fmt: skip


def _add_curls(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, size = posture.head, figure.hair.size
    for left, up, ahead in _CURLS:
        place = head.at(skull, left * h, up * h, ahead * h)
        shapes.cone(HAIR, HEAD, (place, 0.21 * h * size, place, 0.21 * h * size), (0.012, 0.012))


def _add_afro(shapes: Shapes, posture: Posture, skull: Floats, h: float, size: float) -> None:
    head = posture.head
    middle = head.at(skull, up=0.16 * h, ahead=-0.10 * h)
    cut = Cut(head.at(skull, up=0.22 * h, ahead=0.34 * h), 0.86 * head.ahead - 0.51 * head.up)
    shapes.cone(
        HAIR, HEAD, (middle, 0.66 * h * size, head.at(middle, up=0.05 * h), 0.65 * h * size), (0.004, 0.004),
        ((head.left, 0.97),), (cut,), 0.07,
    )  # fmt: skip


def _add_strands(
    shapes: Shapes, posture: Posture, h: float, roots: list[tuple[Floats, Floats]], radii: tuple[float, float, float]
) -> None:
    """Hair that hangs from each root (N, 3) to a tip (N, 3) where it rests; `radii` at root, middle and tip, of h."""
    for root, tip in roots:
        half = swung(posture, root, 0.5 * (root + tip), 0.45 * SWING)
        rest = half + 0.5 * (tip - root)
        end = swung(posture, half, rest, 0.9 * SWING)
        shapes.cone(HAIR, LOCKS, (root, radii[0] * h, half, radii[1] * h), (0.03, 0.03))
        shapes.cone(HAIR, LOCKS, (half, radii[1] * h, end, radii[2] * h), (0.03, 0.03))


def _add_long(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, chest, hair = posture.head, posture.chest, figure.hair
    fall = 1.05 * h * hair.length
    roots = []
    for left, ahead, share in (
        (0.36, 0.06, 0.86),
        (-0.36, 0.06, 0.86),
        (0.24, -0.22, 1.0),
        (-0.24, -0.22, 1.0),
        (0, -0.30, 1.04),
    ):
        root = head.at(skull, left * h, 0.02 * h, ahead * h)
        tip = root + share * fall * unit(DOWN - 0.25 * head.up) + 0.22 * left * h * chest.left - 0.06 * h * chest.ahead
        roots.append((root, tip))
    _add_strands(shapes, posture, h, roots, (0.17 * hair.size, 0.19 * hair.size, 0.10 * hair.size))
    _add_parting(shapes, posture, skull, h)


def _add_parting(shapes: Shapes, posture: Posture, skull: Floats, h: float) -> None:
    """Hair from a parting to either side of the forehead."""
    head = posture.head
    for sign in (1, -1):
        shapes.cone(
            HAIR, HEAD, (head.at(skull, 0.03 * h * sign, 0.36 * h, 0.22 * h), 0.10 * h,
                         head.at(skull, 0.37 * h * sign, 0.02 * h, 0.16 * h), 0.10 * h), (0.03, 0.02),
        )  # fmt: skip


def _add_bob(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, hair = posture.head, figure.hair
    roots = []
    for left, ahead in ((0.37, 0.08), (-0.37, 0.08), (0.28, -0.18), (-0.28, -0.18), (0, -0.26)):
        root = head.at(skull, left * h, 0.06 * h, ahead * h)
        roots.append((root, head.at(root, 0.10 * left * h, -0.46 * h * hair.length, 0.03 * h)))
    _add_strands(shapes, posture, h, roots, (0.16 * hair.size, 0.17 * hair.size, 0.14 * hair.size))
    shapes.cone(  # a fringe
        HAIR, HEAD, (head.at(skull, 0.20 * h, 0.24 * h, 0.27 * h), 0.13 * h,
                     head.at(skull, -0.20 * h, 0.24 * h, 0.27 * h), 0.13 * h), (0.02, 0.02),
    )  # fmt: skip


def _add_ponytail(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, hair = posture.head, figure.hair
    root = head.at(skull, 0.16 * h, 0.42 * h, -0.30 * h)
    tip = head.at(root, 0.42 * h, -0.10 * h, -0.16 * h) + 0.95 * h * hair.length * DOWN
    _add_strands(shapes, posture, h, [(root, tip)], (0.15 * hair.size, 0.21 * hair.size, 0.08 * hair.size))
    _add_parting(shapes, posture, skull, h)


def _add_braids(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, hair = posture.head, figure.hair
    roots = []
    for sign in (1, -1):
        root = head.at(skull, 0.38 * h * sign, -0.14 * h, -0.10 * h)
        roots.append(
            (
                root,
                root
                + 0.95 * h * hair.length * DOWN
                + 0.18 * h * sign * posture.chest.left
                + 0.10 * h * posture.chest.ahead,
            )
        )
    _add_strands(shapes, posture, h, roots, (0.12 * hair.size, 0.12 * hair.size, 0.07 * hair.size))
    _add_parting(shapes, posture, skull, h)


def _add_bun(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, size = posture.head, figure.hair.size
    place = head.at(skull, up=0.50 * h, ahead=-0.18 * h)
    shapes.cone(HAIR, HEAD, (place, 0.21 * h * size, head.at(place, up=0.02 * h), 0.21 * h * size), (0.012, 0.012))


def _add_buns(shapes: Shapes, posture: Posture, skull: Floats, h: float, figure: Figure) -> None:
    head, size = posture.head, figure.hair.size
    for sign in (1, -1):
        place = head.at(skull, 0.36 * h * sign, 0.38 * h, -0.04 * h)
        shapes.cone(HAIR, HEAD, (place, 0.20 * h * size, place, 0.20 * h * size), (0.012, 0.012))
    _add_parting(shapes, posture, skull, h)


def _add_beard(shapes: Shapes, posture: Posture, skull: Floats, h: float, size: float) -> None:
    head = posture.head
    cut = Cut(head.at(skull, up=-0.24 * h), 1.0 * head.up + 0.25 * head.ahead)
    shapes.cone(
        HAIR, HEAD, (head.at(skull, up=-0.20 * h, ahead=0.05 * h), 0.385 * h,
                     head.at(skull, up=-0.38 * h - 0.06 * h * size, ahead=0.13 * h), 0.20 * h + 0.04 * h * size),
        (0.008, 0.02), ((head.left, 1.02),), (cut,), 0.02,
    )  # fmt: skip
