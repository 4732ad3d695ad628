"""A telephone's video goes the whole way with no option: the dancer is found, and what they do, in space."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.made_person import RATE, made_shot
from training.data.dataset import open_takes
from training.data.footage.made import film, pictures, true_frames
from training.data.footage.masks import Wish
from training.data.footage.request import Request
from training.data.footage.run import extract_footage
from training.data.motion.skeleton import INDEX, MIRROR
from visualizer.errors import UserError

SEEN = [number for name, number in INDEX.items() if "_" in name and "hand" not in name]
HEIGHT = 1.75  # metres


def write_film(path: Path, made: list[NDArray[np.uint8]]) -> Path:
    """Pictures as H.264."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(RATE).limit_denominator(1001))
        stream.height, stream.width = made[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "20", "preset": "ultrafast"}
        for number, picture in enumerate(made):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


@pytest.mark.slow
def test_a_telephones_video_needs_no_option(tmp_path: Path, pose_bundle: Path) -> None:
    shot = made_shot(5.0, (360, 480), condition="noise")
    film(shot, tmp_path / "phone.mp4")
    request = Request(Wish(bundle=pose_bundle), beats="none")
    (report,) = extract_footage([tmp_path / "phone.mp4"], tmp_path / "data", request, jobs=1, show_steps=True)
    assert report.kept > 0.9 * report.looked
    (take,) = open_takes(tmp_path / "data" / "data.zarr")[0]
    number = np.round(take.read("times") * RATE).astype(int)

    true = shot.positions[number].astype(np.float64)
    true[..., 0] -= true_frames(shot)[1][number, None]
    body = take.read("person")
    apart = np.linalg.norm((body - true)[:, SEEN, :2], axis=-1) / HEIGHT
    assert apart.mean() < 0.035
    other = np.linalg.norm((body[:, MIRROR] - true)[:, SEEN, :2], axis=-1) / HEIGHT
    assert (other.mean(axis=1) < apart.mean(axis=1)).mean() <= 0.01
    assert {path.stem.split("_")[-1] for path in (tmp_path / "data" / "steps").rglob("*.png")} >= {"landmarks", "mask"}
    facts = json.loads((tmp_path / "data" / "footage.json").read_text(encoding="utf-8"))
    assert len(facts["recipe"]["wish"]["bundle_sha256"]) == 64


@pytest.mark.slow
def test_of_two_dancers_each_may_be_learned(tmp_path: Path, pose_bundle: Path) -> None:
    one = made_shot(3.0, (440, 480))
    other = replace(made_shot(3.0, (440, 480), name="bounce and rock"), seed=3)
    pairs = zip(pictures(one), pictures(other), strict=True)
    path = write_film(tmp_path / "two.mp4", [np.concatenate([a, b], axis=1) for (a, _), (b, _) in pairs])

    def middles(who: str) -> list[float]:
        request = Request(Wish("person", bundle=pose_bundle, who=who), beats="none")
        extract_footage([path], tmp_path / who, request, jobs=1)
        takes, _ = open_takes(tmp_path / who / "data.zarr")
        return [float(np.median(take.read("centre"))) for take in takes]

    left, right = middles("both")
    assert left < -0.3
    assert right > 0.3
    assert middles("right") == pytest.approx([right])
    with pytest.raises(UserError, match="no dancer is first seen in that box"):
        middles("20x20+0+0")


def test_a_network_that_is_needed_and_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visualizer.camera.landmarker.is_there", lambda: True)
    monkeypatch.setattr("visualizer.paths.person_models", lambda: tmp_path / "none")
    with pytest.raises(UserError, match="`python -m training person-model` fetches it once, or --person-model FILE"):
        extract_footage([tmp_path / "any.mp4"], tmp_path / "data", Request(Wish("person")), jobs=1)
