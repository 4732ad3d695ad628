"""Synthetic footage: known dance filmed by an imaginary camera, so that the true mask of every picture is known.

The outline is the product's own (see motion/body.py); inside it each pixel takes the colour of the nearest limb, shaded
like a round one. Behind it is a blue screen, a busy room, or a bright screen on which only a shadow is seen. Then the
picture is degraded as real ones are: by changing light, a hand-held camera, noise, and H.264.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from training.data.motion.body import PARTS, silhouettes
from training.data.motion.skeleton import INDEX
from visualizer.dancer.pack import FLOOR, FRAME_METRES
from visualizer.media import open_media

Picture = NDArray[np.uint8]
Field = NDArray[Any]  # of floats

CODECS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")  # all H.264
SCREENS = ("blue", "room", "shadow")
METRES_HIGH = 2.6  # that the picture shows
GROUND = 0.90  # of the picture's height: where the floor is
BLUE = (172, 92, 34)  # of the screen; blue, green, red
GREEN = (70, 168, 58)

# Clothes near the key, but not of it: a light blue shirt, jeans, a violet belt, dark shoes.
SKIN, HAIR, SHIRT, TROUSERS, SHOES = (128, 158, 205), (38, 46, 62), (196, 168, 128), (104, 72, 66), (52, 48, 58)
_WORN = {
    "head": SKIN, "neck": SKIN, "chest": SHIRT, "spine": SHIRT, "pelvis": TROUSERS, "shoulder": SHIRT, "elbow": SHIRT,
    "wrist": SKIN, "hand": SKIN, "hip": TROUSERS, "knee": TROUSERS, "ankle": TROUSERS, "toe": SHOES,
}  # fmt: skip


@dataclass(frozen=True)
class Spoiling:
    """How bad the picture is. `noise` grey levels (standard deviation), `crf` of H.264 (23 is usual, 35 is bad),
    `light` share by which it grows brighter and darker, `shake` pixels (of 480 lines) that the camera moves."""

    noise: float = 2.0
    crf: int = 20
    light: float = 0.0
    shake: float = 0.0


CONDITIONS = {
    "clean": Spoiling(),
    "noise": Spoiling(noise=9),
    "compression": Spoiling(crf=37),
    "light": Spoiling(light=0.3),
    "shake": Spoiling(shake=3),
    "all": Spoiling(7, 32, 0.25, 3),
}


@dataclass(frozen=True)
class Shot:
    """A film to be made. `positions` (T, 21, 3) metres at `fps`; `empty`: seconds of room before anyone comes."""

    positions: Field
    fps: float
    screen: str = "blue"
    spoiling: Spoiling = CONDITIONS["clean"]
    size: tuple[int, int] = (1280, 720)  # width, height
    empty: float = 0.0
    seed: int = 0

    @property
    def square(self) -> int:
        """Side in pixels of the square in which a body is drawn: the product's frame."""
        return round(self.size[1] / METRES_HIGH * FRAME_METRES)

    @property
    def pixels_a_metre(self) -> float:
        return self.square / FRAME_METRES

    def joints(self) -> Field:
        """Where the joints are in the picture, before the camera shakes: (T, 21, 2) pixels."""
        x = self.size[0] / 2 + self.positions[..., 0] * self.pixels_a_metre
        y = GROUND * self.size[1] - self.positions[..., 1] * self.pixels_a_metre
        return np.stack([x, y], axis=-1).astype(np.float32)


# --- the figure -----------------------------------------------------------------------------------------------


