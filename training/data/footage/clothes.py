"""What a person in a video looks like, as far as pictures tell: the main colours of skin, hair and clothes, trousers or
a skirt, how long limbs are beside each other, and how broad the trunk is.

Some pictures are looked at by the eyes that find the dancer. Where the network that sees people is there, colours are
taken about its landmarks; else, of upright figures alone, at the heights where parts mostly are. All is taken within
the outline, and the median over the pictures counts: a lamp or an arm in the way spoils some of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.auto import settle
from training.data.footage.extract import AUTO_LOOKS, take_looks
from training.data.footage.eyes import SEEN, Sight, open_eyes, own_method
from training.data.footage.figure import KEPT, Figure
from training.data.footage.masks import with_bundle
from training.data.footage.request import Request, meant
from training.data.footage.scale import LIMBS
from training.data.footage.video import Picture, Video, samples, view_of
from visualizer.camera.landmarker import POINT

SHADOW = "shadow"
PICTURES = 40  # of each video that are looked at
LEAST = 5  # pictures that must show something for it to count
LEAST_PIXELS = 6  # of a region
# Of a figure that stands upright without landmarks: heights of parts from the top, shares of its box.
HEIGHTS = {
    "hair": (0.0, 0.035), "skin": (0.07, 0.11), "top": (0.32, 0.42), "bottom": (0.58, 0.78), "shoes": (0.965, 1.0),
}  # fmt: skip
UPRIGHT = 1.5  # times as high as wide
APART = 0.16  # of the height: knees that are so far apart leave room to see whether there is cloth between them
CLOTH = 0.85  # share of the way from knee to knee that is in the outline where a skirt hangs
LEAST_SKIRT = 0.6  # of the pictures that can tell must show it
WHOLE = 0.9  # quantile of a limb's length at which it is seen whole
# Metres of our skeleton: from mid shoulders to mid hips, and the half of a trunk's thickness over that length.
TRUNK, THICK = 0.41, 0.305
_SIDES = ("left", "right")
Colour = NDArray[np.float64]  # (3,) red, green, blue, 0..255


@dataclass(frozen=True)
class Looks:
    """What was seen in `pictures` of a person: `colours` (red, green, blue) by the name of the region; `limbs`: lengths
    of legs, arms and trunk over those of our skeleton, each beside all three; `girth`: of the trunk, ours 1; `skirt`:
    whether cloth hangs between the knees. None for what could not be told. `by_landmarks`, or else by heights. Only a
    `shadow` was seen: it has no colours."""

    pictures: int
    colours: dict[str, Colour]
    limbs: dict[str, float] | None
    girth: float | None
    skirt: bool | None
    by_landmarks: bool
    shadow: bool = False


def look_at_person(videos: Sequence[Video], request: Request) -> Looks:
    """Look at some pictures of each video. UserError where the method of the request cannot work."""
    request = meant(request)
    seen: list[tuple[Picture, Sight]] = []
    methods: set[str] = set()
    for video in videos:
        view = view_of(video, request.crop)
        looks = take_looks(video, view, request.begin, request.end, request.empty, AUTO_LOOKS)
        wish, _ = settle(looks, with_bundle(request.wish), video.path)
        methods.add(wish.method)
        eyes = open_eyes(wish, own_method(wish, looks, video.path), video.path, follow=False)
        try:
            for _, picture in samples(video, view, request.begin, request.end, PICTURES):
                kept = [sight for sight in eyes.see(picture, 0.0) if sight.verdict == KEPT]
                if kept:
                    seen.append((picture, _choose(kept, wish.who)))
        finally:
            eyes.close()
    return replace(gather_looks(seen), shadow=methods == {SHADOW})


def _choose(sights: list[Sight], who: str) -> Sight:
    """The dancer of several people in a picture; where a box says who it is, or both are learned from, the largest."""

    def middle(sight: Sight) -> float:
        assert sight.figure is not None
        return sight.figure.box[0] + sight.figure.box[2] / 2

    def height(sight: Sight) -> int:
        assert sight.figure is not None
        return sight.figure.box[3]

    if who in _SIDES and len(sights) > 1:
        return (min if who == "left" else max)(sights, key=middle)
    return max(sights, key=height)


def gather_looks(seen: list[tuple[Picture, Sight]]) -> Looks:
    """What all pictures together show, of sights that have a figure."""
    colours: dict[str, list[Colour]] = defaultdict(list)
    lengths: dict[str, list[float]] = defaultdict(list)
    known = [(p, s) for p, s in seen if np.isfinite(s.body).all()]
    by_landmarks = len(known) >= LEAST
    for picture, sight in known if by_landmarks else seen:
        assert sight.figure is not None
        whole = _whole(sight.figure, picture)
        regions = _find_regions(sight.body, whole) if by_landmarks else _guess_regions(sight.figure, whole)
        for name, region in regions.items():
            if np.count_nonzero(region) >= LEAST_PIXELS:
                colours[name].append(np.median(picture[region][:, ::-1].astype(np.float64), axis=0))
        if by_landmarks:
            _measure(sight.body, whole, lengths)
    return Looks(
        len(known) if by_landmarks else len(seen),
        {name: np.median(each, axis=0) for name, each in colours.items() if len(each) >= LEAST},
        _compare_limbs(lengths), _find_median(lengths["thick"], THICK), _tell_skirt(lengths["cloth"]), by_landmarks,
    )  # fmt: skip


def _whole(figure: Figure, picture: Picture) -> NDArray[np.bool_]:
    """The mask of a figure in the whole picture, without its rim, where the background shines through."""
    left, top, wide, high = figure.box
    whole = np.zeros(picture.shape[:2], np.uint8)
    whole[top : top + high, left : left + wide] = figure.mask
    return cv2.erode(whole, np.ones((3, 3), np.uint8)) > 0


def _guess_regions(figure: Figure, whole: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Where parts are of a figure without landmarks, if it stands upright: rows of the column about its hips."""
    wide, top = figure.box[2], round(figure.head)  # hands may be higher than the head
    high = figure.box[1] + figure.box[3] - top
    if high < UPRIGHT * wide:
        return {}
    column = np.zeros(whole.shape, bool)
    half = max(2, round(0.06 * high))
    middle = round(figure.hips)
    column[:, max(0, middle - half) : middle + half + 1] = True
    regions: dict[str, NDArray[np.bool_]] = {}
    for name, (first, last) in HEIGHTS.items():
        rows = np.zeros(whole.shape, bool)
        rows[top + round(first * high) : top + round(last * high) + 1] = True
        # Shoes are beside the middle, the rest is in it.
        regions[name] = whole & rows & (column if name != "shoes" else np.ones_like(column))
    return regions


