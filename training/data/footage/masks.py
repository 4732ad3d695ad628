"""From a picture to the mask of the one who dances in it, by one of four ways.

`key`      before a screen of one colour: contrast is raised, the colour taken out, what remains is one colour
`shadow`   a dark figure on a bright screen
`still`    before anything, by a camera that stands still: what differs from the learned background
`person`   anywhere, by a segmentation network that the user brings along

Each way looks at a few pictures of the video first (`prepare`); after that every picture is judged alone, so that it
does not matter where reading began.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from training.data.footage.video import Picture, thumbnail
from visualizer.errors import UserError

Mask = NDArray[np.uint8]  # (height, width): 255 where the figure is, 0 elsewhere
Step = tuple[str, Picture | Mask]

METHODS = ("key", "shadow", "still", "person")
NAMED_KEYS = {"blue": (200, 80, 20), "green": (60, 190, 60)}  # blue, green, red


class Method(Protocol):
    """One way of finding the figure."""

    def mask(self, picture: Picture) -> Mask: ...

    def steps(self, picture: Picture) -> list[Step]:
        """The same, step by step, as pictures to be looked at; the last is the mask."""
        ...


def masked(picture: Picture, mask: Mask) -> Picture:
    """What the mask keeps of a picture, on white."""
    return np.where(mask[..., None] > 0, picture, np.uint8(255)).astype(np.uint8)


BAND = 2  # pixels on either side of the outline that are decided anew
AROUND = 13  # pixels: side of the square whose figure and background a pixel of the band is compared with
TELLING = 18.0  # grey levels between the two, below which the band stays as it was


def refined(picture: Picture, mask: Mask) -> Mask:
    """The outline laid where the picture is half figure, half background.

    A pixel near the outline lies, in colour, on the way from the background beside it to the figure beside it; past
    half of the way it is figure. Without this, bright clothes swell and dark ones shrink.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0 or h == 0:
        return mask
    y0, y1, x0, x1 = max(0, y - AROUND), y + h + AROUND, max(0, x - AROUND), x + w + AROUND
    part, near = mask[y0:y1, x0:x1], picture[y0:y1, x0:x1]
    kernel = np.ones((2 * BAND + 1, 2 * BAND + 1), np.uint8)
    inner, outer = cv2.erode(part, kernel), cv2.dilate(part, kernel)
    colour = near.astype(np.float32)

    def beside(sure: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
        weight = cv2.boxFilter(sure.astype(np.float32), -1, (AROUND, AROUND))
        total = cv2.boxFilter(colour * sure[..., None], -1, (AROUND, AROUND))
        return total / np.maximum(weight, 1e-6)[..., None], weight

    figure, some = beside(inner > 0)
    ground, other = beside(outer == 0)
    across = figure - ground
    far = np.square(across).sum(axis=-1)
    share = ((colour - ground) * across).sum(axis=-1) / np.maximum(far, 1.0)
    told = (outer > 0) & (inner == 0) & (some > 0.01) & (other > 0.01) & (far > TELLING * TELLING)
    out = mask.copy()
    out[y0:y1, x0:x1] = np.where(told, np.where(share > 0.5, np.uint8(255), np.uint8(0)), part)
    return out


# --- key ------------------------------------------------------------------------------------------------------

TIGHT = 0.14  # least distance from the colour's ray, in tangents, at which something is no longer the screen
LOOSE = 0.34  # and the greatest, however noisy the screen is
SIGMAS = 4.0  # of the screen's own scatter that are still screen
DARKEST, BRIGHTEST = 0.3, 1.9  # of a lively screen, against its middle: a shadow, a spot of light
GREY = 0.35  # saturation below which shade counts too, since a grey wall has hardly a colour of its own


@dataclass(frozen=True)
class Key:
    """A screen of one `colour` (blue, green, red), as `prepare` found it at the border."""

    colour: tuple[float, float, float]

    def raised(self, picture: Picture) -> Picture:
        """Contrast raised: the darkest hundredth black, the brightest white, smoothed over the grain."""
        smooth = cv2.GaussianBlur(picture, (3, 3), 0)
        coarse = smooth[::4, ::4].reshape(-1, 3)
        low, high = np.percentile(coarse.min(axis=1), 1), np.percentile(coarse.max(axis=1), 99)
        low = min(low, 40.0)  # a haze, no more: all bright is no reason to see black
        gain = 255 / max(high - low, 64)
        return cv2.convertScaleAbs(cv2.subtract(smooth, (low, low, low, 0)), alpha=gain)  # type: ignore[call-overload]

    def mask(self, picture: Picture) -> Mask:
        return self._out(self.raised(picture))

    def _out(self, raised: Picture) -> Mask:
        """Everything but the screen's colour. Its brightness may be any, and the light may change."""
        few = raised[::6, ::6].reshape(-1, 3).astype(np.float32)
        key = np.array(self.colour, np.float32)
        grey = 1 - float(key.min() / max(key.max(), 1.0)) < GREY
        scatter = TIGHT
        for _ in range(3):  # the light of this picture: the middle of what looks like the screen
            shade = few @ key / float(key @ key)
            off = np.linalg.norm(few - shade[:, None] * key, axis=1) / (np.maximum(shade, 0.25) * np.linalg.norm(key))
            screen = (off < LOOSE) & (shade > DARKEST) & (shade < BRIGHTEST)
            if screen.mean() < 0.02:
                break
            key = np.median(few[screen], axis=0)
            scatter = 1.25 * float(np.median(off[screen]))
        limit = float(np.clip(SIGMAS * scatter, TIGHT, LOOSE))
        low, high = (0.72, 1.35) if grey else (DARKEST, BRIGHTEST)
        return _not_key(raised, key.astype(np.float32), limit, low, high)

    def steps(self, picture: Picture) -> list[Step]:
        raised = self.raised(picture)
        mask = self._out(raised)
        return [("picture", picture), ("contrast", raised), ("colour_out", masked(raised, mask)), ("one_colour", mask)]


@numba.njit(fastmath=True, cache=True)
def _not_key(picture: NDArray, key: NDArray, limit: float, low: float, high: float) -> NDArray:  # pragma: no cover
    """255 where a pixel lies off the ray from black through `key` by more than `limit`, or is darker or brighter than
    `low`, `high` times as bright: brightness and colour apart (Horprasert, Harwood and Davis, 1999)."""
    height, width, _ = picture.shape
    out = np.empty((height, width), np.uint8)
    power = key[0] * key[0] + key[1] * key[1] + key[2] * key[2] + np.float32(1e-6)
    length = np.sqrt(power)
    for j in range(height):
        for i in range(width):
            b, g, r = np.float32(picture[j, i, 0]), np.float32(picture[j, i, 1]), np.float32(picture[j, i, 2])
            shade = (b * key[0] + g * key[1] + r * key[2]) / power
            db, dg, dr = b - shade * key[0], g - shade * key[1], r - shade * key[2]
            off = np.sqrt(db * db + dg * dg + dr * dr) / (max(shade, np.float32(0.25)) * length)
            out[j, i] = 255 if off > limit or shade < low or shade > high else 0
    return out


def border(picture: Picture) -> NDArray[np.float32]:
    """Pixels of the left, right and top edges, where nobody dances, (N, 3)."""
    h, w, _ = picture.shape
    x, y = max(2, w // 16), max(2, h // 16)
    edges = (picture[:, :x], picture[:, -x:], picture[:y, x:-x])
    return np.concatenate([e[::2, ::2].reshape(-1, 3) for e in edges]).astype(np.float32)


def find_key(looks: Sequence[Picture], wish: str, where: Path) -> Key:
    """The colour to take out: `wish` is border, blue, green or #rrggbb. UserError where it is not at the border."""
    raised = [Key((1, 1, 1)).raised(p) for p in looks]
    edges = np.concatenate([border(p) for p in raised])
    if match := re.fullmatch(r"#?([0-9a-fA-F]{6})", wish):
        red, green, blue = (int(match[1][k : k + 2], 16) for k in (0, 2, 4))
        rough = np.array([blue, green, red], np.float32)
    elif wish in NAMED_KEYS:
        rough = np.array(NAMED_KEYS[wish], np.float32)
    elif wish == "border":  # the commonest colour there, in cubes of an eighth of the range
        cube = (edges // 32).astype(np.int64) @ np.array([64, 8, 1])
        rough = np.median(edges[cube == np.bincount(cube).argmax()], axis=0)
    else:
        raise UserError(f"key {wish!r}: must be border, blue, green or a colour such as #1e60c8")
    if not rough.any():
        raise UserError(f"{where}: black, at its border or as --key, is no colour to take out; another --key, --crop "
                        "or --method?")  # fmt: skip
    # What has about its hue, whatever its brightness.
    shade = edges @ rough / float(rough @ rough)
    off = np.linalg.norm(edges - shade[:, None] * rough, axis=1) / (np.maximum(shade, 0.05) * np.linalg.norm(rough))
    alike = (off < (0.75 if wish in NAMED_KEYS else 0.4)) & (shade > 0.15)
    if alike.mean() < 0.15:
        raise UserError(f"{where}: hardly any {wish} at its border; is it the colour of the screen? (--key)")
    colour = np.median(edges[alike], axis=0)
    return Key((float(colour[0]), float(colour[1]), float(colour[2])))


# --- shadow ---------------------------------------------------------------------------------------------------

LEAST_CONTRAST = 0.3  # of the screen's brightness between it and a shadow


@dataclass(frozen=True)
class Shadow:
    """A dark figure on a bright screen, which may be lit unevenly and need not fill the picture."""

    def _parts(self, picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Brightness against what the screen would have there, 200 as bright, and where the screen is."""
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        small = cv2.resize(grey, _COARSE, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        top = float(np.percentile(small, 90))
        lit, light = small > 0.5 * top, np.full(small.size, max(top, 1.0))
        for _ in range(3):  # a curved surface through what is bright, the figure and dark surroundings left out
            if lit.sum() < 50:
                break
            terms = _TERMS[lit]
            light = np.maximum(_TERMS @ np.linalg.solve(terms.T @ terms, terms.T @ small[lit]), 1.0)
            lit = small > 0.8 * light
        field = cv2.resize(light.reshape(_COARSE[::-1]).astype(np.float32), grey.shape[::-1])
        even = np.asarray(cv2.divide(grey, field, scale=200, dtype=cv2.CV_8U), np.uint8)
        return even, _hull(even)

    def mask(self, picture: Picture) -> Mask:
        return self._dark(*self._parts(picture))

    def _dark(self, even: NDArray[np.uint8], screen: NDArray[np.uint8]) -> Mask:
        inside = even[screen > 0]
        if len(inside) < 100:
            return np.zeros(even.shape, np.uint8)
        limit, _ = cv2.threshold(inside, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        count = np.bincount(inside, minlength=256)
        dark, bright = _middle(count[: int(limit) + 1]), int(limit) + 1 + _middle(count[int(limit) + 1 :])
        if bright - dark < 200 * LEAST_CONTRAST:
            return np.zeros(even.shape, np.uint8)
        # Half-way down a soft edge is the edge.
        return np.where((even < (dark + bright) / 2) & (screen > 0), np.uint8(255), np.uint8(0)).astype(np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        even, screen = self._parts(picture)
        return [("picture", picture), ("even_light", even), ("screen", screen), ("mask", self._dark(even, screen))]


_COARSE = (64, 36)
_X, _Y = np.meshgrid(np.linspace(-1, 1, _COARSE[0]), np.linspace(-1, 1, _COARSE[1]))
_TERMS = np.stack([np.ones_like(_X), _X, _Y, _X * _X, _X * _Y, _Y * _Y], axis=-1).reshape(-1, 6)


def _middle(count: NDArray[np.int64]) -> int:
    """The median of a histogram."""
    return int(np.searchsorted(np.cumsum(count), count.sum() / 2))


def _hull(even: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The screen: the convex hull of the largest bright part."""
    small = cv2.resize(even, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    out = np.zeros(even.shape, np.uint8)
    outlines, _ = cv2.findContours((small > 140).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if outlines:
        h, w = small.shape
        scale = ((even.shape[1] - 1) / max(w - 1, 1), (even.shape[0] - 1) / max(h - 1, 1))
        hull = cv2.convexHull(max(outlines, key=cv2.contourArea)).reshape(-1, 2) * scale
        cv2.fillConvexPoly(out, np.round(hull).astype(np.int32), 255)
    return out


# --- still camera ---------------------------------------------------------------------------------------------

ALIKE = 0.75  # correlation of two small pictures of one place
FEWEST = 6  # pictures that a background is learned from
MOG2_FAR, KNN_FAR = 30.0, 400.0  # squared distance from the background: in variances; in grey levels
LEAST_VARIANCE = 6.0  # of a pixel's colours: a camera that keeps quiet for a moment will not always
DEEPEST_SHADOW = 0.6  # of the background's brightness
SHRINKS = (8, 4)  # of the pictures by which a tremble is found, coarse first
FARTHEST = 0.05  # of the picture's width that a camera may have moved


class Still:
    """A camera that stands still: a mixture of colours is learned for each pixel (Zivkovic, 2004: OpenCV's MOG2, or
    KNN), shadows are told by their colour, and what moves and is largest is the body.

    The pictures that it learns from are those of the same place, so that a video may have several. Each picture is
    first laid upon the background, which a tripod's tremble needs, and brought to its light.
    """

    def __init__(self, looks: Sequence[Picture], model: str = "mog2") -> None:
        self._model = model
        self._learned: dict[int, Place] = {}
        self._places: list[list[Picture]] = []
        self._small: list[NDArray[np.float32]] = []
        for picture in looks:
            found = self._place_of(picture)
            if found is None:
                self._places.append([picture])
                self._small.append(_flat(thumbnail(picture)))
            else:
                self._places[found].append(picture)

    def _place_of(self, picture: Picture) -> int | None:
        """Number of the place that looks most like the picture, if any is like it."""
        small = _flat(thumbnail(picture))
        alike = [float((small * s).mean()) for s in self._small]
        best = int(np.argmax(alike)) if alike else 0
        return best if alike and alike[best] > ALIKE else None

    def _find(self, picture: Picture) -> Place | None:
        """The place that the picture shows; learned when it is first asked for."""
        number = self._place_of(picture)
        if number is None or len(self._places[number]) < FEWEST:
            return None
        if number not in self._learned:
            self._learned[number] = Place(self._places[number], self._model)
        return self._learned[number]

    def mask(self, picture: Picture) -> Mask:
        place = self._find(picture)
        return place.moving(picture) if place else np.zeros(picture.shape[:2], np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        place = self._find(picture)
        if place is None:
            return [("picture", picture), ("mask", np.zeros(picture.shape[:2], np.uint8))]
        laid, _ = place.laid(picture)
        return [("picture", picture), ("background", place.picture), ("differs", place.raw(laid)),
                ("mask", place.moving(picture))]  # fmt: skip


def _flat(small: NDArray[np.float32]) -> NDArray[np.float32]:
    return (small - small.mean()) / (small.std() + 1e-3)


class Place:
    """One background, learned from pictures of it."""

    def __init__(self, looks: Sequence[Picture], model: str) -> None:
        self._learn(np.median(np.stack(looks), axis=0).astype(np.uint8))
        laid = [self.laid(p)[0] for p in looks]
        self._learn(np.median(np.stack(laid), axis=0).astype(np.uint8))
        if model == "knn":
            self._sure: Any = cv2.createBackgroundSubtractorKNN(len(laid), KNN_FAR, True)
        else:
            self._sure = cv2.createBackgroundSubtractorMOG2(len(laid), MOG2_FAR, True)
            self._sure.setVarMin(LEAST_VARIANCE)
        self._sure.setShadowThreshold(DEEPEST_SHADOW)
        for k, picture in enumerate(laid):
            self._sure.apply(cv2.GaussianBlur(picture, (3, 3), 0), learningRate=1 / (k + 1))

    def _learn(self, picture: Picture) -> None:
        """Take a picture for the background."""
        self.picture = picture
        self._greys = _small_greys(picture)
        self._slopes = [np.stack([*np.gradient(g)][::-1], axis=-1).reshape(-1, 2) for g in self._greys]
        self._few = picture[::8, ::8].reshape(-1, 3).astype(np.float32)

    def _offset(self, picture: Picture) -> tuple[float, float]:
        """How far the picture lies right of and below the background, in pixels: least squares on their difference
        (Lucas and Kanade, 1981), what differs most left out, for that is the dancer."""
        move = np.zeros(2)
        for shrink, ground, slopes, grey in zip(SHRINKS, self._greys, self._slopes, _small_greys(picture), strict=True):
            grey = grey * np.float32(np.median(ground[::3, ::3]) / max(float(np.median(grey[::3, ::3])), 1.0))
            for _ in range(4):
                back = _moved(grey, *(-move / shrink))
                off = (back - ground).ravel()
                few = off[::7]
                middle = np.median(few)
                off = off - middle
                good = np.abs(off) < max(3 * 1.48 * float(np.median(np.abs(few - middle))), 3.0)
                told = slopes * good[:, None]
                square = told.T @ slopes + np.eye(2)
                step = np.linalg.solve(square, told.T @ off)
                move = move - shrink * np.clip(step, -2, 2)
                if np.abs(step).max() < 0.01:
                    break
        far = FARTHEST * picture.shape[1]
        return (float(move[0]), float(move[1])) if np.abs(move).max() < far else (0.0, 0.0)

    def laid(self, picture: Picture) -> tuple[Picture, tuple[float, float]]:
        """The picture moved to where the background is, in its light; and by how much it was off, right and down."""
        dx, dy = self._offset(picture)
        if max(abs(dx), abs(dy)) > 0.15:
            picture = _moved(picture, -dx, -dy)
        else:
            dx = dy = 0.0
        few = picture[::8, ::8].reshape(-1, 3).astype(np.float32)
        bright = self._few.min(axis=1) > 8
        gain = np.median((self._few[bright] + 4) / (few[bright] + 4), axis=0) if bright.any() else np.ones(3)
        return np.clip(picture * gain.astype(np.float32), 0, 255).astype(np.uint8), (dx, dy)

    def raw(self, laid: Picture) -> Mask:
        """255 where the picture differs, 127 where it is only darker: a shadow."""
        return self._sure.apply(cv2.GaussianBlur(laid, (3, 3), 0), learningRate=0)

    def moving(self, picture: Picture) -> Mask:
        laid, (dx, dy) = self.laid(picture)
        found = np.where(self.raw(laid) == 255, np.uint8(255), np.uint8(0)).astype(np.uint8)
        found = cv2.medianBlur(found, 5)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
        found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_CLOSE, disc), np.uint8)
        return np.where(_moved(found, dx, dy) > 127, np.uint8(255), np.uint8(0)).astype(np.uint8) if dx or dy else found


def _moved(picture: Any, dx: float, dy: float) -> Any:
    """The picture shifted right and down."""
    move = np.array([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def _small_greys(picture: Picture) -> list[NDArray[np.float32]]:
    """Grey pictures, smaller by each of `SHRINKS`."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    out = []
    for shrink in SHRINKS:
        small = cv2.resize(grey, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        out.append(cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0))
    return out


# --- a person, by a network -----------------------------------------------------------------------------------

LARGEST_NETWORK = 1 << 30  # bytes
FREE_SIDE = 320  # pixels, where the network leaves its size free
NORMS = {
    "unit": (np.zeros(3, np.float32), np.ones(3, np.float32)),
    "signed": (np.full(3, 0.5, np.float32), np.full(3, 0.5, np.float32)),
    "imagenet": (np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)),
}
CONTRACT = (
    "it must take one picture, float32 (1, 3, H, W) or (1, H, W, 3), red green blue, and give as its first output a "
    "mask (1, 1, h, w), (1, h, w, 1), (1, h, w) or, background first, (1, 2, h, w) or (1, h, w, 2)"
)


class Person:
    """A segmentation network of the user's, such as U²-Net or MediaPipe's selfie segmenter, as ONNX.

    In: one picture, float32 (1, 3, H, W) or (1, H, W, 3), red, green, blue, 0..1 less the mean and over the std of
    `norm`; H and W fixed, or free (then 320). Out: the first output is the mask, of any size, one channel 0..1, or two
    (background, person), or their logits. All of it is checked when it is opened, by running it once.
    """

    def __init__(self, path: Path, norm: str = "unit") -> None:
        if norm not in NORMS:
            raise UserError(f"mask norm {norm!r}: must be {', '.join(NORMS)}")
        self._mean, self._std = NORMS[norm]
        self._session = _open_network(path)
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if inputs else []
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(shape) != 4:
            raise UserError(f"{path}: {CONTRACT}")
        self._name = inputs[0].name
        self._first = shape[1] == 3  # channels before the picture
        if not self._first and shape[3] != 3:
            raise UserError(f"{path}: its input is {shape}, but {CONTRACT}")
        sides = shape[2:] if self._first else shape[1:3]
        self._size = tuple(s if isinstance(s, int) and s > 0 else FREE_SIDE for s in sides)  # height, width
        if not all(8 <= s <= 4096 for s in self._size):
            raise UserError(f"{path}: a picture of {self._size} is no size to look at")
        self._output = self._session.get_outputs()[0].name
        try:
            self._run(np.full((*self._size, 3), 128, np.uint8))
        except ValueError as error:
            raise UserError(f"{path}: {error}; {CONTRACT}") from error

    def _run(self, picture: Picture) -> NDArray[np.float32]:
        """How likely each pixel is a person's, (h, w). ValueError where the network does not answer as it should."""
        height, width = self._size
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        given = (small[..., ::-1].astype(np.float32) / 255 - self._mean) / self._std
        given = given.transpose(2, 0, 1)[None] if self._first else given[None]
        try:
            (found,) = self._session.run([self._output], {self._name: np.ascontiguousarray(given)})
        except network_errors() as error:
            raise ValueError(f"does not run ({' '.join(str(error).split())[:120]})") from error
        found = np.asarray(found, np.float32)
        if not np.isfinite(found).all():
            raise ValueError("gives what is no number")
        channels = {(4, 1): 1, (4, -1): -1}
        if found.ndim == 3 and found.shape[0] == 1:
            return _likely(found[0])
        if found.ndim == 4 and found.shape[0] == 1:
            for axis in channels.values():
                if found.shape[axis] == 1:
                    return _likely(np.moveaxis(found, axis, 0)[0, 0])
                if found.shape[axis] == 2:
                    back, person = np.moveaxis(found, axis, 0)[:, 0]
                    both = min(back.min(), person.min()) >= -0.01 and max(back.max(), person.max()) <= 1.01
                    return person if both else 1 / (1 + np.exp(np.clip(back - person, -30, 30)))
        raise ValueError(f"gives {found.shape}")

    def mask(self, picture: Picture) -> Mask:
        likely = cv2.resize(self._run(picture), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.where(likely > 0.5, np.uint8(255), np.uint8(0)).astype(np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        likely = cv2.resize(np.clip(self._run(picture) * 255, 0, 255), picture.shape[1::-1]).astype(np.uint8)
        return [("picture", picture), ("likely", likely), ("mask", self.mask(picture))]


def _likely(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits, which know no bounds, become shares; shares stay."""
    if found.min() >= -0.01 and found.max() <= 1.01:
        return found
    return (1 / (1 + np.exp(-np.clip(found, -30, 30)))).astype(np.float32)


def network_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a network that it cannot read or run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

    names = ("Fail", "InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NotImplemented", "RuntimeException",
             "NoSuchFile")  # fmt: skip
    return (*(getattr(state, n) for n in names), ValueError, RuntimeError, MemoryError)


def _open_network(path: Path) -> Any:
    import onnxruntime as ort

    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # several processes share the cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        if path.stat().st_size > LARGEST_NETWORK:
            raise UserError(f"{path}: {path.stat().st_size} bytes is too large for a mask network")
        ort.disable_telemetry_events()
        return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except network_errors() as error:
        raise UserError(f"{path}: not a usable network ({' '.join(str(error).split())[:120]})") from error


# --- choosing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """How masks are to be made."""

    method: str = "key"
    key: str = "border"
    mask_model: Path | None = None
    mask_norm: str = "unit"
    model: str = "mog2"  # of a still camera's background: mog2 or knn

    def check(self) -> None:
        """UserError for what cannot be, before anything is read."""
        if self.method not in METHODS:
            raise UserError(f"method {self.method!r}: must be {', '.join(METHODS)}")
        if self.key not in ("border", *NAMED_KEYS) and not re.fullmatch(r"#?[0-9a-fA-F]{6}", self.key):
            raise UserError(f"key {self.key!r}: must be border, blue, green or a colour such as #1e60c8")
        if self.model not in ("mog2", "knn"):
            raise UserError(f"background {self.model!r}: must be mog2 or knn")
        if self.method == "person":
            if self.mask_model is None:
                raise UserError("method person needs a segmentation network: --mask-model M.onnx")
            Person(self.mask_model, self.mask_norm)
        elif self.mask_model is not None:
            raise UserError(f"--mask-model is for --method person, not {self.method}")


def prepare(wish: Wish, looks: Sequence[Picture], where: Path) -> Method:
    """The way of `wish`, after a look at some pictures of the video. UserError where it cannot work."""
    if wish.method == "key":
        return find_key(looks, wish.key, where)
    if wish.method == "shadow":
        return Shadow()
    if wish.method == "still":
        if len(looks) < FEWEST:
            raise UserError(f"{where}: too short to learn its background from")
        return Still(looks, wish.model)
    assert wish.mask_model is not None
    return Person(wish.mask_model, wish.mask_norm)
