"""Frames to latents and back: the network that ships. The student's are in replication/models.py.

The latent is a body: principal components of the joints in the training data (`pose_basis.py`), so that a recurrent
network that is unsure draws a whole person instead of half a leg. The decoder puts one stroke on each bone as the
picture shows it, merges the strokes smoothly and corrects the outline by convolutions. The encoder guesses the body,
compares the picture with what the decoder draws of its guess, corrects it (iterative error feedback, Carreira et al.,
2016), and fits the drawn outline to the seen one by least squares.

No outline shows depth: the encoder has learned it from the bodies of the data as they stand before a camera. Its bones
are therefore not exactly ours, and are not made so here: a joint that is off by some centimetres along a straight limb
would turn the limb out of the plane, and the outline would be lost (IoU .98 to .95, as measured). Who makes a dance of
encoded bodies gives them our bones (`training.data.motion.kinematics.fix_bones`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.motion.body import CLAMP_PIXELS
from training.data.motion.skeleton import INDEX, JOINTS, PARENT
from training.models.pose_basis import PLANE, PoseBasis
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE

# A logistic of this slope crosses an outline as wide as an antialiased edge of one pixel.
COVERAGE_SLOPE = 4.0
GRID = 64  # strokes are drawn at this size; the last layer unfolds each cell into 2×2 pixels
REACH = 6.0  # cells from a stroke beyond which its distance does not count
STEP = 0.05  # cells that a unit of `Strokes.moved` moves an end
DEPTH = 0.5  # weight of an error in depth beside one of the same size in the picture
DAMPING = 1.0  # of a settling step: squared pixels, summed over the picture, for a move by one std of a latent


def exactly(like: Tensor) -> torch.autocast:
    """Full precision inside a mixed-precision step: in bfloat16 a position in the frame is off by half a pixel."""
    return torch.autocast(like.device.type, enabled=False)


# --- the networks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AutoencoderConfig:
    """Widths of the networks; the defaults are those of the shipped pack."""

    latent: int = 63
    encoder: tuple[int, ...] = (48, 96, 128, 160)  # at 32², 16², 8², 4²
    corrector: tuple[int, ...] = (48, 80, 112, 128)  # the same, for the picture beside what was drawn
    marks: int = 48  # points that the encoder looks for in the frame
    strokes: int = 26
    unions: int = 16
    decoder: int = 24  # channels at 64²
    looks: int = 2  # how often the encoder corrects its guess
    settles: int = 6  # steps of least squares after that


def _down(inputs: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Convolutions that halve the picture from one width to the next, two of them at 16² and at 8²."""
    layers: list[nn.Module] = [nn.Conv2d(inputs, widths[0], 3, 1, 1), nn.SiLU()]
    for a, b in pairwise(widths):
        layers += [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.SiLU()]
    return nn.Sequential(*layers)