def _find_regions(body: NDArray[np.float32], whole: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Where parts are about the landmarks (33, 6) that are surely seen."""

    def at(name: str) -> NDArray[np.float32]:
        return body[POINT[name], :2]

    def sure(*names: str) -> bool:
        return bool((body[[POINT[n] for n in names], 5] > SEEN).all())

    def spots(points: Sequence[NDArray[np.floating]], radius: float) -> NDArray[np.bool_]:
        drawn = np.zeros(whole.shape, np.uint8)
        for x, y in points:
            cv2.circle(drawn, (round(float(x)), round(float(y))), max(1, round(radius)), 255, -1)
        return (drawn > 0) & whole

    shoulders, hips = ((at(f"left_{part}") + at(f"right_{part}")) / 2 for part in ("shoulder", "hip"))
    trunk = float(np.linalg.norm(hips - shoulders)) + 1e-6
    found: dict[str, NDArray[np.bool_]] = {}
    if sure("nose", "left_eye", "right_eye", "mouth_left", "mouth_right"):
        eyes, mouth = (at("left_eye") + at("right_eye")) / 2, (at("mouth_left") + at("mouth_right")) / 2
        found["skin"] = spots([at("nose"), (at("nose") + mouth) / 2], 0.05 * trunk)
        found["hair"] = spots([eyes + 1.5 * (eyes - mouth)], 0.06 * trunk)
    if sure("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        line = [shoulders + share * (hips - shoulders) for share in (0.3, 0.5, 0.7)]
        found["top"] = spots(line, 0.12 * trunk)
    for name, begin, end, shares in (
        ("bottom", "hip", "knee", (0.3, 0.5, 0.7)), ("shin", "knee", "ankle", (0.4, 0.6)),
        ("upper_arm", "shoulder", "elbow", (0.75,)), ("forearm", "elbow", "wrist", (0.4, 0.6)),
        ("shoes", "heel", "foot_index", (0.4, 0.7)),
    ):  # fmt: skip
        sides = [s for s in _SIDES if sure(f"{s}_{begin}", f"{s}_{end}")]
        if sides:
            points = [
                at(f"{s}_{begin}") + share * (at(f"{s}_{end}") - at(f"{s}_{begin}")) for s in sides for share in shares
            ]
            found[name] = spots(points, 0.05 * trunk)
    return found


def _measure(body: NDArray[np.float32], whole: NDArray[np.bool_], lengths: dict[str, list[float]]) -> None:
    """Add what one picture tells of lengths in pixels, of the trunk's thickness, and of cloth between the knees."""
    points = {name: body[k, :2].astype(np.float64) for name, k in POINT.items()}
    sure = {name: body[k, 5] > SEEN for name, k in POINT.items()}
    for begin, end, _ in LIMBS:
        for side in _SIDES:
            a, b = f"{side}_{begin}", f"{side}_{end}"
            if sure[a] and sure[b]:
                lengths[f"{begin}-{end}"].append(float(np.linalg.norm(points[a] - points[b])))
    if not all(sure[f"{s}_{p}"] for s in _SIDES for p in ("shoulder", "hip")):
        return
    shoulders, hips = ((points[f"left_{p}"] + points[f"right_{p}"]) / 2 for p in ("shoulder", "hip"))
    trunk = float(np.linalg.norm(shoulders - hips))
    lengths["trunk"].append(trunk)
    across = abs(points["left_shoulder"][0] - points["right_shoulder"][0])
    if across > 0.6 * trunk:  # seen from the front or the back
        deep = cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 5)
        line = np.round([shoulders + share * (hips - shoulders) for share in np.linspace(0.3, 0.8, 6)]).astype(int)
        line = line.clip(0, np.array(whole.shape[::-1]) - 1)
        lengths["thick"].append(float(np.median(deep[line[:, 1], line[:, 0]])) / max(trunk, 1.0))
    if all(sure[f"{s}_knee"] for s in _SIDES):
        # A little above the knees: there a skirt still hangs, and a gap is between legs.
        ends = [points[f"{s}_knee"] + 0.12 * (points[f"{s}_hip"] - points[f"{s}_knee"]) for s in _SIDES]
        if abs(ends[0][0] - ends[1][0]) > APART * 3 * trunk:
            way = np.round([ends[0] + u * (ends[1] - ends[0]) for u in np.linspace(0, 1, 40)]).astype(int)
            way = way.clip(0, np.array(whole.shape[::-1]) - 1)
            lengths["cloth"].append(float(whole[way[:, 1], way[:, 0]].mean()))


def _find_median(values: list[float], ours: float) -> float | None:
    return float(np.median(values)) / ours if len(values) >= LEAST else None


def _tell_skirt(shares: list[float]) -> bool | None:
    return bool(np.mean(np.array(shares) > CLOTH) >= LEAST_SKIRT) if len(shares) >= LEAST else None


def _compare_limbs(lengths: dict[str, list[float]]) -> dict[str, float] | None:
    """Legs, arms and trunk over ours, each beside the mean of the three; None where one was hardly seen."""
    ours = {f"{begin}-{end}": length for begin, end, length in LIMBS} | {"trunk": TRUNK}
    if any(len(lengths[name]) < LEAST for name in ours):
        return None
    whole = {name: float(np.quantile(lengths[name], WHOLE)) / length for name, length in ours.items()}
    found = {
        "legs": (whole["hip-knee"] + whole["knee-ankle"]) / 2,
        "arms": (whole["shoulder-elbow"] + whole["elbow-wrist"]) / 2, "trunk": whole["trunk"],
    }  # fmt: skip
    mean = float(np.mean(list(found.values())))
    return {name: value / mean for name, value in found.items()}
