"""The method is chosen by looking: what suits the video is taken, and why is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.made_person import made_shot
from training.data.footage.auto import Trial, choose_method, settle
from training.data.footage.made import pictures
from training.data.footage.masks import Wish, with_bundle
from training.data.footage.request import Request, meant
from visualizer import paths
from visualizer.camera import landmarker
from visualizer.errors import UserError

Pictures = list[NDArray[np.uint8]]


def looks(screen: str, count: int = 8) -> Pictures:
    """Pictures of a dancer, spread over four seconds."""
    made = [picture for picture, _ in pictures(made_shot(4.0, (400, 480), screen))]
    return made[:: max(1, len(made) // count)]


@pytest.fixture(scope="module")
def blue() -> Pictures:
    return looks("blue")


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "person_models", lambda: tmp_path / "person")


def test_a_blue_screen_is_keyed(blue: Pictures) -> None:
    wish, why = choose_method(blue, Wish(), Path("film"))
    assert (wish.method, wish.people) == ("key", 1)
    assert why.startswith(f"method key: one whole figure in {len(blue)} of {len(blue)} pictures (shadow ")
    assert "still " in why
    assert "the network that sees people is not there" in why


def test_a_shadow_on_a_screen_is_a_shadow() -> None:
    assert choose_method(looks("shadow"), Wish(), Path("film"))[0].method == "shadow"


def test_where_nobody_is_it_is_said_what_would_help() -> None:
    empty = [np.full((240, 320, 3), (40, 160, 90), np.uint8)] * 8
    with pytest.raises(
        UserError, match=r"film: no dancer to be seen in 8 pictures .*`python -m training person-model`"
    ):
        choose_method(empty, Wish(), Path("film"))


def test_two_dancers_are_left_to_be_called_two(blue: Pictures) -> None:
    """The method that sees them is taken, so that what is said in the end is true."""
    middle = [p[:, 60:340] for p in blue]
    pairs = [np.concatenate([a, b], axis=1) for a, b in zip(middle, middle[::-1], strict=True)]
    assert choose_method(pairs, Wish(), Path("film"))[0].method == "key"


def test_a_method_that_was_asked_for_is_not_changed(blue: Pictures) -> None:
    assert settle(blue, Wish("shadow"), Path("film")) == (Wish("shadow"), "")
    with pytest.raises(UserError, match="film: black"):
        settle([np.zeros_like(blue[0])] * 8, Wish("key"), Path("film"))


def test_people_can_only_be_told_apart_by_the_network(blue: Pictures) -> None:
    with pytest.raises(UserError, match="--who needs the network"):
        settle(blue, Wish(who="left"), Path("film"))


def test_without_mediapipe_the_others_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmarker, "is_there", lambda: False)
    assert with_bundle(Wish()) == Wish()
    with pytest.raises(UserError, match="pip install"):
        with_bundle(Wish("person"))


def test_a_room_is_for_the_network(pose_bundle: Path) -> None:
    wish = with_bundle(Wish(bundle=pose_bundle))
    chosen, why = choose_method(looks("room"), wish, Path("film"))
    assert (chosen.method, chosen.bundle, chosen.people) == ("person", pose_bundle, 1)
    assert why.startswith("method person: one whole figure in ")


def test_a_screen_is_keyed_where_the_network_agrees(pose_bundle: Path, blue: Pictures) -> None:
    chosen, why = choose_method(blue, with_bundle(Wish(bundle=pose_bundle)), Path("film"))
    assert chosen.method == "key"
    assert "as the network sees it" in why


def test_options_of_one_method_ask_for_it(tmp_path: Path) -> None:
    assert meant(Request()) == Request()
    assert meant(Request(Wish(key="green"))).wish.method == "key"
    assert meant(Request(Wish(mask_model=tmp_path / "mine.onnx"))).wish.method == "person"
    assert meant(Request(empty=(0.0, 1.0))).wish.method == "still"
    assert meant(Request(Wish("shadow", key="green"))).wish.method == "shadow"


KEY = Trial("key", 8, 8, 8, 1.0, 0.93)
PERSON = Trial("person", 8, 8, 8, 1.0, 1.0)


@pytest.mark.parametrize(
    ("trials", "method", "people", "why"),
    [
        ([KEY, PERSON], "key", 1, "sharper outline"),
        ([replace(KEY, agrees=0.6), PERSON], "person", 1, "in 8 of 8"),  # it sees something else
        ([replace(KEY, whole=5), PERSON], "person", 1, "(key 5)"),
        ([KEY, replace(PERSON, pairs=5)], "person", 2, "tells people apart"),
        (
            [replace(KEY, whole=0, seen=0), replace(PERSON, whole=1, seen=7)],
            "person",
            1,
            "in 1 of 8",
        ),  # and says why later
    ],
)
def test_which_is_best(
    trials: list[Trial], method: str, people: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.footage.auto.try_methods", lambda *_: trials)
    chosen, said = choose_method([], Wish(bundle=tmp_path / "person.task"), Path("film"))
    assert (chosen.method, chosen.people) == (method, people)
    assert why in said
