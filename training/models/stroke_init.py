"""Where the strokes of a `FigureDecoder` begin: on the solid shapes of the figures themselves.

Each shape that the truth about a figure is drawn from becomes a stroke or a few, and its ends over many poses are
explained by least squares out of the body's own directions (`figure_decoder.DIRECTIONS`). So a decoder knows who dances
before its first step, and training is left with outlines, ink and folds.

Strokes have slots: those of a limb come in the same order in all figures, so that half-way between two figures a hand
is a hand. A figure that has fewer than another hides the rest in its own limb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.figures import shapes as s
from training.data.figures.build import build_shapes
from training.data.figures.figure import Figure
from training.data.figures.reshape import reshape, scale_bones
from training.data.motion.skeleton import PARENT
from training.models.figure_decoder import CELL, DIRECTIONS, StrokeInit, find_directions

RING = 6  # strokes about a skirt, beside the one in its middle
FLAT = 3.0  # how much flatter than a ball the end of a sleeve or a skirt is
RIDGE = 1e-4  # square metres: keeps weights small where directions are alike in all poses
HIDDEN = 0.4  # of its radius has a stroke that a figure does not need, inside of another
_HANDS = (s.LEFT_HAND, s.RIGHT_HAND)


@dataclass(frozen=True)
class _Stroke:
    """One stroke in M poses: ends (M, 2, 3) metres, radii of both, part, limb, and how flat its ends are."""

    ends: NDArray[np.float64]
    radii: tuple[float, float]
    part: int
    limb: int
    cap: float = 1.0


def make_strokes(
    figures: Sequence[Figure], bodies: NDArray[np.float32], sway: NDArray[np.float32], hands: NDArray[np.float32]
) -> StrokeInit:
    """Strokes of `figures`, learned on `bodies` (M, 21, 3) about the crop with `sway` (M, 7) and `hands` (M, 4)."""
    shaped = [reshape(bodies, figure) for figure in figures]
    found = [_strokes_of(f, body, sway, hands) for f, body in zip(figures, shaped, strict=True)]
    limbs = sorted({stroke.limb for strokes in found for stroke in strokes})
    room = {limb: max(sum(k.limb == limb for k in strokes) for strokes in found) for limb in limbs}
    count = sum(room.values())
    ends = np.zeros((len(figures), count, 2, DIRECTIONS), np.float32)
    radii = np.zeros((len(figures), count, 2), np.float32)
    caps, parts = np.ones((len(figures), count), np.float32), np.zeros((len(figures), count), np.int64)
    for number, (strokes, body) in enumerate(zip(found, shaped, strict=True)):
        line = _line_up(strokes, room)
        with torch.no_grad():
            given = find_directions(*(torch.from_numpy(a.astype(np.float32)) for a in (body, sway, hands)))
        known = given.transpose(1, 2).reshape(-1, DIRECTIONS).double().numpy()  # (3 M, DIRECTIONS)
        wanted = np.stack([stroke.ends for stroke in line], axis=1)  # (M, K, 2, 3)
        flat = wanted.transpose(0, 3, 1, 2).reshape(len(known), -1)
        square = known.T @ known + RIDGE * len(known) * np.eye(DIRECTIONS)
        ends[number] = np.linalg.solve(square, known.T @ flat).T.reshape(count, 2, DIRECTIONS)
        radii[number] = [stroke.radii for stroke in line]
        caps[number] = [stroke.cap for stroke in line]
        parts[number] = [stroke.part for stroke in line]
    factors = [scale_bones(figure) for figure in figures]
    scale = np.array([[each[joint.split("_")[-1]] for joint in PARENT] for each in factors], np.float32)
    return StrokeInit(ends, radii, caps, parts, scale)


def _line_up(strokes: list[_Stroke], room: dict[int, int]) -> list[_Stroke]:
    """As many strokes of each limb as there is `room` for, those that are missing hidden in the limb's first."""
    line: list[_Stroke] = []
    for limb, count in room.items():
        mine = [stroke for stroke in strokes if stroke.limb == limb]
        host = mine[0] if mine else _host(strokes, limb)
        hidden = _Stroke(host.ends, (HIDDEN * host.radii[0], HIDDEN * host.radii[1]), host.part, limb)
        line += mine + [hidden] * (count - len(mine))
    return line


def _host(strokes: list[_Stroke], limb: int) -> _Stroke:
    """In what the strokes of a `limb` are hidden that a figure has not: hands at the wrist, hair in the head."""
    if limb in _HANDS:
        arm = s.LEFT_ARM if limb == s.LEFT_HAND else s.RIGHT_ARM
        last = [stroke for stroke in strokes if stroke.limb == arm][-1]
        return _Stroke(np.stack([last.ends[:, 1]] * 2, axis=1), (last.radii[1], last.radii[1]), last.part, limb)
    if limb in (s.HEAD, s.LOCKS):
        return max(strokes, key=lambda stroke: stroke.ends[..., 1].mean())
    return next(stroke for stroke in strokes if stroke.limb == s.TRUNK)


def _strokes_of(
    figure: Figure, bodies: NDArray[np.float32], sway: NDArray[np.float32], hands: NDArray[np.float32]
) -> list[_Stroke]:
    shapes, marks = (a.astype(np.float64) for a in build_shapes(figure, bodies, sway, hands))
    found: list[_Stroke] = []
    for shape in shapes.transpose(1, 0, 2):
        limb = int(shape[0, s.LIMB])
        if shape[0, s.KIND] == s.TUBE:
            found += _tube(shape)
            continue
        stroke = _cone(shape)
        last = found[-1] if found else None
        if (
            last is not None
            and limb in _HANDS
            and last.limb == limb
            and np.allclose(last.ends[:, 1], stroke.ends[:, 0])
        ):
            # A finger is one stroke from its knuckle to its tip.
            found[-1] = _Stroke(
                np.stack([last.ends[:, 0], stroke.ends[:, 1]], axis=1),
                (last.radii[0], stroke.radii[1]),
                last.part,
                limb,
            )
        else:
            found.append(stroke)
    for mark in marks.transpose(1, 0, 2):
        found += _mark(mark)
    return found


