"""What a person looks like: colours by part, cloth between the knees, and what cannot be told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.made_clips import FPS, dance_motion
from training.data.footage.clothes import LEAST, Looks, gather_looks, look_at_person
from training.data.footage.eyes import NOBODY, Sight
from training.data.footage.figure import KEPT, find_figure
from training.data.footage.made import CONDITIONS, SHOES, SKIN, TROUSERS, Shot, at_rate, film
from training.data.footage.masks import Wish
from training.data.footage.request import Request
from training.data.footage.video import probe
from visualizer.camera.landmarker import POINT

# Blue, green, red, as pictures have them.
COLOURS = {
    "skin": (120, 150, 200), "hair": (20, 30, 40), "top": (200, 60, 40), "bottom": (40, 160, 60), "shoes": (10, 10, 90),
}  # fmt: skip
PLACES = {
    "nose": (0, 52), "left_eye": (6, 45), "right_eye": (-6, 45), "mouth_left": (5, 62), "mouth_right": (-5, 62),
    "left_shoulder": (32, 90), "right_shoulder": (-32, 90), "left_elbow": (60, 130), "right_elbow": (-60, 130),
    "left_wrist": (80, 170), "right_wrist": (-80, 170), "left_hip": (20, 180), "right_hip": (-20, 180),
    "left_knee": (42, 265), "right_knee": (-42, 265), "left_ankle": (48, 345), "right_ankle": (-48, 345),
    "left_heel": (46, 352), "right_heel": (-46, 352), "left_foot_index": (64, 358), "right_foot_index": (-64, 358),
}  # fmt: skip


def stand(skirt: bool = False, sleeves: bool = False, seen: bool = True) -> tuple[np.ndarray, Sight]:
    """A person before grey, drawn in strokes, and the sight of them."""
    picture = np.full((400, 240, 3), 128, np.uint8)
    at = {name: (120 + x, y) for name, (x, y) in PLACES.items()}

    def line(part: str, wide: int, *names: str) -> None:
        for a, b in pairwise(names):
            cv2.line(picture, at[a], at[b], COLOURS[part], wide)

    for side in ("left", "right"):
        line("bottom", 34, f"{side}_hip", f"{side}_knee")
        line("skin" if skirt else "bottom", 26, f"{side}_knee", f"{side}_ankle")
        line("top", 20, f"{side}_shoulder", f"{side}_elbow")
        line("top" if sleeves else "skin", 18, f"{side}_elbow", f"{side}_wrist")
        line("shoes", 14, f"{side}_heel", f"{side}_foot_index")
    if skirt:
        cv2.fillPoly(picture, [np.array([(90, 175), (150, 175), (178, 285), (62, 285)])], COLOURS["bottom"])
    cv2.fillPoly(picture, [np.array([(82, 84), (158, 84), (145, 182), (95, 182)])], COLOURS["top"])
    cv2.ellipse(picture, (120, 50), (20, 28), 0, 0, 360, COLOURS["skin"], -1)
    cv2.ellipse(picture, (120, 30), (20, 13), 0, 0, 360, COLOURS["hair"], -1)
    mask = np.where((picture != 128).any(axis=2), np.uint8(255), np.uint8(0))
    verdict, figure = find_figure(mask)
    assert verdict == KEPT
    body = NOBODY.copy()
    if seen:
        body[:] = 0
        for name, place in at.items():
            body[POINT[name]] = (*place, 0, 0, 0, 1)
    return picture, Sight(KEPT, figure, body)


def gather(count: int = LEAST + 2, **how: bool) -> Looks:
    return gather_looks([stand(**how)] * count)


@pytest.mark.parametrize("seen", [True, False])
def test_colours_are_those_of_the_parts(seen: bool) -> None:
    looks = gather_looks([stand(seen=seen)] * LEAST)
    assert looks.by_landmarks == seen
    assert {name for name in looks.colours if name in COLOURS} == set(COLOURS)
    for name, colour in COLOURS.items():
        assert looks.colours[name] == pytest.approx(colour[::-1], abs=1)


def test_cloth_between_the_knees_is_a_skirt() -> None:
    assert gather(skirt=True).skirt is True
    assert gather(skirt=False).skirt is False


def test_what_few_pictures_show_is_not_told() -> None:
    looks = gather(LEAST - 1)
    assert (looks.skirt, looks.limbs, looks.girth, looks.colours) == (None, None, None, {})


def test_bare_forearms_have_the_colour_of_skin() -> None:
    assert gather().colours["forearm"] == pytest.approx(COLOURS["skin"][::-1], abs=1)
    assert gather(sleeves=True).colours["forearm"] == pytest.approx(COLOURS["top"][::-1], abs=1)


def test_limbs_are_told_beside_each_other() -> None:
    limbs = gather().limbs
    assert limbs is not None
    assert np.mean(list(limbs.values())) == pytest.approx(1)
    assert limbs["legs"] > limbs["arms"]


@pytest.mark.slow
def test_colours_come_out_of_a_video(tmp_path: Path) -> None:
    """Without landmarks: by the heights of an upright figure before a blue screen. That one is drawn bald, with a ball
    of skin in the middle of the shirt."""
    positions, _ = dance_motion("two-step sway", 110, 26)
    film(Shot(at_rate(positions, FPS, 8, 6), 8, "blue", CONDITIONS["clean"], (426, 240)), tmp_path / "me.mp4")
    looks = look_at_person([probe(tmp_path / "me.mp4")], Request(Wish("key")))
    assert looks.pictures > 10
    for name, colour in (("skin", SKIN), ("hair", SKIN), ("bottom", TROUSERS), ("shoes", SHOES)):
        assert looks.colours[name] == pytest.approx(colour[::-1], abs=45), name