class Strokes(nn.Module):
    """Latents (N, D) -> signed distance in pixels (N, 1, 128, 128), not clamped.

    Each stroke is a tapered capsule whose ends are linear in what the picture shows of the latent. Before training
    there is one on each bone, and the others lie on bones too; their places and thickness are learned. They are joined
    by several smooth minima (log-sum-exp) of different weights, from which convolutions learn the outline between them.
    """

    grid: Tensor
    first: Tensor
    first_bias: Tensor
    shown: Tensor | None

    def __init__(self, config: AutoencoderConfig, basis: PoseBasis) -> None:
        super().__init__()
        k = config.strokes
        bones = [(INDEX[parent], INDEX[joint]) for joint, parent in PARENT.items()]
        pick = np.zeros((k, 2, 2, len(JOINTS), 2), dtype=np.float32)  # stroke, end, axis <- joint, axis
        for stroke in range(k):
            for end, joint in enumerate(bones[stroke % len(bones)]):
                for axis in range(2):
                    pick[stroke, end, axis, joint, axis] = 1
        flat = pick.reshape(4 * k, PLANE)
        weights, constants = basis.in_picture()
        self.register_buffer("first", torch.from_numpy(flat @ weights) * GRID)
        self.register_buffer("first_bias", torch.from_numpy(flat @ constants) * GRID)
        shown = basis.directions_in_picture()
        self.register_buffer("shown", torch.from_numpy(shown) if basis.axes == 3 else None, persistent=False)
        self.register_buffer("grid", torch.arange(GRID) + 0.5)
        # Corrections of the first ends, in cells; scaled down, or Adam's equal steps would tear the body apart.
        self.moved = nn.Parameter(torch.randn(4 * k, len(shown)) * 0.1)
        self.shifted = nn.Parameter(torch.randn(4 * k) * 0.1)
        self.thickness = nn.Parameter(torch.full((k, 2), 0.65))  # log of cells
        self.softness = nn.Parameter(torch.tensor(-1.0))  # log of cells
        unions = 0.3 * torch.randn(config.unions, k)
        unions[0] = 0
        self.weights = nn.Parameter(unions)  # log
        c = config.decoder
        self.flesh = nn.Sequential(
            nn.Conv2d(config.unions, c, 3, 1, 1), nn.SiLU(), nn.Conv2d(c, c, 3, 1, 1), nn.SiLU(),
            nn.Conv2d(c, 4, 3, 1, 1), nn.PixelShuffle(2),
        )  # fmt: skip
        nn.init.zeros_(self.flesh[4].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.flesh[4].bias)  # type: ignore[arg-type]

    def _weights(self) -> Tensor:
        """Ends of the strokes by the latent, (4 K, D)."""
        return self.first + STEP * (self.moved if self.shown is None else self.moved @ self.shown)

    def _ends(self, latent: Tensor) -> Tensor:
        """Ends of the strokes in cells, (N, K, 2, 2): stroke, end, axis."""
        with exactly(latent):
            ends = F.linear(latent, self._weights(), self.first_bias + STEP * self.shifted)
        return ends.unflatten(1, (-1, 2, 2))

    def forward(self, latent: Tensor) -> Tensor:
        ends = self._ends(latent)
        a, bone = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
        length2 = bone.square().sum(-1, keepdim=True) + 0.01
        # What depends on x alone or on y alone is computed on a line, and only the sum on the grid.
        x, y = self.grid - a[..., :1], self.grid - a[..., 1:]
        along = (x * (bone[..., :1] / length2))[:, :, None] + (y * (bone[..., 1:] / length2))[..., None]
        foot = along.clamp(0, 1)
        square = (x * x)[:, :, None] + (y * y)[..., None] - length2[..., None] * foot * (2 * along - foot)
        radius = self.thickness.exp()
        begin, taper = radius[:, 0, None, None], (radius[:, 1] - radius[:, 0])[:, None, None]
        distance = square.clamp(min=1e-3).sqrt() - begin - taper * foot
        soft = self.softness.exp()
        near = torch.exp(distance.clamp(-REACH, REACH) / -soft)
        union = -soft * torch.log(F.conv2d(near, self.weights.exp()[:, :, None, None]) + 1e-9)
        union = union.float().clamp(-REACH, REACH)
        plain = F.interpolate(union[:, :1], scale_factor=2.0, mode="bilinear", align_corners=False)
        return 2 * plain + self.flesh(union / 3).float()

    def slopes(self, latent: Tensor) -> Tensor:
        """Derivatives of the first union by the latent (N, D): (N, D, 64 * 64), in pixels.

        The derivative of a smooth minimum is the mean of the strokes' derivatives, weighted by their share in it. A
        stroke's distance changes as its nearest point moves towards or away from the pixel (the envelope theorem; how
        the taper changes with the place of that point is left out). Only the last product involves the latent.
        """
        ends = self._ends(latent)
        a, bone = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
        length2 = bone.square().sum(-1, keepdim=True) + 0.01
        x, y = self.grid - a[..., :1], self.grid - a[..., 1:]
        along = (x * (bone[..., :1] / length2))[:, :, None] + (y * (bone[..., 1:] / length2))[..., None]
        foot = along.clamp(0, 1)
        across = x[:, :, None] - foot * bone[..., 0, None, None]
        down = y[..., None] - foot * bone[..., 1, None, None]
        away = (across.square() + down.square()).clamp(min=1e-3).sqrt()
        radius = self.thickness.exp()
        distance = away - radius[:, 0, None, None] - (radius[:, 1] - radius[:, 0])[:, None, None] * foot
        share = torch.exp(distance.clamp(-REACH, REACH) / -self.softness.exp()) * self.weights[0].exp()[:, None, None]
        share = share / (share.sum(1, keepdim=True) + 1e-9) / away
        right, under = -share * across, -share * down
        begin = torch.stack([right * (1 - foot), under * (1 - foot)], dim=2)
        end = torch.stack([right * foot, under * foot], dim=2)
        by_end = torch.stack([begin, end], dim=2).flatten(1, 3).flatten(2)  # (N, 4 K, 64 * 64)
        return 2 * self._weights().T @ by_end