@numba.njit(fastmath=True, cache=True)
def _paint(ends: NDArray, radii: NDArray, colours: NDArray, order: NDArray, size: int) -> NDArray:  # pragma: no cover
    """Limbs painted from back to front, each a little wider than it is so that every pixel of the union finds one:
    `ends` (P, 4) pixels, `radii` (P, 2), `colours` (P, 3), `order` (P) -> (size, size, 3) float32."""
    out = np.zeros((size, size, 3), np.float32)
    near = np.full((size, size), np.float32(1e9))
    for k in order:
        ax, ay, bx, by = ends[k, 0], ends[k, 1], ends[k, 2], ends[k, 3]
        ra, rb = radii[k, 0], radii[k, 1]
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy + 1e-6
        reach = max(ra, rb) + 12
        x0, x1 = max(0, int(min(ax, bx) - reach)), min(size, int(max(ax, bx) + reach) + 2)
        y0, y1 = max(0, int(min(ay, by) - reach)), min(size, int(max(ay, by) + reach) + 2)
        for j in range(y0, y1):
            for i in range(x0, x1):
                px, py = i + 0.5 - ax, j + 0.5 - ay
                t = min(max((px * dx + py * dy) / length2, 0.0), 1.0)
                ex, ey = px - t * dx, py - t * dy
                r = ra + t * (rb - ra)
                away = np.sqrt(ex * ex + ey * ey)
                d = away - r
                # Inside a limb the one in front is seen; outside all of them the nearest one lends its colour.
                if d > 0 and d >= near[j, i]:
                    continue
                near[j, i] = min(d, np.float32(0.0)) if d <= 0 else d
                u = min(away / r, 1.0)
                height = np.sqrt(1 - u * u)
                light = 0.55 + 0.45 * (0.75 * height - 0.35 * ex / r - 0.35 * ey / r)
                weave = 1 + 0.07 * np.sin(0.9 * (px + 0.35 * py)) * np.sin(0.7 * (py - 0.2 * px))
                for c in range(3):
                    out[j, i, c] = colours[k, c] * min(max(light, 0.3), 1.1) * weave
    return out


_ENDS = [(INDEX[p[0]], INDEX[p[1]], p[2], p[3]) for p in PARTS]
_RADII = np.array([[p[4], p[5]] for p in PARTS], np.float32)


def _colours() -> Field:
    worn = [_WORN[p[1].split("_")[-1]] for p in PARTS]
    worn[PARTS.index(next(p for p in PARTS if p[1] == "chest"))] = SHIRT
    return np.array(worn, np.float32)


_WEARS = _colours()


def _figure(joints: Field, depth: Field, metre: float, size: int) -> tuple[Field, Field]:
    """Joints (21, 2) pixels of a square of `size`, `depth` (21,) metres towards the viewer -> coverage (size, size)
    0..1 and colours (size, size, 3)."""
    field = silhouettes((joints / size)[None].astype(np.float32), size)[0, 0] * size
    a, b = np.array([e[0] for e in _ENDS]), np.array([e[1] for e in _ENDS])
    span = np.array([[e[2], e[3]] for e in _ENDS], np.float32)
    begin = joints[a] + (joints[b] - joints[a]) * span[:, :1]
    end = joints[a] + (joints[b] - joints[a]) * span[:, 1:]
    order = np.argsort(depth[a] + depth[b], kind="stable")
    colours = _paint(np.concatenate([begin, end], axis=1), _RADII * np.float32(metre), _WEARS, order, size)
    return np.clip(0.5 - field, 0, 1), colours


# --- what is behind it ----------------------------------------------------------------------------------------


