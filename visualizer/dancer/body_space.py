"""The bodies in space that latents of format 3 are: joints out of latents, and bodies turned about the vertical.

`pack.json` holds the principal axes, under "body". A latent is an isometry of 21 × 3 joints in metres: x right and z
towards the viewer, both about the centre of the crop, y above the floor. So a camera that walks round the dancer is a
rotation of the joints, and an affine map of the latent. Packs of format 2 have flat bodies, and no `BodySpace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.networks.contract import JOINT_COUNT

NUMBERS = 3 * JOINT_COUNT
SLANT = 1e-3  # of a scalar product of two axes, which must be 0, or 1 of one with itself
LONGEST = 100.0  # metres: no mean and no scale is larger


@dataclass(frozen=True)
class BodySpace:
    """latent = (joints - mean) @ axes / scale, the joints as 63 numbers: x, y and z of one after the other.

    `mean` (63,) metres, `axes` (63, D) orthonormal, `scale` metres that a unit of the latent is long, `std` (D,) of
    each latent over the training data.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    scale: float
    std: NDArray[np.float32]

    def joints(self, latent: NDArray[np.floating]) -> NDArray[np.float32]:
        """Latents (…, D) -> joints (…, 21, 3) in metres about the crop."""
        flat = np.asarray(latent, np.float32) @ (self.axes * np.float32(self.scale)).T + self.mean
        return flat.reshape(*latent.shape[:-1], JOINT_COUNT, 3).astype(np.float32, copy=False)

    def latents(self, joints: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (…, 21, 3) in metres about the crop -> latents (…, D)."""
        flat = joints.reshape(*joints.shape[:-2], NUMBERS)
        return ((flat - self.mean) @ self.axes / self.scale).astype(np.float32)

    @cached_property
    def _turning(self) -> tuple[NDArray[np.float32], ...]:
        """Weights (D, D) and constants (D,) of what a turn by φ adds to a latent: for (cos φ - 1) and for sin φ."""
        axes, mean = self.axes.astype(np.float64), self.mean.astype(np.float64)
        made: list[NDArray[np.float32]] = []
        # x' = x cos φ + z sin φ, z' = z cos φ - x sin φ: the first part stays in its axis, the second changes it.
        for change in (np.diag([1.0, 0, 1]), np.array([[0.0, 0, 1], [0, 0, 0], [-1, 0, 0]])):
            whole = np.kron(np.eye(JOINT_COUNT), change)
            made += [
                (axes.T @ whole.T @ axes).astype(np.float32),
                (mean @ whole.T @ axes / self.scale).astype(np.float32),
            ]
        return tuple(made)

    def turn(self, latent: NDArray[np.float32], yaw: NDArray[np.floating]) -> NDArray[np.float32]:
        """Latents (N, D) of bodies as a camera sees them that has walked round by `yaw` (N,) degrees.

        As in `training.data.motion.skeleton.turn`: a positive turn brings the left side of a dancer who faces the
        viewer towards the viewer's left.
        """
        angle = np.radians(np.asarray(yaw, np.float32))[:, None]
        if not angle.any():
            return latent
        kept, kept_mean, crossed, crossed_mean = self._turning
        less, sine = np.cos(angle) - 1, np.sin(angle)
        turned = latent + less * (latent @ kept + kept_mean) + sine * (latent @ crossed + crossed_mean)
        return turned.astype(np.float32, copy=False)

    @property
    def across(self) -> NDArray[np.float64]:
        """Weights (D + 1, 21) from a latent and 1 to how far right of the crop's centre the joints are, metres."""
        weights = np.concatenate([self.axes * self.scale, self.mean[:, None]], axis=1)
        return weights[::3].T.astype(np.float64)


def turn_travel(travel: NDArray[np.float32], yaw: NDArray[np.floating]) -> NDArray[np.float32]:
    """Travel (N, 2), to the right and towards the viewer, as the camera of `BodySpace.turn` sees it."""
    angle = np.radians(np.asarray(yaw, np.float32))
    cos, sin = np.cos(angle), np.sin(angle)
    x, z = travel[:, 0], travel[:, 1]
    return np.stack([x * cos + z * sin, z * cos - x * sin], axis=1)


def read_body_space(value: Any, latent_size: int) -> BodySpace:
    """Check "body" of a `pack.json`. ValueError with what is wrong."""
    if not isinstance(value, dict) or set(value) != {"mean", "axes", "scale", "std"}:
        raise ValueError("body must have mean, axes, scale and std")
    scale = value["scale"]
    if type(scale) not in (int, float) or not 0 < scale < LONGEST:
        raise ValueError("body's scale must be a number above 0")
    shapes = {"mean": (NUMBERS,), "axes": (NUMBERS, latent_size), "std": (latent_size,)}
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        try:
            array = np.asarray(value[name], dtype=np.float32)
        except (TypeError, ValueError, OverflowError):
            array = np.zeros(0, np.float32)
        if array.shape != shape or not (np.abs(array) < LONGEST).all():
            raise ValueError(f"body's {name} must be {' times '.join(map(str, shape))} numbers")
        arrays[name] = array
    if not (arrays["std"] > 0).all():
        raise ValueError("body's std must be above zero")
    if np.abs(arrays["axes"].T @ arrays["axes"] - np.eye(latent_size)).max() > SLANT:
        raise ValueError("body's axes must be orthonormal")
    return BodySpace(arrays["mean"], arrays["axes"], float(scale), arrays["std"])


def describe_body_space(space: BodySpace) -> dict[str, Any]:
    """`read_body_space` turned round: single precision, with as many digits as it has."""

    def digits(array: NDArray[np.float32]) -> list[Any]:
        return [digits(row) for row in array] if array.ndim > 1 else [float(str(number)) for number in array]

    return {"mean": digits(space.mean), "axes": digits(space.axes), "scale": space.scale, "std": digits(space.std)}
