"""Colours: from text, through the eye's own coordinates, and how bright they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# Björn Ottosson, "A perceptual color space for image processing", 2020.
_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                    [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                    [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
_FROM_LMS, _FROM_LAB = np.linalg.inv(_TO_LMS), np.linalg.inv(_TO_LAB)


def rgb(text: str) -> Doubles:
    """(3,) 0..1 of "#rrggbb". ValueError for anything else."""
    if not isinstance(text, str) or len(text) != 7 or text[0] != "#":
        raise ValueError(f"{text!r} is no colour such as #12ab9f")
    try:
        return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    except ValueError:
        raise ValueError(f"{text!r} is no colour such as #12ab9f") from None


def linear(colour: Doubles) -> Doubles:
    """sRGB 0..1 to linear light (IEC 61966-2-1)."""
    return np.where(colour <= 0.04045, colour / 12.92, ((np.maximum(colour, 0.04045) + 0.055) / 1.055) ** 2.4)


def encoded(light: Doubles) -> Doubles:
    """Linear light to sRGB, cut to 0..1."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


def luminance(colour: Doubles) -> Doubles:
    """(...) relative luminance of sRGB (..., 3), as WCAG defines it."""
    return linear(colour) @ np.array([0.2126, 0.7152, 0.0722])


def wander(colour: Doubles, degrees: float) -> Doubles:
    """(..., 3) sRGB with the hue turned in Oklab: lightness, and so the light of a large surface, stays as it is."""
    lab = np.cbrt(linear(colour) @ _TO_LMS.T) @ _TO_LAB.T
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b = lab[..., 1] * c - lab[..., 2] * s, lab[..., 1] * s + lab[..., 2] * c
    turned = np.stack([lab[..., 0], a, b], axis=-1)
    return encoded((turned @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T)


def turn_hue(colour: Doubles, degrees: float) -> Doubles:
    """Colours (..., 3) rotated about the grey axis (Rodrigues' formula), which keeps R + G + B and all greys."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b = (1 - c) / 3, s / math.sqrt(3)
    matrix = np.array([[c + a, a - b, a + b], [a + b, c + a, a - b], [a - b, a + b, c + a]])
    return np.maximum(colour @ matrix.T, 0)
