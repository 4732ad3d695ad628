"""The decoder of figures: latents, and who dances, to a lit and dressed body in a box of the frame.

As in the flat decoder (`autoencoder.Strokes`), strokes lie on the bones and convolutions learn what is between them.
Here the strokes are tapered capsules in space. Their ends are fixed combinations of the body's own directions: its
joints with the figure's proportions, the axes of pelvis, chest, head, hands and feet, what hangs (sway), and how far a
hand is closed. So an eye stays in its face and a finger on its hand in every pose, without being learned in each. Which
stroke a place shows is a softmax over their depth, and what it shows are means of the strokes' features: soft parts,
the normal of a capsule, the depth. The ink between two limbs is the outline of strokes that stand out from what is
seen (`_ink`), so its place is as exact as an outline's.

Everything but the convolutions is linear in the weights of the figures, which is how one becomes another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.figures.posture import NECK_LEANS
from training.data.motion.skeleton import BONES, CHAINS, INDEX, JOINTS
from training.models.autoencoder import GRID, exactly, project_body
from training.models.pose_basis import PoseBasis
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE
from visualizer.dancer.sway import SWAY
from visualizer.moment import PARTS

HANDS = 4  # left fist, left point, right fist, right point
CELL = FRAME_METRES / GRID  # metres
LARGEST_CREASE = 3.0  # pixels
FAR = 6.0  # cells from a stroke beyond which its distance does not count
NEAREST = 20.0  # the same, in units of how soft strokes melt
AXES = ("pelvis", "chest", "head", "left_hand", "right_hand", "left_foot", "right_foot")
# What the ends of strokes are combined of: joints, axes, two springs, two of the pelvis' axes by the yaw's spring,
# down, and the axes of each hand by fist, its square, and point.
DIRECTIONS = len(JOINTS) + 3 * len(AXES) + 2 + 2 + 1 + 2 * 3 * 3
MOVED = 0.1  # metres that a unit of a learned weight moves an end: Adam's equal steps would tear the body apart
RESIDUAL = 0.02  # metres that a unit of the learned rest moves an end


@dataclass(frozen=True)
class FigureDecoderConfig:
    """Sizes of the network; the defaults are those that ship."""

    figures: int
    strokes: int = 64
    unions: int = 10
    features: int = 14
    inks: int = 2
    channels: int = 24
    hidden: int = 96


@dataclass(frozen=True)
class StrokeInit:
    """Where strokes begin, for K strokes of F figures: `ends` (F, K, 2, DIRECTIONS) metres, `radii` (F, K, 2) metres,
    `caps` (F, K) how much flatter than a ball the ends are (hems, soles), `parts` (F, K) numbers of `PARTS`, `scale`
    (F, 20) factors of the bones' lengths."""

    ends: NDArray[np.float32]
    radii: NDArray[np.float32]
    caps: NDArray[np.float32]
    parts: NDArray[np.int64]
    scale: NDArray[np.float32]


def _unit(vector: Tensor) -> Tensor:
    return vector * (vector.square().sum(-1, keepdim=True) + 1e-8).rsqrt()


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross product over the last axis; torch's own has no operator in ONNX."""
    ax, ay, az = a.unbind(-1)
    bx, by, bz = b.unbind(-1)
    return torch.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], dim=-1)


def _across(vector: Tensor, axis: Tensor) -> Tensor:
    """The unit vector along what of `vector` is orthogonal to the unit vector `axis`."""
    return _unit(vector - axis * (vector * axis).sum(-1, keepdim=True))


