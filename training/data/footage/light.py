"""Pictures of high dynamic range (HDR) as any screen shows them: telephones film so by default.

Their levels follow PQ (SMPTE ST 2084) or HLG (ARIB STD-B67) and their colours are those of ITU-R BT.2020. Read as
ordinary levels they are pale, and a dark dancer is grey before a grey wall.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

PQ, HLG = 16, 18  # transfer characteristics, as streams name them (ITU-T H.273)
WHITE = 203.0  # cd/m² of white paper (ITU-R BT.2408)
HLG_PEAK = 1000.0  # cd/m² of the screen that HLG is made for
KNEE = 0.75  # of white: what is brighter is pressed together
# Red, green, blue of BT.2020 -> of BT.709, linear light (ITU-R BT.2087).
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
_LEVELS = 4096  # of the tables


def is_hdr(frame: av.VideoFrame) -> bool:
    """Whether the levels of a picture are those of PQ or HLG."""
    return int(frame.color_trc) in (PQ, HLG)


@lru_cache(maxsize=2)
def _linear(transfer: int) -> NDArray[np.float32]:
    """Light of each of `_LEVELS` levels from 0 to 1, 1 for white paper."""
    level = np.linspace(0, 1, _LEVELS)
    if transfer == PQ:
        power = level ** (1 / 78.84375)
        light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return (light * 10000 / WHITE).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
    return (scene**1.2 * HLG_PEAK / WHITE).astype(np.float32)  # the screen's own gamma


@lru_cache(maxsize=1)
def _shown() -> NDArray[np.uint8]:
    """sRGB byte of each of `_LEVELS` levels of light from 0 to 1."""
    light = np.linspace(0, 1, _LEVELS)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * level).astype(np.uint8)


def tone_mapped(frame: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    """A picture of high dynamic range, scaled: (height, width, 3) blue, green, red."""
    planes = frame.reformat(width, height, format="yuv444p16le", interpolation=Interpolation.AREA).to_ndarray()
    y, u, v = np.moveaxis(planes.astype(np.float32), -1, 0)
    full = int(frame.color_range) == 2  # else levels are those of studios
    y = y / 65535 if full else (y - 4096) / 56064
    u, v = ((plane - 32768) / (65535 if full else 57344) for plane in (u, v))
    levels = np.stack([y + 1.4746 * v, y - 0.16455 * u - 0.57135 * v, y + 1.8814 * u], axis=-1)
    light = _linear(int(frame.color_trc))[_index(levels)] @ _TO_709.T
    most = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    pressed = np.where(most > KNEE, KNEE + (1 - KNEE) * (1 - np.exp(-(most - KNEE) / (1 - KNEE))), most)
    return np.ascontiguousarray(_shown()[_index(light * (pressed / most))][..., ::-1])


def _index(values: NDArray[Any]) -> NDArray[np.int32]:
    """0 to 1 as a place in a table."""
    return np.clip(values * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1).astype(np.int32)