def _clouds(rng: np.random.Generator, width: int, height: int, cells: int) -> Field:
    """Soft random field, about -1..1."""
    small = rng.normal(0, 1, (max(2, cells * height // width), cells)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def backdrop(screen: str, size: tuple[int, int], seed: int) -> Field:
    """The empty place, (height, width, 3) 0..255, blue, green, red."""
    width, height = size
    rng = np.random.default_rng((seed, 5))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    if screen in ("blue", "green"):  # lit unevenly, with folds
        light = 1 - 0.16 * x * x - 0.12 * y * y + 0.05 * x + 0.03 * _clouds(rng, width, height, 9)[..., None]
        folds = 1 + 0.025 * np.sin(7 * x + 1.5 * np.sin(3 * y))
        return np.array(BLUE if screen == "blue" else GREEN, np.float32) * light * folds
    if screen == "shadow":
        light = 1 - 0.22 * (x * x + y * y) / 2 + 0.01 * _clouds(rng, width, height, 6)[..., None]
        return np.array((214, 232, 240), np.float32) * light
    wall = np.array((150, 165, 178), np.float32) * (1 + 0.06 * _clouds(rng, width, height, 24)[..., None])
    room = np.broadcast_to(wall, (height, width, 3)).copy()
    line = int(0.8 * height)
    boards = 1 + 0.1 * np.sign(np.sin(np.arange(width) / width * 60))[None, :, None]
    room[line:] = (
        np.array((70, 98, 128), np.float32) * boards * (1 + 0.05 * _clouds(rng, width, height, 90)[line:, :, None])
    )
    for _ in range(46):  # shelves, pictures, books, a lamp
        w, h = (rng.uniform(0.02, 0.16, 2) * (width, height)).astype(int) + 2
        left, top = rng.integers(0, width - w), rng.integers(0, max(1, line - h))
        colour = rng.uniform(20, 235, 3).astype(np.float32)
        grain = 1 + 0.15 * np.sign(np.sin(np.arange(w) * rng.uniform(0.1, 1.2)))[None, :, None]
        room[top : top + h, left : left + w] = colour * (grain if rng.random() < 0.5 else 1)
    return cv2.GaussianBlur(np.clip(room, 0, 255), (0, 0), height / 720)


# --- the film -------------------------------------------------------------------------------------------------


def pictures(shot: Shot) -> Iterator[tuple[Picture, NDArray[np.bool_]]]:
    """Each picture (height, width, 3), blue, green, red, before it is encoded, and its true mask (height, width)."""
    width, height = shot.size
    place = backdrop(shot.screen, shot.size, shot.seed)
    rng = np.random.default_rng((shot.seed, 6))
    joints = shot.joints()
    empty = round(shot.empty * shot.fps)
    count = len(joints) + empty
    seconds = np.arange(count) / shot.fps
    spoil = shot.spoiling
    shake = gaussian_filter1d(rng.normal(0, 1, (count, 2)), 0.12 * shot.fps, axis=0)
    shake *= spoil.shake * height / 480 / (shake.std() + 1e-9)
    light = 1 + spoil.light * (0.6 * np.sin(2 * np.pi * seconds / 7) + 0.4 * np.sin(2 * np.pi * seconds / 2.3 + 1))
    tint = 1 + 0.3 * (light[:, None] - 1) * np.array([-1, 0, 1])  # a lamp is redder when it is dimmer
    grain = rng.normal(0, 1, (height + 64, width + 64, 3)).astype(np.float32)  # a different part of it for each picture
    corner = np.array([0.0, 0.0])
    for k in range(count):
        scene, mask = place, np.zeros((height, width), np.bool_)
        if k >= empty:
            body = joints[k - empty]
            corner = np.round(body[0] - (shot.square / 2, 0.55 * shot.square))
            corner[1] = min(corner[1], GROUND * height + 0.05 * shot.square - shot.square)  # the feet are in it
            cover, colours = _figure(
                (body - corner).astype(np.float32), shot.positions[k - empty, :, 2], shot.pixels_a_metre, shot.square
            )
            scene, mask = _lay(place, cover, colours, corner, shot)
        moved = np.array([[1, 0, shake[k, 0]], [0, 1, shake[k, 1]]])
        if spoil.shake:
            scene = cv2.warpAffine(scene, moved, shot.size, borderMode=cv2.BORDER_REFLECT)
            mask = cv2.warpAffine(mask.astype(np.float32), moved, shot.size) > 0.5
        dx, dy = rng.integers(0, 64, 2)
        noisy = scene * (light[k] * tint[k]).astype(np.float32)
        noisy = noisy + spoil.noise * grain[dy : dy + height, dx : dx + width]
        yield np.clip(noisy, 0, 255).astype(np.uint8), mask


def _lay(
    place: Field, cover: Field, colours: Field, corner: NDArray[np.float64], shot: Shot
) -> tuple[Field, NDArray[np.bool_]]:
    """Figure of a square with its top left `corner` laid upon the place, with the shadow it casts; and its mask."""
    height = shot.size[1]
    whole = np.array([[1, 0, corner[0]], [0, 1, corner[1]]])
    cover = cv2.warpAffine(cover, whole, shot.size, flags=cv2.INTER_NEAREST)
    if shot.screen == "shadow":  # dim, soft-edged, not quite black
        soft = cv2.GaussianBlur(cover, (0, 0), height / 240)[..., None]
        return place * (1 - 0.86 * soft), cover > 0.5
    colours = cv2.warpAffine(colours, whole, shot.size, flags=cv2.INTER_NEAREST)
    aside = np.array([[1, 0, 0.05 * height], [0, 1, 0.02 * height]])
    cast = cv2.GaussianBlur(cv2.warpAffine(cover, aside, shot.size), (0, 0), height / 50)[..., None]
    return place * (1 - 0.22 * cast) * (1 - cover[..., None]) + colours * cover[..., None], cover > 0.5


def _yuv(picture: Picture) -> NDArray[np.uint8]:
    """Picture -> planes Y, U and V (3/2 height, width) as cameras write them: colour sits at every second column, and
    between two lines. A scaler that takes it to be in the middle of four pixels shifts it by half a pixel."""
    height, width, _ = picture.shape
    yuv = cv2.transform(picture.astype(np.float32), _BT601) + np.array([16, 128, 128], np.float32)
    left = np.roll(yuv, 1, axis=1)
    left[:, 0] = yuv[:, 0]
    colour = (left[:, ::2, 1:] + 2 * yuv[:, ::2, 1:] + yuv[:, 1::2, 1:]) / 4
    colour = (colour[::2] + colour[1::2]) / 2
    planes = [yuv[..., 0].ravel(), colour[..., 0].ravel(), colour[..., 1].ravel()]
    return np.clip(np.round(np.concatenate(planes)), 0, 255).astype(np.uint8).reshape(height * 3 // 2, width)


# Blue, green, red -> Y, U, V of ITU-R BT.601, limited range.
_BT601 = np.array([[24.966, 128.553, 65.481], [112, -74.203, -37.797], [-18.214, -93.786, 112]], np.float32) / 255


def film(shot: Shot, path: Path, sound: Path | None = None, lines: int = 480) -> NDArray[np.bool_]:
    """Write the film as H.264, with the `sound` of a file where given; its true masks (T, lines, width)."""
    codec = next(name for name in CODECS if name in av.codecs_available)
    masks = []
    small = (round(shot.size[0] * lines / shot.size[1]), lines)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=Fraction(shot.fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = *shot.size, "yuv420p"  # type: ignore[attr-defined]
        stream.options = {"crf": str(shot.spoiling.crf), "preset": "veryfast"}  # type: ignore[attr-defined]
        track = None
        if sound is not None:
            track = file.add_stream("aac", rate=48_000)
        for k, (picture, mask) in enumerate(pictures(shot)):
            masks.append(cv2.resize(mask.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0.5)
            frame = av.VideoFrame.from_ndarray(_yuv(picture), format="yuv420p")
            frame.pts = k
            file.mux(stream.encode(frame))  # type: ignore[attr-defined]
        file.mux(stream.encode(None))  # type: ignore[attr-defined]
        if sound is not None and track is not None:
            with open_media(sound, "song") as music:
                resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=1024)
                length, done = len(masks) / shot.fps, 0
                for heard in music.decode(audio=0):
                    for piece in resampler.resample(heard):
                        piece.pts = done
                        done += piece.samples
                        file.mux(track.encode(piece))  # type: ignore[attr-defined]
                    if done / 48_000 > length:
                        break
                file.mux(track.encode(None))  # type: ignore[attr-defined]
    return np.stack(masks)


def true_frames(shot: Shot) -> tuple[Field, Field]:
    """What the product makes of the same dance: fields (T, 128, 128) and the crop's centre (T,) in metres, smoothed
    over half a beat at 120 BPM."""
    centre = gaussian_filter1d(shot.positions[:, INDEX["pelvis"], 0], 0.25 * shot.fps, mode="nearest")
    x = (shot.positions[..., 0] - centre[:, None]) / FRAME_METRES + 0.5
    y = FLOOR - shot.positions[..., 1] / FRAME_METRES
    return silhouettes(np.stack([x, y], axis=-1).astype(np.float32))[:, 0], centre.astype(np.float32)


def at_rate(positions: Field, fps: float, rate: float, seconds: float, start: float = 0.0) -> Field:
    """A stretch of a clip at another frame rate."""
    at = np.minimum((start + np.arange(round(seconds * rate)) / rate) * fps, len(positions) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(positions) - 1)
    share = (at - low).astype(np.float32)[:, None, None]
    return positions[low] * (1 - share) + positions[high] * share


def spoiled(shot: Shot, condition: str) -> Shot:
    """The same shot in one of `CONDITIONS`."""
    return replace(shot, spoiling=CONDITIONS[condition])
