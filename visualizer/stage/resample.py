"""Growing, shrinking and blurring as products with small dense matrices.

All of them are linear and separable, so a picture is `down @ picture @ across`, and BLAS does that faster than any
image library here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAINTEST = 1e-5  # weights of a blur that are less count as none
WIDEST = math.sqrt(-2 * math.log(FAINTEST))  # beyond so many spreads there are none

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


def catmull_rom(t: Doubles) -> Doubles:
    """Keys' cubic convolution kernel, a = -1/2: passes through the samples; crisp."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def cubic_b_spline(t: Doubles) -> Doubles:
    """The cubic B-spline: smooths, never overshoots; for light and noise."""
    t = np.abs(t)
    near = (0.5 * t - 1) * t * t + 2 / 3
    return np.where(t < 1, near, np.where(t < 2, (2 - t) ** 3 / 6, 0))


def upsampling(
    outputs: int, inputs: int, scale: float, shift: float, kernel: Callable[[Any], Doubles] = catmull_rom
) -> Array:
    """(outputs, inputs) banded weights: output pixel p looks at input place (p + 0.5 - shift) / scale - 0.5.

    Beyond the ends the last input goes on.
    """
    at = (np.arange(outputs) + 0.5 - shift) / scale - 0.5
    weights = np.zeros((outputs, inputs))
    first = np.floor(at).astype(int) - 1
    for tap in range(4):
        column = first + tap
        np.add.at(weights, (np.arange(outputs), np.clip(column, 0, inputs - 1)), kernel(at - column))
    return weights.astype(np.float32)


def gaussian(to: Doubles, fro: Doubles, spread: float, step: float) -> tuple[slice, Array]:
    """Weights (n, len(fro)) of a Gaussian blur from samples `step` apart; they sum to 1 away from the ends.

    With the n of `to` that they are for: the weights of all others are 0. Both rise.
    """
    reach = WIDEST * spread
    first, last = to.searchsorted((fro[0] - reach, fro[-1] + reach)).tolist()
    away = ((to[first:last, None] - fro[None, :]) / spread).astype(np.float32)
    weights = np.exp(np.float32(-0.5) * np.square(away))
    weights[weights < FAINTEST] = 0  # tiny numbers below float32's normal range would make every product slow
    weights *= np.float32(step / (spread * math.sqrt(2 * math.pi)))
    return slice(first, last), weights


def zoom_matrix(centres: Doubles, about: float, zoom: float, shift: float = 0.0) -> Array:
    """Linear resampling that grows a row of cells by `zoom` about the place `about` and moves them by `shift`."""
    step = centres[1] - centres[0]
    at = np.clip((about + (centres - shift - about) / zoom - centres[0]) / step, 0, len(centres) - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(len(centres))[None, :]), 0).astype(np.float32)


def spreading(cells: int, spread: float) -> Array:
    """(cells, cells) one small step of diffusion with standard deviation `spread`, in cells, below about 1."""
    side = min(spread * spread / 2, 0.33)
    return (np.eye(cells) * (1 - 2 * side) + side * (np.eye(cells, k=1) + np.eye(cells, k=-1))).astype(np.float32)


def noise(shape: tuple[int, int], cell: tuple[float, float], seed: int) -> Array:
    """Smooth noise (height, width) with cells of `cell` pixels, down and across; mean 0, standard deviation 1."""
    (height, width), (down, across) = shape, cell
    rows, columns = math.ceil(height / down) + 3, math.ceil(width / across) + 3
    coarse = np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)
    if max(down, across) <= 1:
        fine = coarse[:height, :width]
    else:
        high = upsampling(height, rows, max(down, 1.0), 0.0, cubic_b_spline)
        wide = upsampling(width, columns, max(across, 1.0), 0.0, cubic_b_spline)
        fine = _banded(high, coarse, max(down, 1.0)) if rows > 64 else high @ coarse
        fine = _banded(wide, np.ascontiguousarray(fine.T), max(across, 1.0)).T if columns > 64 else fine @ wide.T
    return np.ascontiguousarray((fine - fine.mean()) / max(float(fine.std()), 1e-6), np.float32)


def _banded(weights: Array, coarse: Array, scale: float) -> Array:
    """`weights @ coarse`, strip by strip: each output needs only a few inputs."""
    out = np.empty((len(weights), coarse.shape[1]), np.float32)
    for start in range(0, len(weights), 64):
        stop = min(start + 64, len(weights))
        first, last = max(int(start / scale) - 2, 0), min(int(stop / scale) + 4, weights.shape[1])
        np.matmul(weights[start:stop, first:last], coarse[first:last], out=out[start:stop])
    return out
