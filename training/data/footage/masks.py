"""From a picture to the mask of the dancer in it, by one of four methods; `auto` looks which of them does it best.

`key`      before a screen of one colour: contrast is raised, the colour taken out, what remains is one colour
`shadow`   a dark figure on a bright screen
`still`    before anything, by a camera that stands still: what differs from the learned background
`person`   anywhere, by the network that sees people, which the user has fetched, or a segmentation network of their own

Each method looks at a few pictures of the video first (`prepare`); after that every picture is judged on its own, so it
does not matter where reading began.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.key import NAMED_KEYS, Shadow, find_key
from training.data.footage.mask_types import Mask, Method
from training.data.footage.people import check_who
from training.data.footage.person import Person
from training.data.footage.still import FEWEST, Still
from training.data.footage.video import Picture
from visualizer.camera import landmarker
from visualizer.camera.bundle import COMMAND, find_bundle, read_bundle
from visualizer.errors import UserError

METHODS = ("auto", "key", "shadow", "still", "person")


NO_NETWORK = (
    f"method person needs the network that sees people: `{COMMAND}` fetches it once, or --person-model FILE names it"
)

BAND = 2  # pixels on either side of the outline that are decided again

AROUND = 13  # pixels: side of the square whose figure and background a pixel of the band is compared with

TELLING = 18.0  # grey levels: where figure and background differ less, the band stays as it was


def refined(picture: Picture, mask: Mask) -> Mask:
    """Move the outline to where the picture is half figure, half background.

    The colour of a pixel near the outline lies between that of the background and that of the figure beside it; past
    half-way it is figure. Without this, bright clothes come out too large and dark ones too small.
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


@dataclass(frozen=True)
class Wish:
    """How masks are to be made, and of whom. `bundle`: the network that sees people (see visualizer/camera/bundle.py),
    None where it is not to be had; `people`: how many of them it looks for."""

    method: str = "auto"
    key: str = "border"
    mask_model: Path | None = None
    mask_norm: str = "unit"
    model: str = "mog2"  # of a still camera's background: mog2 or knn
    who: str = "largest"
    bundle: Path | None = None
    bundle_sha256: str = ""
    people: int = 1

    def check(self) -> None:
        """UserError for what cannot be, before anything is read."""
        if self.method not in METHODS:
            raise UserError(f"method {self.method!r}: must be {', '.join(METHODS)}")
        if self.key not in ("border", *NAMED_KEYS) and not re.fullmatch(r"#?[0-9a-fA-F]{6}", self.key):
            raise UserError(f"key {self.key!r}: must be border, blue, green or a colour such as #1e60c8")
        if self.model not in ("mog2", "knn"):
            raise UserError(f"background {self.model!r}: must be mog2 or knn")
        check_who(self.who)
        if self.mask_model is not None:
            if self.method not in ("auto", "person"):
                raise UserError(f"--mask-model is for --method person, not {self.method}")
            Person(self.mask_model, self.mask_norm)
        if self.who != "largest" and (self.mask_model is not None or self.method not in ("auto", "person")):
            raise UserError("--who is for --method person: the other methods see one figure; --crop leaves one of two")


def with_bundle(wish: Wish) -> Wish:
    """The wish with the network that sees people: the one that was given, or else the one that was fetched. UserError
    where it is needed and not there, or is none."""
    needed = (wish.method == "person" and wish.mask_model is None) or wish.bundle is not None
    if not landmarker.is_there():
        if needed:
            raise UserError(landmarker.MISSING)
        return wish
    bundle = read_bundle(wish.bundle) if wish.bundle is not None else find_bundle()
    if bundle is None:
        if needed:
            raise UserError(NO_NETWORK)
        return wish
    return replace(wish, bundle=bundle.path, bundle_sha256=bundle.sha256)


def prepare(wish: Wish, looks: Sequence[Picture], where: Path) -> Method:
    """The method of `wish`, set up from some pictures of the video. UserError where it cannot work."""
    if wish.method == "key":
        return find_key(looks, wish.key, where)
    if wish.method == "shadow":
        return Shadow()
    if wish.method == "still":
        if len(looks) < FEWEST:
            raise UserError(f"{where}: too short to learn its background from")
        return Still(looks, wish.model)
    assert wish.mask_model is not None  # only person is left
    return Person(wish.mask_model, wish.mask_norm)