def _cone(shape: NDArray[np.float64]) -> _Stroke:
    reach = shape[:, s.REACH : s.REACH + 3].copy()
    for p in (s.WIDE, s.PUSH):  # the reach is in stretched space
        way, factor = shape[:, p : p + 3], shape[:, p + 3 : p + 4]
        reach -= factor / (1 + factor) * (reach * way).sum(axis=1, keepdims=True) * way
    start = shape[:, s.START : s.START + 3]
    ends, radii = np.stack([start, start + reach], axis=1), (float(shape[0, s.RADIUS]), float(shape[0, s.RADIUS_END]))
    cap = 1.0
    for cut in range(int(shape[0, s.CUTS])):
        plane = shape[:, s.CUT + 4 * cut : s.CUT + 4 * cut + 4]
        ends, flat = _keep_within(ends, radii, plane)
        cap = max(cap, flat)
    return _Stroke(ends, radii, int(shape[0, s.PART]), int(shape[0, s.LIMB]), cap)


def _keep_within(
    ends: NDArray[np.float64], radii: tuple[float, float], plane: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Ends (M, 2, 3) pulled back from a plane (M, 4) that cuts the shape off, and how flat they are: along the shape
    where the plane crosses it, else away from the plane. A ball moved away by a fifth of what was cut off meets the one
    inside it there."""
    normal, offset = plane[:, None, :3], plane[:, None, 3]
    over = np.maximum((ends * normal).sum(-1) - offset + np.array(radii), 0)  # (M, 2)
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    crosses = np.abs((along * plane[:, :3]).sum(1)).mean() > 0.7 * length.mean()
    if crosses and length.mean() > max(radii):
        toward = along / np.maximum(length, 1e-6)[:, None]
        back = np.clip(over - (1 - 1 / FLAT) * np.array(radii), 0, 0.8 * length[:, None])
        return ends + np.stack([toward * back[:, :1], -toward * back[:, 1:]], axis=1), FLAT
    return ends - normal * (0.2 * over.max(axis=1))[:, None, None], 1.0


def _tube(shape: NDArray[np.float64]) -> list[_Stroke]:
    """Strokes side by side, or a ring of them for a skirt."""
    start, reach = shape[:, s.START : s.START + 3], shape[:, s.REACH : s.REACH + 3]
    front, side = shape[:, s.PUSH : s.PUSH + 3], shape[:, s.WIDE : s.WIDE + 3]
    radii = shape[:, [s.RADIUS, s.FRONT, s.RADIUS_END, s.FRONT_END]]
    part, limb = int(shape[0, s.PART]), int(shape[0, s.LIMB])
    if limb != s.CLOTH:
        places = [(1.0, 0.0), (-1.0, 0.0)] if limb == s.TRUNK else [(0.0, 0.0)]
        top, hem = (float(radii[:, pair].min(axis=1).mean()) for pair in ([0, 1], [2, 3]))
    else:
        turns = 2 * np.pi * (np.arange(RING) + 0.5) / RING
        places = [(0.0, 0.0), *zip(np.cos(turns), np.sin(turns), strict=True)]
        top, hem = float(0.6 * radii[:, 1].mean()), float(0.42 * radii[:, 3].mean())
    found = []
    for across, ahead in places:
        offsets = [
            across * np.maximum(radii[:, wide, None] - r, 0) * side
            + ahead * np.maximum(radii[:, deep, None] - r, 0) * front
            for wide, deep, r in ((0, 1, top), (2, 3, hem))
        ]
        # The hem is where the stroke's cap ends, not its middle.
        down = reach * (1 - hem / FLAT / np.maximum(np.linalg.norm(reach, axis=1, keepdims=True), hem + 0.05))
        ends = np.stack([start + offsets[0], start + down + offsets[1]], axis=1)
        found.append(_Stroke(ends, (top, hem), part, limb, FLAT))
    return found


def _mark(mark: NDArray[np.float64]) -> list[_Stroke]:
    """Strokes that lie on the front of the head for eyes, brows and mouth. Bands are left to the convolutions."""
    kind = int(mark[0, s.MARK_KIND])
    if kind == s.BAND:
        return []
    origin, across, up, ahead = (mark[:, p : p + 3] for p in (s.ORIGIN, s.ACROSS, s.UP, s.AHEAD))
    (x, y), (wide, high) = mark[0, s.MIDDLE : s.MIDDLE + 2], mark[0, s.SIZE : s.SIZE + 2]
    part, limb, ball = int(mark[0, s.MARK_PART]), int(mark[0, s.MARK_LIMB]), 0.113

    def at(u: float, v: float) -> NDArray[np.float64]:
        out = np.sqrt(max(ball**2 - u * u - v * v, 0.0))
        return origin + u * across + v * up + out * ahead

    if kind == s.OVAL:
        reach = max(high - wide, 0.0)
        pairs, radius = [(at(x, y + reach), at(x, y - reach))], min(wide, high)
    else:  # two halves of a bent line
        bend = 0.7 * mark[0, s.BEND] * high
        halves = [(at(x + side * 0.9 * wide, y + bend), at(x, y)) for side in (1, -1)]
        pairs, radius = halves if abs(x) < 0.01 else [(halves[0][0], halves[1][0])], high
    radius = max(float(radius), 0.25 * CELL)
    return [_Stroke(np.stack(pair, axis=1), (radius, radius), part, limb) for pair in pairs]