class Autoencoder(nn.Module):
    """Frames (N, 1, 128, 128) in frame widths <-> latents (N, D), and joints (N, 21, 2) from latents."""

    pose_mean: Tensor
    pose_vectors: Tensor
    spread: Tensor  # `PoseBasis.std`, by the name that it has in the files of packs and checkpoints

    def __init__(self, config: AutoencoderConfig, basis: PoseBasis) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("pose_mean", torch.from_numpy(basis.mean))
        self.register_buffer("pose_vectors", torch.from_numpy(basis.vectors * basis.scale))
        self.register_buffer("spread", torch.from_numpy(basis.std))
        e, c = config.encoder, config.corrector
        self.eye = _down(16, e)
        self.marks = nn.Sequential(nn.Conv2d(e[1], e[1], 3, 1, 1), nn.SiLU(), nn.Conv2d(e[1], config.marks, 1))
        size = e[-1] * 16 + 2 * config.marks
        self.guess = nn.Sequential(nn.Linear(size, 256), nn.SiLU(), nn.Linear(256, config.latent))
        self.compare = _down(32, c)
        size = c[-1] * 16 + config.latent
        self.correct = nn.Sequential(nn.Linear(size, 192), nn.SiLU(), nn.Linear(192, config.latent))
        nn.init.zeros_(self.correct[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correct[2].bias)  # type: ignore[arg-type]
        self.decoder = Strokes(config, basis)
        self.deep = basis.axes == 3
        line = (torch.arange(16) + 0.5) / 16 - 0.5
        self.register_buffer("line", line, persistent=False)

    # --- from frames to latents

    def first_guess(self, pixels: Tensor) -> Tensor:
        """Frames (N, 16, 32, 32), folded, -1..1 -> latents (N, D)."""
        shallow = self.eye[:5](pixels)  # at 16²
        deep = self.eye[5:](shallow)
        # Where in the picture each mark is: spatial softmax, a mean over positions (Levine et al., 2016).
        places = self.marks(shallow).float().flatten(2).softmax(-1).unflatten(2, (16, 16))
        x, y = (places.sum(2) * self.line).sum(-1), (places.sum(3) * self.line).sum(-1)
        seen = torch.cat([deep.float().flatten(1), 4 * x, 4 * y], dim=-1)
        with exactly(seen):
            return self.guess(seen) * self.spread

    def encode(self, frame: Tensor) -> Tensor:
        """(N, 1, 128, 128) -> (N, D)."""
        latent = self.see(frame)
        for _ in range(self.config.settles):
            latent = self.settle(latent, frame)
        return latent

    def settle(self, latent: Tensor, frame: Tensor) -> Tensor:
        """One step of least squares towards the frame (N, 1, 128, 128): (N, D) -> (N, D).

        The picture and what is drawn are compared at 64², and the latent moves by (JJᵀ + damping)⁻¹ J r (Levenberg,
        1944), where r is the difference and J the slopes of the strokes near the outline. A limb that was guessed half
        its width off gets to its place; what no outline shows stays as it was guessed.
        """
        drawn = self.decode_pixels(latent)
        seen = F.avg_pool2d(frame * FRAME_SIZE - drawn.clamp(-CLAMP_PIXELS, CLAMP_PIXELS), 2).flatten(1)
        near = (CLAMP_PIXELS + 1 - F.avg_pool2d(drawn, 2).abs()).clamp(0, 1).flatten(1)
        slopes = self.decoder.slopes(latent) * self.spread[:, None] * near[:, None]
        square = slopes @ slopes.transpose(1, 2) + DAMPING * torch.eye(self.config.latent)
        return latent + self.spread * solve(square, (slopes @ seen[..., None])[..., 0]).clamp(-1, 1)

    def see(self, frame: Tensor, looks: int | None = None) -> Tensor:
        """The learned part of `encode`: a first guess and `looks` corrections, (N, 1, 128, 128) -> (N, D)."""
        pixels = F.pixel_unshuffle(frame * (FRAME_SIZE / CLAMP_PIXELS), 4)
        latent = self.first_guess(pixels)
        for _ in range(self.config.looks if looks is None else looks):
            with torch.no_grad():  # no gradients through this decode: only the last one is learned from
                drawn = self.decode_pixels(latent).clamp(-CLAMP_PIXELS, CLAMP_PIXELS) / CLAMP_PIXELS
            seen = self.compare(torch.cat([pixels, F.pixel_unshuffle(drawn, 4) - pixels], dim=1))
            seen = torch.cat([seen.float().flatten(1), latent / self.spread], dim=-1)
            with exactly(seen):
                latent = latent + 0.3 * self.correct(seen) * self.spread
        return latent

    # --- from latents to frames

    def decode_pixels(self, latent: Tensor) -> Tensor:
        """(N, D) -> (N, 1, 128, 128): signed distance in pixels, not clamped."""
        return self.decoder(latent)

    def decode_body(self, latent: Tensor) -> Tensor:
        """(N, D) -> (N, 21, 3) metres; of latents of format 2 (N, 21, 2) in frame coordinates."""
        with exactly(latent):
            return F.linear(latent, self.pose_vectors, self.pose_mean).unflatten(1, (len(JOINTS), -1))

    def decode_joints(self, latent: Tensor) -> Tensor:
        """(N, D) -> (N, 21, 2) in frame coordinates."""
        body = self.decode_body(latent)
        return project_body(body) if self.deep else body

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) -> frame (N, 1, 128, 128) in frame widths, joints (N, 21, 2) in frame coordinates."""
        pixels = self.decode_pixels(latent).clamp(-CLAMP_PIXELS, CLAMP_PIXELS)
        return pixels / FRAME_SIZE, self.decode_joints(latent)

    def pose_latent(self, joints: Tensor) -> Tensor:
        """Joints as `decode_body` gives them -> latents (N, D), for bodies whose joints are known. Bodies in space are
        projected where latents are those of format 2."""
        if not self.deep and joints.shape[-1] == 3:
            joints = project_body(joints)
        with exactly(joints):
            return (joints.flatten(1) - self.pose_mean) @ (self.pose_vectors / self.pose_vectors.square().sum(0))

    # --- losses

    def picture_loss(self, latent: Tensor, frame: Tensor) -> dict[str, Tensor]:
        """How far the frame that `latent` decodes to is from `frame` (N, 1, 128, 128)."""
        found = self.decode_pixels(latent).float()
        true = frame * FRAME_SIZE
        coverage = (0.5 - true).clamp(0, 1)
        edge = F.binary_cross_entropy_with_logits(-COVERAGE_SLOPE * found, coverage)
        band = F.smooth_l1_loss(found.clamp(-CLAMP_PIXELS, CLAMP_PIXELS), true)
        return {"total": edge + 0.2 * band, "edge": edge, "band": band}

    def drawing_loss(self, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """First lesson: draw bodies whose joints are known."""
        return self.picture_loss(self.pose_latent(joints), frame)

    def _pose_loss(self, latent: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """Mean distance of joints in the picture and error of their depth, in frame widths; joints that are NaN
        (footage) are left out."""
        known = torch.isfinite(joints).all(dim=-1)
        count = known.sum().clamp(min=1)
        found = self.decode_body(latent)
        if not self.deep and joints.shape[-1] == 3:
            joints = project_body(joints)
        # Unknown joints are replaced before anything is computed: a NaN would get into the gradient.
        gap = found - torch.where(known[..., None], joints, found.detach())
        if self.deep:
            gap = gap / FRAME_METRES
        losses = {"pose": ((gap[..., :2].square().sum(-1) + 1e-8).sqrt() * known).sum() / count}
        if self.deep:  # apart, or the depth, which is far less sure, would decide where a joint goes in the picture
            losses["depth"] = ((gap[..., 2].square() + 1e-8).sqrt() * known).sum() / count
        return losses

    def seeing_loss(self, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """Second lesson: guess the body from its picture."""
        losses = self._pose_loss(self.see(frame, looks=0), joints)
        return {"total": 10 * (losses["pose"] + DEPTH * losses.get("depth", 0.0)), **losses}

    def loss(self, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
        """Third lesson: the decoder gives back the picture that the encoder saw."""
        latent = self.see(frame)
        losses, pose = self.picture_loss(latent, frame), self._pose_loss(latent, joints)
        total = losses["total"] + pose["pose"] + DEPTH * pose.get("depth", 0.0)
        return {**losses, **pose, "total": total}


def project_body(body: Tensor) -> Tensor:
    """Joints (…, 21, 3) in metres about the centre of the crop -> (…, 21, 2) in frame coordinates."""
    return torch.stack([body[..., 0] / FRAME_METRES + 0.5, FLOOR - body[..., 1] / FRAME_METRES], dim=-1)


def solve(matrix: Tensor, right: Tensor, steps: int = 6) -> Tensor:
    """Solve symmetric positive systems, (N, D, D) and (N, D) -> (N, D), by conjugate gradients (Hestenes and Stiefel,
    1952) on rows and columns scaled to ones on the diagonal: only products, which every runtime has, because ONNX
    has no operator for a factorisation. It stops early: what few steps do not reach is what no outline shows, and
    in single precision more steps would add noise to it."""
    scale = torch.diagonal(matrix, dim1=1, dim2=2).rsqrt()
    matrix, right = matrix * scale[:, :, None] * scale[:, None], right * scale
    found, rest, way = torch.zeros_like(right), right, right
    power = rest.square().sum(1, keepdim=True)
    for _ in range(steps):
        ahead = (matrix @ way[..., None])[..., 0]
        length = power / ((way * ahead).sum(1, keepdim=True) + 1e-20)
        found, rest = found + length * way, rest - length * ahead
        left = rest.square().sum(1, keepdim=True)
        way, power = rest + left / (power + 1e-20) * way, left
    return found * scale


def parameters(module: nn.Module) -> int:
    """Number of trained parameters of a network."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
