"""What is seen in pictures by the network that sees people: whole figures, one for each, with their landmarks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_person import made_shot, overlap
from training.data.footage.eyes import NOBODY, SEEN, alone, fits, hide_each_other, open_eyes, own_method
from training.data.footage.figure import CUT_OFF, KEPT, NO_FIGURE
from training.data.footage.made import pictures
from training.data.footage.masks import Wish, with_bundle
from visualizer.camera.bundle import DESCRIBED, FLATBUFFER, MEMBERS
from visualizer.camera.landmarker import LANDMARKS, POINT, Person
from visualizer.errors import UserError

FILM = Path("film")


def person_at(x: float, high: float = 100.0) -> Person:
    """Landmarks on a line, and a mask about it, in a picture of 200 x 200."""
    points = np.stack([np.full(len(LANDMARKS), x), np.linspace(20, 20 + high, len(LANDMARKS))], axis=-1)
    mask = np.zeros((200, 200), np.uint8)
    mask[15 : int(25 + high), max(0, int(x) - 15) : int(x) + 15] = 255
    sure = np.full(len(LANDMARKS), 0.9, np.float32)
    return Person(points.astype(np.float32), np.zeros((len(LANDMARKS), 3), np.float32), sure, mask)


def test_the_mask_is_the_dancer_in_any_room(pose_bundle: Path) -> None:
    wish = with_bundle(Wish("person", bundle=pose_bundle))
    eyes = open_eyes(wish, own_method(wish, [], FILM), FILM)
    shot = made_shot(2.0, (400, 480), condition="all")
    found = []
    for number, ((picture, mask), joints) in enumerate(zip(pictures(shot), shot.joints(), strict=True)):
        (sight,) = eyes.see(picture, number / shot.fps)
        assert sight.verdict == KEPT
        assert sight.figure is not None
        left, top, wide, high = sight.figure.box
        whole = np.zeros(mask.shape, np.uint8)
        whole[top : top + high, left : left + wide] = sight.figure.mask
        found.append(overlap(whole, mask))
        hips = sight.body[[POINT["left_hip"], POINT["right_hip"]], 0].mean()
        assert abs(hips - joints[0, 0]) < 12  # the camera shakes
        assert (sight.body[:, 5] > SEEN).mean() > 0.8
    eyes.close()
    assert np.mean(found) >= 0.93


def test_a_key_has_the_bodies_of_the_network_too(pose_bundle: Path) -> None:
    made = [picture for picture, _ in pictures(made_shot(0.5, (400, 480), "blue"))]
    wish = with_bundle(Wish("key", bundle=pose_bundle))
    eyes = open_eyes(wish, own_method(wish, made, FILM), FILM, follow=False)
    (sight,) = eyes.see(made[0], 0.0)
    eyes.close()
    assert sight.verdict == KEPT
    assert np.isfinite(sight.body).all()


def test_nobody_and_half_of_somebody(pose_bundle: Path) -> None:
    wish = with_bundle(Wish("person", bundle=pose_bundle))
    eyes = open_eyes(wish, None, FILM, follow=False)
    (nobody,) = eyes.see(np.full((240, 200, 3), 90, np.uint8), 0.0)
    assert (nobody.verdict, nobody.figure) == (NO_FIGURE, None)
    assert np.array_equal(nobody.body, NOBODY, equal_nan=True)
    picture, _ = next(iter(pictures(made_shot(0.2, (400, 480)))))
    (half,) = eyes.see(picture[:340], 0.1)  # the feet are below the picture
    assert half.verdict == CUT_OFF
    eyes.close()


def test_a_bundle_that_changes_meanwhile_is_noticed(pose_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.task"
    path.write_bytes(pose_bundle.read_bytes())
    wish = with_bundle(Wish("person", bundle=path))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as other:
        for name in MEMBERS:
            other.writestr(name, b"\0\0\0\0" + FLATBUFFER + DESCRIBED)
    with pytest.raises(UserError, match="has changed since the work began"):
        open_eyes(wish, None, FILM)


def test_one_person_who_is_seen_twice_is_one() -> None:
    assert len(alone([person_at(60), person_at(64)])) == 1
    assert len(alone([person_at(60), person_at(140)])) == 2


def test_people_who_hide_each_other_are_noticed() -> None:
    assert hide_each_other([person_at(60), person_at(75)])
    assert not hide_each_other([person_at(60), person_at(140)])


def test_a_mask_of_something_else_is_not_the_persons() -> None:
    person, other = person_at(60), person_at(140)
    assert person.mask is not None
    assert other.mask is not None
    assert fits(person, person.mask)
    assert not fits(person, other.mask)
