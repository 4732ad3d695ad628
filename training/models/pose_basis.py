"""The latent space: principal components of bodies.

A latent is a body, so half-way between two latents lies the body half-way between two bodies. Since format 3 of packs
it is a body in space: 21 × 3 joints in metres, x and z about the centre of the crop, y above the floor, and latents
are an isometry of them (63 numbers, nothing is lost). Latents of format 2 are 21 × 2 joints in frame coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import JOINTS
from visualizer.dancer.pack import FLOOR, FRAME_METRES

# Latents are divided by their std. Bones that keep their lengths leave directions in which bodies hardly differ (0.01
# mm); this is about 3 mm.
SMALLEST_STD = np.float32(0.02)
PLANE = 2 * len(JOINTS)  # numbers of a body in the picture


@dataclass(frozen=True)
class PoseBasis:
    """Principal components of the joints: latent = (joints - mean) @ vectors / scale, an isometry but for the scale.

    `mean` (J,), `vectors` (J, D) orthonormal, `std` (D,) of each latent over the data, whose mean square is 1. J is
    63 for bodies in space, 42 for bodies in the picture.
    """

    mean: NDArray[np.float32]
    vectors: NDArray[np.float32]
    scale: float
    std: NDArray[np.float32]

    @property
    def axes(self) -> int:
        """3 for bodies in space, 2 for bodies in the picture."""
        return len(self.mean) // len(JOINTS)

    def latents(self, joints: NDArray[np.floating]) -> NDArray[np.float32]:
        """Joints (…, 21, 2 or 3) -> latents (…, D)."""
        flat = joints.reshape(*joints.shape[:-2], -1)
        return ((flat - self.mean) @ self.vectors / self.scale).astype(np.float32)

    def joints(self, latents: NDArray[np.floating]) -> NDArray[np.float32]:
        """Latents (…, D) -> joints (…, 21, 2 or 3)."""
        flat = latents @ (self.vectors * np.float32(self.scale)).T + self.mean
        return flat.reshape(*latents.shape[:-1], len(JOINTS), -1).astype(np.float32)

    def in_picture(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Joints in frame coordinates as a linear function of latents: weights (42, D) and constants (42,)."""
        weights, constants = self.vectors * self.scale, self.mean
        if self.axes == 3:
            weights = weights.reshape(len(JOINTS), 3, -1)[:, :2] * np.array([[1], [-1]], np.float32) / FRAME_METRES
            constants = constants.reshape(len(JOINTS), 3)[:, :2] * np.array([1, -1], np.float32) / FRAME_METRES
            constants = constants + np.array([0.5, FLOOR], np.float32)
        return weights.reshape(PLANE, -1).astype(np.float32), constants.reshape(PLANE).astype(np.float32)

    def directions_in_picture(self) -> NDArray[np.float32]:
        """Orthonormal directions (P, D) of the latent space that a picture shows, those along which bodies of the data
        differ most first. What is orthogonal to them is depth. In the plane that is every direction."""
        if self.axes == 2:
            return np.eye(len(self.std), dtype=np.float32)
        weights = self.in_picture()[0].astype(np.float64)
        across = np.linalg.svd(weights, full_matrices=False)[2]
        across = across[: np.linalg.matrix_rank(weights)]
        power, turned = np.linalg.eigh(across * np.square(self.std.astype(np.float64)) @ across.T)
        return (turned[:, np.argsort(power)[::-1]].T @ across).astype(np.float32)


def pose_basis(joints: NDArray[np.float32], size: int) -> PoseBasis:
    """Principal components of many bodies (N, 21, 2 or 3)."""
    flat = joints.reshape(len(joints), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    power, vectors = np.linalg.eigh(np.cov((flat - mean).T))
    order = np.argsort(power)[::-1][:size]
    power, vectors = np.maximum(power[order], 1e-10), vectors[:, order]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(size)])  # the sign is arbitrary
    scale = float(np.sqrt(power.mean()))
    std = (np.sqrt(power) / scale).astype(np.float32)
    if joints.shape[-1] == 3:
        std = np.maximum(std, SMALLEST_STD)
    return PoseBasis(mean.astype(np.float32), vectors.astype(np.float32), scale, std)
