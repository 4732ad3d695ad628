"""From figures in a video to frames for the encoder: where the floor is, how large a body is, where the crop lies.

The frames of the product show 2.5 metres, the floor at one height, the pelvis in the middle, smoothed over half a beat,
and every body has the same bones. Footage does not say how many pixels a metre has; it is taken from the body: a
standing figure is `STANDING` metres high.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, percentile_filter

from training.data.footage.figure import KEPT
from training.data.footage.found import Found
from training.data.footage.mask_types import Mask
from training.data.footage.scale import metre_of
from training.data.motion.body import CLAMP_PIXELS
from visualizer.camera.landmarker import POINT
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE

# Measured on 75 clips of captured dance, drawn by the product's own renderer: the height in metres above the ground
# that the head exceeds a tenth of the time (it differs by 4% between clips), and how far the soles are below the floor.
STANDING, QUANTILE = 1.71, 0.9
SOLES = 0.0
GAP = 0.25  # seconds without a figure that end a clip
SHORTEST = 2.0  # seconds: a shorter clip is too short for a move
LEAP, SPEED = 0.2, 3.0  # heights, and heights a second: a figure that moved farther is in another shot
FEET_SECONDS, FEET_QUANTILE = 2.0, 85  # the floor is where the feet mostly are: a leap does not lift it
FLOOR_SMOOTH, CENTRE_SMOOTH = 0.4, 0.25  # seconds
KNOWN = 0.6  # share of the pictures in which a body must be seen to tell the size
NEAR_SHARE = 0.02  # of the picture's height that the floor must move before near and far are told apart
_FEET = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")]
FINE = 4  # pixels of a mask for one of the frame, a side


@dataclass(frozen=True)
class Track:
    """One clip of a video: pictures `index` (T,), and for each where the crop lies: `centre` (sideways) and `floor`
    (down) in pixels of the view, `metre` pixels a metre. `scene`: its number."""

    index: NDArray[np.int64]
    centre: NDArray[np.float64]
    floor: NDArray[np.float64]
    metre: NDArray[np.float64]
    scene: int


def part_of(track: Track, part: slice) -> Track:
    """The part of a clip with the pictures `part`."""
    return Track(track.index[part], track.centre[part], track.floor[part], track.metre[part], track.scene)


def scenes_of(found: Found) -> NDArray[np.int64]:
    """Number of the scene of each picture, (N,)."""
    return np.cumsum(found.cuts).astype(np.int64)


def split_clips(found: Found) -> tuple[list[NDArray[np.int64]], int]:
    """Pictures of each clip, and how many kept pictures lie in stretches too short to be one."""
    scenes = scenes_of(found)
    kept = np.flatnonzero(found.verdicts == KEPT)
    if not len(kept):
        return [], 0
    high = np.median(found.boxes[kept, 3])
    place = np.stack([found.hips[kept], found.boxes[kept, 1] + found.boxes[kept, 3] / 2], axis=1)
    gap = np.diff(found.times[kept])
    leap = np.linalg.norm(np.diff(place, axis=0), axis=1) > high * (LEAP + SPEED * gap)
    ends = np.flatnonzero((gap > GAP) | leap | (np.diff(scenes[kept]) != 0)) + 1
    parts = np.split(kept, ends)
    clips = [p for p in parts if found.times[p[-1]] - found.times[p[0]] >= SHORTEST]
    return clips, len(kept) - sum(map(len, clips))


def follow(found: Found, clips: list[NDArray[np.int64]], lines: int) -> list[Track]:
    """The crop of each clip; `lines`: height of the pictures. A scene has one camera, so its clips share a scale."""
    scenes = scenes_of(found)
    tracks: list[Track] = []
    for scene in sorted({int(scenes[c[0]]) for c in clips}):
        mine = [c for c in clips if scenes[c[0]] == scene]
        floors = [_floor(found, c) for c in mine]
        floor = np.concatenate(floors)
        high = floor - found.heads[np.concatenate(mine)]
        tall, slope = _height(floor, high, lines)
        if found.bodies is not None:  # a dancer may never stand upright; their bones are as long in any pose
            known = found.bodies[np.concatenate(mine)]
            if np.isfinite(known).all(axis=(1, 2)).mean() > KNOWN:
                tall = STANDING * metre_of(known)
        for index, ground in zip(mine, floors, strict=True):
            rate = (len(index) - 1) / (found.times[index[-1]] - found.times[index[0]])
            centre = gaussian_filter1d(found.hips[index].astype(np.float64), CENTRE_SMOOTH * rate, mode="nearest")
            metre = np.maximum(tall + slope * (ground - np.median(floor)), 0.3 * tall) / STANDING
            tracks.append(Track(index, centre, ground, metre, scene))
    return tracks


def _floor(found: Found, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the ground is under the dancer, pixels from the top, (T,)."""
    rate = float((len(index) - 1) / (found.times[index[-1]] - found.times[index[0]]))
    feet = (found.boxes[index, 1] + found.boxes[index, 3]).astype(np.float64)
    if found.bodies is not None:  # what lies over the feet, such as a caption, hides them in a mask
        with np.errstate(invalid="ignore"):
            feet = np.fmax(feet, found.bodies[index][:, _FEET, 1].max(axis=1))
    wide = max(3, round(FEET_SECONDS * rate))
    ground = percentile_filter(feet, FEET_QUANTILE, size=min(wide, len(feet)), mode="nearest")
    return np.asarray(gaussian_filter1d(ground, FLOOR_SMOOTH * rate, mode="nearest"))