def find_axes(body: Tensor) -> Tensor:
    """Bodies (N, 21, 3) -> axes (N, 7, 3, 3) of `AXES`: left, up and front of trunk and head; of hands along, to the
    thumb, and out of the palm; of feet forwards, to the left, and up. Unit vectors."""
    joint = {name: body[:, INDEX[name]] for name in JOINTS}
    hips = _unit(joint["left_hip"] - joint["right_hip"])
    ahead = _unit(_cross(hips, _unit(joint["spine"] - joint["pelvis"])))
    left, up = _unit(joint["left_shoulder"] - joint["right_shoulder"]), _unit(joint["neck"] - joint["spine"])
    front = _unit(_cross(left, up))
    crown = _unit(joint["head"] - joint["neck"])
    ear = _across(left, crown)
    brow = _cross(ear, crown)
    lean, straight = math.sin(NECK_LEANS), math.cos(NECK_LEANS)
    found = [
        [hips, _cross(ahead, hips), ahead],
        [left, _cross(front, left), front],
        [ear, crown * straight - brow * lean, brow * straight + crown * lean],
    ]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        along = _unit(joint[f"{side}_hand"] - joint[f"{side}_wrist"])
        thumb = _across(front * 0.75 + up * 0.55 - left * (0.35 * sign), along)
        found.append([along, thumb, _cross(along, thumb) * sign])
    for side in ("left", "right"):
        forwards = _unit(joint[f"{side}_toe"] - joint[f"{side}_ankle"])
        shin = _unit(joint[f"{side}_knee"] - joint[f"{side}_ankle"])
        aside = _across(_unit(_cross(shin, forwards) + 0.15 * hips), forwards)
        found.append([forwards, aside, _cross(forwards, aside)])
    return torch.stack([torch.stack(axes, dim=1) for axes in found], dim=1)


def find_directions(body: Tensor, sway: Tensor, hands: Tensor) -> Tensor:
    """Bodies (N, 21, 3) metres, sway (N, 7), hands (N, 4) -> (N, DIRECTIONS, 3), see there."""
    axes = find_axes(body)
    springs = sway[:, :6].unflatten(1, (2, 3))
    turned = axes[:, 0, ::2] * sway[:, 6:, None]
    down = torch.zeros_like(springs[:, :1]) - body.new_tensor([0.0, 1.0, 0.0])
    fist, point = hands[:, ::2], hands[:, 1::2]
    closed = torch.stack([fist, fist * fist, point], dim=2)  # (N, 2, 3)
    closing = (axes[:, 3:5, None] * closed[..., None, None]).flatten(1, 3)
    return torch.cat([body, axes.flatten(1, 2), springs, turned, down, closing], dim=1)


