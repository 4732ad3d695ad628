"""What is seen in a picture: each figure with the verdict on it, and its body where the network that sees people is
there.

`key`, `shadow` and `still` find the outline, one in a picture, sharper than that network does; the bodies are then the
network's, laid on the outline. `person` takes both from the network, for up to two people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.figure import NO_FIGURE, TWO, Figure, find_figure
from training.data.footage.mask_types import Mask, Method, Step, masked
from training.data.footage.masks import NO_NETWORK, Wish, prepare, refined
from training.data.footage.video import Picture
from visualizer.camera.bundle import read_bundle
from visualizer.camera.landmarker import LANDMARKS, Landmarker, Person
from visualizer.errors import UserError

COLUMNS = 6  # of a body: x and y in pixels, the three of space in metres, how sure
NOBODY = np.full((len(LANDMARKS), COLUMNS), np.nan, np.float32)
SEEN = 0.5  # how sure a landmark must be to count
INSIDE = 0.7  # share of the sure landmarks that must lie in the mask, or it is not of that person
MARGIN = 0.03  # of the height: how far outside it they may lie
SHARED = 0.1  # of the smaller mask that two people may share before they hide each other
SAME = 0.08  # of the height: mean distance of the landmarks of one person who is seen twice


@dataclass(frozen=True)
class Sight:
    """One figure in a picture: `body` (33, 6), pixels, metres and how sure; NaN where it is not known."""

    verdict: int
    figure: Figure | None
    body: NDArray[np.float32]


def body_of(person: Person) -> NDArray[np.float32]:
    """Landmarks as the (33, 6) that are kept."""
    return np.concatenate([person.points, person.world, person.sure[:, None]], axis=1)


def height_of(person: Person) -> float:
    """Pixels from the highest to the lowest landmark."""
    return float(np.ptp(person.points[:, 1])) + 1e-6


def alone(people: list[Person]) -> list[Person]:
    """Each person once: the network sometimes sees one twice."""
    if len(people) == 2:
        apart = float(np.linalg.norm(people[0].points - people[1].points, axis=1).mean())
        if apart < SAME * max(map(height_of, people)):
            return people[:1]
    return people


def fits(person: Person, mask: Mask) -> bool:
    """Whether the landmarks that are surely seen, and lie in the picture, lie in the mask."""
    reach = max(1, round(MARGIN * height_of(person)))
    wide = cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    points = np.round(person.points).astype(int)
    there = (person.sure > SEEN) & (points >= 0).all(axis=1) & (points < mask.shape[::-1]).all(axis=1)
    if not there.any():
        return False
    return float((wide[points[there, 1], points[there, 0]] > 0).mean()) >= INSIDE


def hide_each_other(people: list[Person]) -> bool:
    """Whether the masks of two people share a part of them."""
    first, second = (p.mask for p in people)
    assert first is not None
    assert second is not None
    both = int(((first > 0) & (second > 0)).sum())
    return both > SHARED * max(1, min(int((first > 0).sum()), int((second > 0).sum())))


class Eyes:
    """Looks at the pictures of a stretch, one after another. To be closed."""

    def __init__(self, method: Method | None, landmarker: Landmarker | None) -> None:
        self._method, self._landmarker = method, landmarker

    def see(self, picture: Picture, seconds: float) -> list[Sight]:
        """The figures in a picture, at least one: the first may be none, with the verdict that says so."""
        people = alone(self._landmarker.look(picture, seconds)) if self._landmarker else []
        if self._method is None:
            return self._see_people(picture, people)
        verdict, figure = find_figure(refined(picture, self._method.mask(picture)))
        mine = [p for p in people if figure is not None and _is_about(p, figure)]
        best = max(mine, key=height_of, default=None)
        return [Sight(verdict, figure, body_of(best) if best is not None else NOBODY)]

    def _see_people(self, picture: Picture, people: list[Person]) -> list[Sight]:
        hidden = len(people) == 2 and hide_each_other(people)
        sights = []
        for person in people:
            assert person.mask is not None
            verdict, figure = find_figure(refined(picture, person.mask))
            if figure is not None and not fits(person, person.mask):
                verdict = NO_FIGURE
            sights.append(Sight(TWO if hidden and figure is not None else verdict, figure, body_of(person)))
        return sights or [Sight(NO_FIGURE, None, NOBODY)]

    def steps(self, picture: Picture) -> list[Step]:
        """A picture step by step, to be looked at; the last is the mask."""
        if self._method is not None:
            return self._method.steps(picture)
        assert self._landmarker is not None
        whole = np.zeros(picture.shape[:2], np.uint8)
        drawn = picture.copy()
        for person in self._landmarker.look(picture, 0.0):
            assert person.mask is not None
            whole |= person.mask
            for (x, y), sure in zip(person.points, person.sure, strict=True):
                if sure > SEEN:
                    cv2.circle(drawn, (round(float(x)), round(float(y))), 3, (0, 0, 255), -1)
        return [("picture", picture), ("landmarks", drawn), ("person", masked(picture, whole)), ("mask", whole)]

    def close(self) -> None:
        if self._landmarker is not None:
            self._landmarker.close()


def _is_about(person: Person, figure: Figure) -> bool:
    """Whether the middle of a person lies in the box of a figure, and they are of one size."""
    left, top, wide, high = figure.box
    x, y = person.points.mean(axis=0)
    return bool(left <= x <= left + wide and top <= y <= top + high and 0.6 < height_of(person) / high < 1.6)


def own_method(wish: Wish, looks: Sequence[Picture], where: Path) -> Method | None:
    """The method of `wish`, set up from some pictures of the video; None where the network that sees people gives the
    masks. UserError where it cannot work."""
    if wish.method == "person" and wish.mask_model is None:
        return None
    return prepare(wish, looks, where)


def open_eyes(wish: Wish, method: Method | None, where: Path, follow: bool = True) -> Eyes:
    """The eyes of `wish` with its `method`; `follow`: the pictures to come are those of a film. UserError where the
    network is missing, or is not the one that the work began with."""
    bundle = None
    if wish.bundle is not None:
        bundle = read_bundle(wish.bundle)
        if bundle.sha256 != wish.bundle_sha256:
            raise UserError(f"{wish.bundle}: has changed since the work began; start it again with --force")
    if method is None and bundle is None:
        raise UserError(f"{where}: {NO_NETWORK}")
    landmarker = Landmarker(bundle, wish.people, masks=method is None, follow=follow) if bundle else None
    return Eyes(method, landmarker)