def _height(floor: NDArray[np.float64], high: NDArray[np.float64], lines: int) -> tuple[float, float]:
    """Height in pixels of a standing body where the floor is at its median, and by how many pixels it grows for each
    pixel that the floor moves down: a nearer dancer is larger and lower. 0 where the floor hardly moves."""
    tall = float(np.quantile(high, QUANTILE))
    low, top = np.quantile(floor, [0.1, 0.9])
    if top - low < NEAR_SHARE * lines:
        return tall, 0.0
    edges = np.linspace(low, top, 6)
    bins = [(high[(floor >= a) & (floor <= b)], (a + b) / 2) for a, b in pairwise(edges)]
    filled = [(float(np.quantile(h, QUANTILE)), y, len(h)) for h, y in bins if len(h) >= 15]
    if len(filled) < 3:
        return tall, 0.0
    y = np.array([f[1] for f in filled]) - np.median(floor)
    slope, tall = np.polyfit(y, [f[0] for f in filled], 1, w=np.sqrt([f[2] for f in filled]))
    # For a level camera at chest height: a body of 1.7 m grows by about 1.3 pixels for each that its feet move down.
    slope = float(np.clip(slope, 0.0, 2.5))
    return float(np.median([f[0] - slope * (f[1] - np.median(floor)) for f in filled])), slope


def field(mask: Mask, left: int, top: int, centre: float, floor: float, metre: float) -> NDArray[np.float32]:
    """The mask of a figure, its box at `left`, `top`, as a frame: (128, 128) signed distance in frame widths."""
    size = FRAME_SIZE * FINE
    scale = size / FRAME_METRES / metre  # pixels of the fine frame for each of the view
    across = size / 2 - scale * (centre - left)
    down = size * (FLOOR + SOLES / FRAME_METRES) - scale * (floor - top)
    # The centres of pixels lie at halves.
    move = np.array([[scale, 0, across + scale / 2 - 0.5], [0, scale, down + scale / 2 - 0.5]])
    soft = cv2.copyMakeBorder(mask, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    if scale > 1:  # rounds off the steps of its pixels
        soft = cv2.GaussianBlur(soft, (0, 0), 0.7)
    move[:, 2] -= 2 * scale
    fine = cv2.warpAffine(soft, move, (size, size), flags=cv2.INTER_LINEAR if scale > 0.7 else cv2.INTER_AREA) > 127
    inside = fine.astype(np.uint8)
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    away += np.where(fine, 0.5, -0.5)  # from the centre of a pixel to its edge
    limit = (CLAMP_PIXELS + 1) * FINE
    small = cv2.resize(
        np.clip(away, -limit, limit).astype(np.float32), (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_AREA
    )
    return (np.clip(small / FINE, -CLAMP_PIXELS, CLAMP_PIXELS) / FRAME_SIZE).astype(np.float32)