class FigureDecoder(nn.Module):
    """Latents (N, D) and figures (N, F) to what a box of the frame shows; see `forward`."""

    mean: Tensor
    vectors: Tensor
    scale: Tensor
    chains: Tensor
    bones: Tensor
    first: Tensor

    def __init__(self, config: FigureDecoderConfig, basis: PoseBasis, init: StrokeInit) -> None:
        super().__init__()
        self.config = config
        k, f, v = config.strokes, config.figures, config.features
        self.register_buffer("mean", torch.from_numpy(basis.mean))
        self.register_buffer("vectors", torch.from_numpy(basis.vectors * np.float32(basis.scale)))
        self.register_buffer("scale", torch.from_numpy(init.scale))
        self.register_buffer("chains", torch.from_numpy(CHAINS), persistent=False)
        self.register_buffer("bones", torch.from_numpy(BONES), persistent=False)
        self.register_buffer("first", torch.from_numpy(init.ends.reshape(f, -1)))
        self.moved = nn.Parameter(torch.zeros(f, 2 * k * DIRECTIONS))
        self.rest = nn.Sequential(
            nn.Linear(3 * len(JOINTS) + SWAY + HANDS + f, config.hidden), nn.SiLU(),
            nn.Linear(config.hidden, config.hidden), nn.SiLU(), nn.Linear(config.hidden, 6 * k),
        )  # fmt: skip
        nn.init.zeros_(self.rest[4].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.rest[4].bias)  # type: ignore[arg-type]
        self.radius = nn.Parameter(torch.from_numpy(np.log(np.maximum(init.radii, 1e-3) / CELL).reshape(f, -1)))
        self.cap = nn.Parameter(torch.from_numpy(np.log(init.caps)))
        self.lift = nn.Parameter(torch.zeros(f, k))  # cells towards the viewer
        self.softness = nn.Parameter(torch.tensor(-1.4))  # log of cells over which strokes melt
        self.depth = nn.Parameter(torch.tensor(1.0))  # log of how sharply the nearer stroke wins, a cell
        # Log of how fast a stroke falls back beyond its outline, a cell: faster than a nearer one wins, or it bleeds.
        self.edge = nn.Parameter(torch.tensor(2.5))
        unions = 0.3 * torch.randn(config.unions, k)
        unions[0] = 0
        self.unions = nn.Parameter(unions)
        feature = 0.3 * torch.randn(f, v, k)
        feature[:, : len(PARTS)] = F.one_hot(torch.from_numpy(init.parts), len(PARTS)).transpose(1, 2).float()
        self.feature = nn.Parameter(feature.reshape(f, v * k))
        self.inks = nn.Parameter(0.1 * torch.randn(config.inks, k))
        # How far a stroke must stand out from what is seen, cells, and how much farther from strokes that are like it.
        self.stands = nn.Parameter(torch.full((k, 1), 1.2))
        self.likes = nn.Parameter(0.05 * torch.randn(k, v))
        self.sharp = nn.Parameter(torch.tensor(0.7))
        c, seen = config.channels, v + 2
        self.in_, self.mid = nn.Conv2d(config.unions + config.inks + seen, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1)
        out = 4 + len(PARTS)
        self.out = nn.Conv2d(c, 4 * out, 3, 1, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]
        self.told = nn.Linear(f, c)
        self.plain = nn.Conv2d(seen, 2 + len(PARTS), 1)
        with torch.no_grad():
            self.plain.weight.zero_()
            self.plain.weight[0, v, 0, 0] = self.plain.weight[1, v + 1, 0, 0] = 1
            for part in range(len(PARTS)):
                self.plain.weight[2 + part, part, 0, 0] = 6.0
            self.plain.bias.zero_()  # type: ignore[union-attr]
            self.told.weight.zero_()
            self.told.bias.zero_()

    # --- the body

    def body(self, latent: Tensor, figure: Tensor) -> Tensor:
        """Latents (N, D) and figures (N, F) -> joints (N, 21, 3) in metres about the crop, with the figure's bones.

        The lower of the two ankles stays as high above the floor as it is with the skeleton's bones.
        """
        with exactly(latent):
            body = F.linear(latent, self.vectors, self.mean).unflatten(1, (len(JOINTS), 3))
            bone = body[:, self.bones[:, 1]] - body[:, self.bones[:, 0]]
            scaled = body[:, :1] + self.chains @ (bone * (figure @ self.scale)[..., None])
            ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
            low = body[:, ankles, 1].amin(1) - scaled[:, ankles, 1].amin(1)
            lifted = torch.stack([torch.zeros_like(low), low, torch.zeros_like(low)], dim=-1)
            return scaled + lifted[:, None]

    def latents(self, bodies: Tensor) -> Tensor:
        """Bodies (N, 21, 3) of the skeleton, metres about the crop -> latents (N, D)."""
        with exactly(bodies):
            return (bodies.flatten(1) - self.mean) @ (self.vectors / self.vectors.square().sum(0))

    def ends(self, body: Tensor, figure: Tensor, sway: Tensor, hands: Tensor) -> Tensor:
        """Ends of the strokes in cells (N, K, 2, 3): x right, y down, z towards the viewer."""
        with exactly(body):
            weights = (figure @ (self.first + MOVED * self.moved)).unflatten(1, (-1, DIRECTIONS))
            ends = weights @ find_directions(body, sway, hands)  # (N, 2 K, 3)
            posed = (body - body[:, :1]).flatten(1)
            told = torch.cat([2 * posed, 5 * sway, hands, figure], dim=1)
            ends = ends + RESIDUAL * self.rest(told).unflatten(1, (-1, 3))
            ends = ends * ends.new_tensor([1 / CELL, -1 / CELL, 1 / CELL])
            return (ends + ends.new_tensor([GRID / 2, FLOOR * GRID, 0.0])).unflatten(1, (-1, 2))

    # --- the picture

    def forward(
        self, latent: Tensor, figure: Tensor, sway: Tensor, hands: Tensor, grid_x: Tensor, grid_y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """`latent` (N, D), `figure` (N, F) weights that sum to 1, `sway` (N, 7), `hands` (N, 4), `grid_x` (N, W) and
        `grid_y` (N, H): centres of the cells of 64² to be drawn, each a line of neighbours.

        Gives signed distance in pixels of 128² (N, 1, 2H, 2W), not clamped; normals (N, 2, 2H, 2W), x right, y down;
        crease in pixels (N, 1, 2H, 2W), not clamped; logits of parts (N, 7, 2H, 2W); joints (N, 21, 3) in metres.
        """
        body = self.body(latent, figure)
        ends = self.ends(body, figure, sway, hands)
        pixels = self.draw(ends, figure, grid_x, grid_y)
        return pixels[:, :1], pixels[:, 1:3], pixels[:, 3:4], pixels[:, 4:], body

    def draw(self, ends: Tensor, figure: Tensor, grid_x: Tensor, grid_y: Tensor) -> Tensor:
        """Strokes (N, K, 2, 3) in cells to (N, 4 + P, 2H, 2W): distance, normal, crease, logits of parts."""
        n, k, v = ends.shape[0], self.config.strokes, self.config.features
        w, h = grid_x.shape[1], grid_y.shape[1]
        with exactly(ends):
            a, bone = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
            radius = (figure @ self.radius).exp().unflatten(1, (k, 2))
            soft, sharp = self.softness.exp(), self.depth.exp()
            # A bone that points at the viewer has no direction in the picture; any will do.
            flat = bone[..., :2] + bone.new_tensor([1e-3, 0.0])
            length = (flat.square().sum(-1, keepdim=True) + 1e-8).sqrt()
            ux, uy = (flat / length).split(1, dim=-1)
            ax, ay, az = a.split(1, dim=-1)
            # Places (N, 3, H W). Along and across a stroke are linear in them: two products, in units of `soft`.
            place = torch.stack(
                [grid_x[:, None, :].expand(n, h, w), grid_y[:, :, None].expand(n, h, w), torch.ones(n, h, w)], dim=1
            ).flatten(2)
            along = torch.cat([ux, uy, -(ux * ax + uy * ay)], dim=2) / soft
            across = torch.cat([-uy, ux, uy * ax - ux * ay], dim=2) / soft
            along, across = along @ place, across @ place
            foot = torch.minimum(F.relu(along), length / soft)
            over = (along - foot) * (figure @ self.cap).exp()[..., None]
            square = over * over + across * across + 1e-3
            taper = (radius[:, :, 1:] - radius[:, :, :1]) / (length * length + 0.1).sqrt()
            thick = foot * taper + radius[:, :, :1] / soft
            distance = square.sqrt() - thick
            near = torch.exp(-distance.clamp(-NEAREST, NEAREST))
            union = -soft * torch.log(self.unions.exp() @ near + 1e-9)
            # How near to the viewer: the axis, and what a ball bulges from it. Outside of a stroke it soon falls away.
            axis = foot * (bone[..., 2:] / (length * length + 0.1).sqrt() * soft) + (
                az + (figure @ self.lift)[..., None]
            )
            bulge = soft * (F.relu(thick * thick - square) + 1e-3).sqrt()
            surface = sharp * (axis + bulge) - F.relu(distance) * (self.edge.exp() * soft)
            most = surface.amax(1, keepdim=True).detach()
            # Numbers that are next to nothing are slow on processors: below e^-30 they are all the same.
            shown = torch.exp((surface - most).clamp(min=-30.0))
            shown_foot = shown * foot
            feature = (figure @ self.feature).unflatten(1, (v, k))
            by_radius = 2 / radius.sum(2)[:, None]
            rows = [torch.ones_like(by_radius), feature, by_radius, ax.transpose(1, 2) * by_radius]
            rows.append(ay.transpose(1, 2) * by_radius)
            sloped = (soft * flat / length).transpose(1, 2) * by_radius
            first, second = torch.cat(rows, dim=1) @ shown, sloped @ shown_foot
            share = 1 / (first[:, :1] + 1e-6)
            seen = first[:, 1 : 1 + v] * share
            curved = first[:, 1 + v : 2 + v]
            normal_x = (place[:, :1] * curved - first[:, 2 + v : 3 + v] - second[:, :1]) * share
            normal_y = (place[:, 1:2] * curved - first[:, 3 + v : 4 + v] - second[:, 1:2]) * share
            depth = (most + torch.log(first[:, :1] + 1e-6)) / sharp
            ink = self._ink(near, axis, depth, seen, soft)
            seen = torch.cat([seen, normal_x.clamp(-1.5, 1.5), normal_y.clamp(-1.5, 1.5)], dim=1)
            fields = torch.cat([union, ink], dim=1).clamp(-FAR, FAR).unflatten(2, (h, w))
            seen = seen.unflatten(2, (h, w))
        return self._flesh(fields, seen, figure)

    def _flesh(self, fields: Tensor, seen: Tensor, figure: Tensor) -> Tensor:
        """What strokes show, up-sampled, and what convolutions learn of it: unions and ink `fields` (N, C, H, W), means
        of features and normals `seen` (N, V + 2, H, W) -> (N, 4 + P, 2H, 2W), see `draw`."""
        hidden = self.in_(torch.cat([fields / 3, seen], dim=1)) * (1 + self.told(figure)[:, :, None, None])
        hidden = F.silu(self.mid(F.silu(hidden)))
        learned = F.pixel_shuffle(self.out(hidden), 2).float()
        inks = self.config.unions
        plain = torch.cat([2 * fields[:, :1], self.plain(seen), 2 * fields[:, inks : inks + 1]], dim=1).float()
        plain = F.interpolate(plain, scale_factor=2.0, mode="bilinear", align_corners=False)
        plain = torch.cat([plain[:, :3], plain[:, -1:], plain[:, 3:-1]], dim=1)
        return plain + learned

    def _ink(self, near: Tensor, axis: Tensor, depth: Tensor, seen: Tensor, soft: Tensor) -> Tensor:
        """Signed distance in cells (N, inks, H W) from strokes that stand out from what is seen at a place. Within such
        a stroke none stands out from itself, so it is large there: the ink is on the farther side."""
        gap = self.likes @ seen + depth + self.stands  # (N, K, H W) cells
        stands = torch.sigmoid((axis - gap) * self.sharp.exp())
        return -soft * torch.log(self.inks.exp() @ (near.clamp(max=1.0) * stands) + 1e-5)


def read_out(made: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What the exported decoder gives, out of what `FigureDecoder.forward` gives: frame in frame widths, normal, crease
    in pixels, shares of parts, joints (N, 21, 2) in frame coordinates."""
    distance, normal, crease, parts, body = made
    length = normal.square().sum(1, keepdim=True).clamp(min=1.0).sqrt()
    return (
        distance.clamp(-LARGEST_CREASE, LARGEST_CREASE) / FRAME_SIZE, normal / length,
        crease.clamp(0.0, LARGEST_CREASE), parts.softmax(1), project_body(body),
    )  # fmt: skip
