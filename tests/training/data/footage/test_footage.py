"""Footage: films are made whose true masks are known, and go the way that a user's do."""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.support.made_clips import FPS, dance_motion
from tests.support.repository import REPOSITORY
from tests.support.training_run import run_training
from training.data.dataset import from_bytes, open_takes
from training.data.footage import compose, extract, run
from training.data.footage.beats import Steps, hear, steps_by_movement, steps_by_sound
from training.data.footage.crop import STANDING, field, follow, split_clips
from training.data.footage.extract import is_cut
from training.data.footage.figure import CUT_OFF, KEPT, NO_FIGURE, TWO, find_figure, unpack
from training.data.footage.found import Found
from training.data.footage.key import Key
from training.data.footage.made import CONDITIONS, GROUND, Shot, at_rate, film, pictures, true_frames
from training.data.footage.masks import METHODS, Wish, prepare, refined
from training.data.footage.person import Person
from training.data.footage.run import Request, extract_footage
from training.data.sampling import frame_batches

from training.data.footage.video import Crop, pictures as read_pictures, probe, read_crop, read_range, view_of  # isort: skip
from training.data.motion.body import project
from visualizer import paths
from visualizer.camera.landmarker import POINT
from visualizer.dancer.pack import FRAME_METRES
from visualizer.errors import UserError

SMALL = (640, 360)
RATE = 8.0


@functools.cache
def danced(seconds: float = 4.0, name: str = "two-step sway", rate: float = RATE) -> NDArray[np.float32]:
    positions, _ = dance_motion(name, 110, 16)
    return at_rate(positions, FPS, rate, seconds)


def shot(screen: str, condition: str = "clean", seconds: float = 4.0, **more: Any) -> Shot:
    return Shot(danced(seconds), RATE, screen, CONDITIONS[condition], SMALL, **more)


def overlap(a: NDArray, b: NDArray) -> float:
    a, b = a > 0, b > 0
    return float((a & b).sum() / max(1, (a | b).sum()))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def blue(films: Path) -> Path:
    """A dance before a blue screen, four seconds."""
    path = films / "blue.mp4"
    film(shot("blue"), path)
    return path


def colour_network(path: Path, outputs: int = 1, channels_first: bool = True, gain: float = 30.0) -> Path:
    """A segmentation network of one convolution: what is not blue is a person. Logits."""
    weight = np.zeros((outputs, 3, 1, 1), np.float32)
    weight[-1, :, 0, 0] = (gain, 0, -0.6 * gain)  # red, green, blue
    nodes, given, made = [], "picture", "mask"
    if not channels_first:
        nodes.append(helper.make_node("Transpose", ["picture"], ["turned"], perm=[0, 3, 1, 2]))
        given = "turned"
    nodes.append(helper.make_node("Conv", [given, "w", "b"], ["plain" if not channels_first else made]))
    if not channels_first:
        nodes.append(helper.make_node("Transpose", ["plain"], [made], perm=[0, 2, 3, 1]))
    shape = [1, 3, 180, 320] if channels_first else [1, 180, 320, 3]
    graph = helper.make_graph(
        nodes, "mask", [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(made, TensorProto.FLOAT, None)],
        [helper.make_tensor("w", TensorProto.FLOAT, weight.shape, weight.ravel()),
         helper.make_tensor("b", TensorProto.FLOAT, [outputs], [0.0] * outputs)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


# --- masks ----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("key", ["border", "#000000"])
@pytest.mark.parametrize("method", ["key", "shadow", "still"])
@pytest.mark.parametrize("colour", [(0, 0, 0), (20, 20, 20), (128, 128, 128), (255, 255, 255), (220, 40, 20)])
def test_pictures_of_one_colour_show_nobody(method: str, key: str, colour: tuple[int, int, int]) -> None:
    """Either they are refused, or nobody is seen; nothing is divided by nought on the way."""
    flat = np.full((240, 320, 3), colour, np.uint8)
    if method == "key" and (key == "#000000" or max(colour) <= 20):
        with pytest.raises(UserError, match=r"film: black, .* is no colour to take out"):
            prepare(Wish(method, key), [flat] * 12, Path("film"))
        return
    way = prepare(Wish(method, key), [flat] * 12, Path("film"))
    assert not refined(flat, way.mask(flat)).any()


@pytest.mark.parametrize(
    ("method", "screen", "condition", "least"),
    [("key", "blue", "clean", 0.95), ("key", "blue", "all", 0.93), ("key", "green", "all", 0.93),
     ("shadow", "shadow", "clean", 0.95), ("shadow", "shadow", "all", 0.94),
     ("still", "room", "clean", 0.93), ("still", "room", "all", 0.88)],
)  # fmt: skip
def test_the_mask_is_the_dancer(method: str, screen: str, condition: str, least: float) -> None:
    """Straight from the picture; encoding is part of the whole way below."""
    scene = shot(screen, condition, empty=1.0)
    made = list(pictures(scene))
    empty = int(scene.empty * scene.fps)
    looks = [p for p, _ in (made[:empty] if method == "still" else made)]
    way = prepare(Wish(method), looks, Path("film"))
    found = [overlap(refined(p, way.mask(p)), m) for p, m in made[empty::3]]
    assert np.mean(found) > least
    assert np.min(found) > least - 0.06
    steps = way.steps(made[-1][0])
    assert len({name for name, _ in steps}) == len(steps) >= 2
    assert all(picture.dtype == np.uint8 for _, picture in steps)


def test_an_empty_picture_has_no_figure() -> None:
    for method, screen in (("key", "blue"), ("shadow", "shadow"), ("still", "room")):
        empty = [p for p, _ in pictures(shot(screen, "all", 0.5, empty=1.0))][:8]
        way = prepare(Wish(method), empty, Path("film"))
        assert all(find_figure(refined(p, way.mask(p)))[0] == NO_FIGURE for p in empty)


def test_the_key_is_what_was_asked_for() -> None:
    scene = [p for p, _ in pictures(shot("blue", seconds=1.0))]
    for wish in ("border", "blue", "#2060b0"):
        key = prepare(Wish("key", wish), scene, Path("film"))
        assert isinstance(key, Key)
        blue, green, red = key.colour
        assert blue > 1.5 * green > 1.5 * red
    with pytest.raises(UserError, match="hardly any green"):
        prepare(Wish("key", "green"), scene, Path("film"))
    with pytest.raises(UserError, match="key 'mauve'"):
        Wish("key", "mauve").check()


def test_what_is_dark_of_the_keys_colour_is_its_shadow_and_goes() -> None:
    picture = np.full((90, 160, 3), (180, 90, 30), np.uint8)
    picture[30:60, 40:60] = (90, 45, 15)  # a shadow
    picture[30:60, 80:100] = (60, 60, 200)  # a thing
    mask = prepare(Wish("key"), [picture], Path("film")).mask(picture)
    assert mask[35:55, 45:55].max() == 0
    assert mask[35:55, 85:95].min() == 255


def test_the_outline_goes_where_picture_is_half_figure() -> None:
    """A disc of known size, soft-edged; masks a pixel too wide or too narrow come to the same size."""
    y, x = np.mgrid[:200, :200] + 0.5
    away = np.hypot(x - 100, y - 100) - 60
    cover = np.clip(0.5 - away / 2, 0, 1)[..., None]
    picture = (cover * (40, 60, 200) + (1 - cover) * (180, 90, 30)).astype(np.uint8)
    for off in (-1.5, 0.0, 1.5):
        mask = refined(picture, np.where(away < off, np.uint8(255), np.uint8(0)))
        assert (mask > 0).sum() == pytest.approx(np.pi * 60**2, rel=0.004)


@pytest.mark.parametrize(("outputs", "channels_first"), [(1, True), (2, True), (1, False), (2, False)])
def test_a_network_of_the_users_finds_the_person(tmp_path: Path, outputs: int, channels_first: bool) -> None:
    network = colour_network(tmp_path / "mask.onnx", outputs, channels_first)
    wish = Wish("person", mask_model=network)
    wish.check()
    made = list(pictures(shot("blue", seconds=1.0)))
    way = prepare(wish, [], Path("film"))
    assert np.mean([overlap(refined(p, way.mask(p)), m) for p, m in made]) > 0.85
    assert [name for name, _ in way.steps(made[0][0])] == ["picture", "likely", "mask"]


def test_networks_that_do_not_keep_the_contract_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(UserError, match="not a usable network"):
        Person(path)
    with pytest.raises(UserError, match="cannot be read"):
        Person(tmp_path / "absent.onnx")
    with pytest.raises(UserError, match="it must take one picture"):
        Person(paths.models() / "default" / "encoder.onnx")  # takes one channel
    with pytest.raises(UserError, match=r"gives \(1, 3, 180, 320\)"):
        Person(colour_network(path, 3))
    with pytest.raises(UserError, match="no number"):
        Person(colour_network(path, gain=float("inf")))
    with pytest.raises(UserError, match="mask norm"):
        Wish("person", mask_model=colour_network(path), mask_norm="odd").check()
    with pytest.raises(UserError, match="is for --method person"):
        Wish("key", mask_model=path).check()
    with pytest.raises(UserError, match=", ".join(METHODS)):
        Wish("magic").check()


# --- figures --------------------------------------------------------------------------------------------------


def person_at(x: int, y: int = 40, high: int = 160) -> NDArray[np.uint8]:
    """A crude standing person in a mask of 240 x 400."""
    mask = np.zeros((240, 400), np.uint8)
    cv2.rectangle(mask, (x - 18, y + 30), (x + 18, y + 95), 255, -1)
    cv2.circle(mask, (x, y + 15), 15, 255, -1)
    for side in (-1, 1):
        cv2.line(mask, (x + side * 10, y + 90), (x + side * 14, y + high), 255, 11)
        cv2.line(mask, (x + side * 15, y + 36), (x + side * 45, y + 80), 255, 9)
    return mask


def test_verdicts() -> None:
    assert find_figure(np.zeros((240, 400), np.uint8)) == (NO_FIGURE, None)
    assert find_figure(np.full((240, 400), 255, np.uint8))[0] == NO_FIGURE
    assert find_figure(person_at(100) | person_at(300))[0] == TWO
    assert find_figure(person_at(20))[0] == CUT_OFF
    assert find_figure(person_at(200, 90))[0] == CUT_OFF  # the feet are below the picture
    speck = person_at(200)
    cv2.rectangle(speck, (10, 10), (16, 16), 255, -1)  # something small far away is nobody
    verdict, figure = find_figure(speck)
    assert verdict == KEPT
    assert figure is not None
    assert abs(figure.hips - 200.5) < 1.5
    assert abs(figure.head - 40) <= 1
    assert figure.box[1] + figure.box[3] == pytest.approx(206, abs=2)
    assert (unpack(figure.packed(), *figure.box[2:]) == figure.mask).all()


def test_a_hand_that_was_lost_comes_back_and_holes_close_but_those_that_are_real() -> None:
    whole = person_at(200)
    cut = whole.copy()
    cut[:, 233:236] = 0  # the lower arm is apart from the body
    cut[100:103, 198:201] = 0  # a speck in the body
    cv2.line(cut, (185, 76), (165, 130), 255, 7)  # an arm that closes a ring with the hip
    cv2.line(cut, (165, 130), (185, 125), 255, 7)
    ring = cut.copy()
    verdict, figure = find_figure(cut)
    assert verdict == KEPT
    assert figure is not None
    left, top, wide, _ = figure.box
    assert left + wide > 240
    assert figure.mask[101 - top, 199 - left] == 255
    inside = ring[100:124, 172:181] == 0
    assert inside.any()
    assert (figure.mask[100 - top : 124 - top, 172 - left : 181 - left][inside] == 0).mean() > 0.9


# --- frames ---------------------------------------------------------------------------------------------------


def test_a_mask_becomes_the_field_that_the_product_draws() -> None:
    scene = shot("blue", seconds=1.0)
    true, centre = true_frames(scene)
    metre = scene.pixels_a_metre
    for k, (_, mask) in enumerate(pictures(scene)):
        verdict, figure = find_figure(np.where(mask, np.uint8(255), np.uint8(0)))
        assert verdict == KEPT
        assert figure is not None
        left, top = figure.box[:2]
        found = field(figure.mask, left, top, SMALL[0] / 2 + centre[k] * metre, GROUND * SMALL[1], metre)
        assert found.shape == (128, 128)
        assert overlap(found < 0, true[k] < 0) > 0.95
        assert np.abs(found - true[k]).mean() * 128 < 0.05  # pixels
        assert np.abs(found).max() == pytest.approx(3 / 128)


@pytest.mark.slow
def test_footage_gives_the_frames_of_the_product(tmp_path: Path, blue: Path) -> None:
    (report,) = extract_footage([blue], tmp_path / "data", Request(Wish("key"), beats="none"), jobs=1)
    scene = shot("blue")
    assert report.kept == report.looked == len(scene.positions)
    takes, styles = open_takes(tmp_path / "data" / "data.zarr")
    assert styles == ["blue"]
    (take,) = takes
    seen = from_bytes(take.read("seen"))
    true, centre = true_frames(scene)
    inside, wanted = seen < 0, true < 0
    # The size of a body is guessed from how high its head is; all else has to be right.
    assert np.mean([overlap(a, b) for a, b in zip(inside, wanted, strict=True)]) > 0.7
    feet = [np.flatnonzero(f.any(axis=1)).max() for f in inside]
    true_feet = [np.flatnonzero(f.any(axis=1)).max() for f in wanted]
    assert np.abs(np.median(feet) - np.median(true_feet)) <= 1.5
    assert np.std(take.read("centre") - centre) < 0.04
    high = [np.ptp(np.flatnonzero(f.any(axis=1))) for f in inside]
    assert np.quantile(high, 0.9) * FRAME_METRES / 128 == pytest.approx(STANDING, abs=0.12)


@pytest.mark.slow
def test_the_fit_can_read_it(tmp_path: Path, films: Path) -> None:
    """Two clips in one video: a cut between two screens. All that training reads is there."""
    path = films / "two.mp4"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=int(RATE))
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        for screen in ("blue", "green"):
            for picture, _ in pictures(shot(screen, seconds=3.0)):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        file.mux(stream.encode(None))
    (report,) = extract_footage([path], tmp_path / "data", Request(Wish("person", mask_model=both(films)), beats="none",
                                                                   name="mine"), jobs=1)  # fmt: skip
    assert len(report.clips) == 2
    assert report.kept == 48
    takes, styles = open_takes(tmp_path / "data" / "data.zarr")
    assert styles == ["mine"]
    assert [t.clip for t in takes] == ["two 1", "two 2"]
    for take in takes:
        count = len(take)
        assert count > 60
        assert {len(take.read(n)) for n in ("frames", "joints", "energy", "travel", "steps")} == {count}
        assert np.isnan(take.read("joints")).all()
        assert take.read("frames").shape == (count, 128, 128)
        assert (take.read("frames", slice(5, 9)) == take.read("frames")[5:9]).all()
        times, steps = take.read("times"), take.read("steps")
        assert np.abs(times[take.read("pictures")] - steps).max() <= 0.5 / RATE + 1e-6
        assert 0 < take.read("energy").min() < take.read("energy").max() < 1
    frames, joints = next(frame_batches(takes, 16, 0, 64))
    assert frames.shape == (16, 128, 128)
    assert np.isnan(joints).all()


def both(folder: Path) -> Path:
    """A network that takes out blue and green: what has red is a person."""
    path = folder / "both.onnx"
    if not path.exists():
        colour_network(path)
        model = onnx.load(path)
        weight = np.array([60, -14, -14], np.float32)
        model.graph.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [1, 3, 1, 1], weight))
        model.graph.initializer[1].CopyFrom(helper.make_tensor("b", TensorProto.FLOAT, [1], [-3.0]))
        onnx.save(model, path)
    return path


@pytest.mark.slow
def test_who_moves_across_the_stage_travels(tmp_path: Path, films: Path) -> None:
    positions = danced().copy()
    walk = np.linspace(-0.7, 0.7, len(positions), dtype=np.float32)
    positions[..., 0] += walk[:, None] - positions[:, :1, 0]
    path = films / "walk.mp4"
    film(replace(shot("blue"), positions=positions), path)
    extract_footage([path], tmp_path / "data", Request(Wish("key"), beats="none"), jobs=1)
    (take,) = open_takes(tmp_path / "data" / "data.zarr")[0]
    way = take.read("travel").sum() / 16 * FRAME_METRES  # metres
    steps = take.read("steps")
    assert way == pytest.approx(1.4 * (steps[-1] - steps[0]) / 4, rel=0.12)
    hips = from_bytes(take.read("seen"))[:, 58:72] < 0
    middle = [np.flatnonzero(f.any(axis=0)).mean() for f in hips]
    assert abs(np.median(middle) - 63.5) < 3  # the crop went along


def test_cuts_are_cuts_and_lamps_are_not() -> None:
    blue, green, room = ([p for p, _ in pictures(shot(s, seconds=0.5))] for s in ("blue", "green", "room"))
    assert is_cut(blue[0], green[0])
    assert is_cut(blue[0], room[0])
    assert is_cut(room[0], green[0])
    for scene in (blue, green, room):
        assert not is_cut(scene[0], scene[3])
        assert not is_cut(scene[0], np.clip(scene[0] * 1.6, 0, 255).astype(np.uint8))
        assert not is_cut(scene[0], (scene[0] * 0.5).astype(np.uint8))


def found_like(places: Sequence[float | None], rate: float = 10.0) -> Found:
    """A figure 100 pixels high at each place; None: nobody."""
    n = len(places)
    hips = np.array([p or 0.0 for p in places], np.float32)
    boxes = np.stack([hips - 20, np.full(n, 50), np.full(n, 40), np.full(n, 100)], axis=1).astype(np.int32)
    verdicts = np.array([KEPT if p is not None else NO_FIGURE for p in places], np.uint8)
    return Found(np.arange(n) / rate, verdicts, boxes, hips, np.full(n, 50, np.float32), np.zeros(n, np.bool_))


def test_a_caption_over_the_feet_does_not_lift_the_floor() -> None:
    """The mask ends above it, the network knows where the feet are; what hides nothing changes nothing."""
    found = found_like([100.0] * 40)
    bodies = np.full((40, 33, 6), np.nan, np.float32)
    bodies[:, [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")], 1] = 175.0
    (plain,) = follow(found, [np.arange(40)], 240)
    (hidden,) = follow(replace(found, bodies=bodies), [np.arange(40)], 240)
    assert plain.floor == pytest.approx(150)
    assert hidden.floor == pytest.approx(175)
    bodies[..., 1] -= 40
    (free,) = follow(replace(found, bodies=bodies), [np.arange(40)], 240)
    assert free.floor == pytest.approx(150)


def test_clips_end_where_nobody_is_seen_or_someone_leaps() -> None:
    assert [len(c) for c in split_clips(found_like([100.0] * 30))[0]] == [30]
    assert [len(c) for c in split_clips(found_like([100.0] * 25 + [None] + [100.0] * 25))[0]] == [50]  # one is bridged
    assert [len(c) for c in split_clips(found_like([100.0] * 25 + [None] * 5 + [100.0] * 25))[0]] == [25, 25]
    assert [len(c) for c in split_clips(found_like([100.0] * 25 + [300.0] * 30))[0]] == [25, 30]
    clips, short = split_clips(found_like([100.0] * 15 + [None] * 5 + [100.0] * 30))
    assert [len(c) for c in clips] == [30]
    assert short == 15
    assert split_clips(found_like([None] * 30)) == ([], 0)


# --- beats ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_beats_come_from_the_sound(films: Path) -> None:
    path = films / "music.mp4"
    film(Shot(danced(12.0, rate=2.0), 2.0, "blue", size=(160, 96)), path, paths.assets() / "own_music.ogg")
    video = probe(path)
    song = hear(video)
    assert song is not None
    steps = steps_by_sound(song, video, 1.3, 11.0)
    assert steps is not None
    assert steps.source == "sound"
    assert steps.bpm == pytest.approx(120, rel=0.01)
    beats = steps.times[::16]
    assert (np.diff(beats) > 0).all()
    # Own music has its beats on the half seconds from its beginning.
    assert np.abs((beats * 2 + 0.5) % 1 - 0.5).max() < 0.06
    assert steps.times[0] >= 1.3
    assert steps.times[-1] <= 11.0
    later = steps_by_sound(song, video, 1.3 + 0.5, 11.0)
    assert later is not None
    assert (later.phrase + 1) % 8 == steps.phrase  # a beat later, a beat less to the phrase
    assert steps_by_sound(song, video, 1.0, 2.0) is None


@pytest.mark.slow
def test_beats_come_from_the_movement() -> None:
    positions, true = dance_motion("jack", 120, 32, lead_in=0.3)
    centre = positions[:, 0, 0]
    joints = project(positions, centre)[::2]
    times = 7.0 + np.arange(len(joints)) * 2 / FPS
    steps = steps_by_movement(joints, centre[::2].astype(np.float64), times)
    assert steps is not None
    assert steps.bpm == pytest.approx(120, rel=0.03)
    gap = np.abs(steps.times[::16, None] - 7.0 - true).min(axis=1)
    assert np.mean(gap < 0.06) > 0.85
    still = np.repeat(joints[:1], len(joints), axis=0)
    assert steps_by_movement(still, np.zeros(len(joints)), times) is None


@pytest.mark.slow
def test_a_clip_of_two_paces_is_halved(tmp_path: Path, blue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the whole has no steady beat its halves may have one; no picture is lost over it."""
    monkeypatch.setattr(compose, "see", lambda frames, threads: (frames, np.zeros((len(frames), 21, 2), np.float32)))
    monkeypatch.setattr(compose, "HALF_SECONDS", 1.5)

    def only_short(joints: NDArray[np.float32], centre: NDArray, times: NDArray) -> Steps | None:
        count = round((times[-1] - times[0]) * 32)
        return Steps(times[0] + np.arange(count) / 32, 4, "movement", 120.0) if len(times) < 20 else None

    monkeypatch.setattr(compose, "steps_by_movement", only_short)
    (report,) = extract_footage([blue], tmp_path / "data", Request(Wish("key")), jobs=1)
    assert [line.split(":")[0] for line in report.clips] == ["blue 1", "blue 2"]
    assert all("120 a minute" in line for line in report.clips)
    takes, _ = open_takes(tmp_path / "data" / "data.zarr")
    assert all(t.timed and t.phrase == 4 for t in takes)
    seen = np.concatenate([t.read("times") for t in takes])
    assert len(seen) == report.kept == 32
    assert (np.diff(seen) > 0).all()


def test_silence_has_no_beat(blue: Path) -> None:
    assert hear(probe(blue)) is None


# --- reading videos -------------------------------------------------------------------------------------------


def test_a_stretch_is_the_same_wherever_reading_began(films: Path) -> None:
    path = films / "long.mp4"
    film(Shot(danced(6.0, rate=25.0), 25.0, "blue", size=(192, 108)), path)
    video = probe(path)
    view = view_of(video, None)
    whole = list(read_pictures(video, view, 0, 99, 10))
    assert len(whole) == 60
    assert np.diff([t for t, _ in whole]).max() < 0.13
    parts = [p for a in (0, 2.2, 4.4) for p in read_pictures(video, view, a, min(a + 2.2, 99), 10)]
    assert [t for t, _ in parts] == [t for t, _ in whole]
    assert all((a == b).all() for (_, a), (_, b) in zip(parts, whole, strict=True))
    turned = replace(video, width=108, height=192, turned=1)
    _, first = next(read_pictures(turned, view_of(turned, None), 0, 1))
    assert (first == np.rot90(whole[0][1])).all()
    part = view_of(video, Crop(48, 27, 96, 54))
    _, first = next(read_pictures(video, part, 0, 1))
    assert (first == whole[0][1][27:81, 48:144]).all()
    with pytest.raises(UserError, match="reaches out of its 192x108"):
        view_of(video, Crop(100, 0, 100, 100))


def test_what_is_asked_for_is_read() -> None:
    assert read_crop("800x1000+200+0") == Crop(200, 0, 800, 1000)
    assert read_range("0:10-1:30.5") == (10.0, 90.5)
    assert read_range("75-") == (75.0, float("inf"))
    assert read_range("-1:00:00") == (0.0, 3600.0)
    for wrong in ("", "-", "10", "9-3", "a-b", "1-2-3"):
        with pytest.raises(UserError):
            read_range(wrong)
    for wrong in ("800x600", "0x0+0+0", "axb+1+1", "800x600+-1+0"):
        with pytest.raises(UserError):
            read_crop(wrong)


# --- the whole way --------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_what_was_stopped_goes_on_and_ends_the_same(
    tmp_path: Path, blue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extract, "PIECE_SECONDS", 1.5)
    extract_footage([blue], tmp_path / "straight", Request(Wish("key"), beats="none"), jobs=1)
    true_look, looked = extract.look_at, []

    def stopped(piece: extract.Piece) -> int:
        if len(looked) == 2:
            raise KeyboardInterrupt
        looked.append(piece.out.name)
        return true_look(piece)

    monkeypatch.setattr(run, "look_at", stopped)
    with pytest.raises(KeyboardInterrupt):
        extract_footage([blue], tmp_path / "stopped", Request(Wish("key"), beats="none"), jobs=1)
    part = tmp_path / ".stopped.part"
    assert not (tmp_path / "stopped").exists()
    done = {p.name: p.stat().st_mtime_ns for p in (part / "000").glob("0*.npz")}
    assert len(done) == 2
    looked = []
    monkeypatch.setattr(run, "look_at", lambda piece: looked.append(piece.out.name) or true_look(piece))
    extract_footage([blue], tmp_path / "stopped", Request(Wish("key"), beats="none"), jobs=1)
    assert "going on" in capsys.readouterr().err
    assert looked
    assert not set(looked) & set(done)
    assert not part.exists()
    same, other = contents(tmp_path / "straight"), contents(tmp_path / "stopped")
    assert same.keys() == other.keys()
    assert all(same[k] == other[k] for k in same)
    # And again: it is there already.
    assert extract_footage([blue], tmp_path / "stopped", Request(Wish("key"), beats="none"), jobs=1) == []
    with pytest.raises(UserError, match="--force"):
        extract_footage([blue], tmp_path / "stopped", Request(Wish("key"), beats="none", rate=4), jobs=1)
    extract_footage([blue], tmp_path / "stopped", Request(Wish("key"), beats="none", rate=4), jobs=1, force=True)
    assert json.loads((tmp_path / "stopped" / "footage.json").read_text())["recipe"]["rate"] == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stopped", "straight"]


@pytest.mark.slow
def test_a_killed_run_by_several_processes_goes_on(tmp_path: Path, films: Path) -> None:
    """The real command, two processes, killed when the first piece is there."""
    path = films / "killed.mp4"
    positions = np.concatenate([danced(6.0)] * 8)  # three pieces
    film(Shot(positions, RATE, "blue", size=(320, 180)), path)
    words = [sys.executable, "-m", "training", "footage", str(path), "--out", str(tmp_path / "data"), "--jobs", "2",
             "--beats", "none"]  # fmt: skip
    work = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / ".data.part").glob("000/0*.npz")):
        assert work.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(work.pid, signal.SIGKILL)
    work.communicate()
    assert not (tmp_path / "data").exists()
    again = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    assert "going on from where it was stopped" in again.stderr
    assert f"{len(positions):,} of {len(positions):,} pictures kept" in again.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]


@pytest.mark.slow
def test_the_report_shows_what_was_dropped_and_why(tmp_path: Path, films: Path) -> None:
    """Empty for a while, then one who walks out of the picture, then two."""
    path = films / "mixed.mp4"
    positions = danced(5.0).copy()
    positions[16:, :, 0] += np.concatenate([np.linspace(0, 2.4, 16), np.full(8, 2.4)]).astype(np.float32)[:, None]
    one = [p for p, _ in pictures(replace(shot("blue"), positions=positions, empty=1.0))]
    left, right = (
        [
            p
            for p, _ in pictures(
                replace(shot("blue", seconds=1.5), positions=danced(1.5) + np.array([x, 0, 0], np.float32))
            )
        ]
        for x in (-0.9, 0.9)
    )
    half = SMALL[0] // 2
    two = [np.concatenate([a[:, :half], b[:, half:]], axis=1) for a, b in zip(left, right, strict=True)]
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=int(RATE))
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        for picture in one + two:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        file.mux(stream.encode(None))
    (report,) = extract_footage([path], tmp_path / "data", Request(Wish("key"), beats="none"), show_steps=True, jobs=1)
    assert report.looked == len(one) + len(two)
    assert sum(report.counts.values()) == report.looked
    assert 7 <= report.counts["no figure"] <= 12
    assert report.counts["cut off by the border"] >= 3
    assert 10 <= report.counts["two figures"] <= 13
    assert report.kept >= 18
    page = (tmp_path / "data" / "report.html").read_text(encoding="utf-8")
    for words in ("Kept", "no figure", "two figures", "cut off by the border", "mixed"):
        assert words in page
    assert "http" not in page  # it needs nothing from elsewhere
    assert page.count("<img") > 20
    sheet = cv2.imread(str(tmp_path / "data" / "contact.png"))
    assert sheet is not None
    assert sheet.shape[0] > 300
    steps = sorted(p.name for p in (tmp_path / "data" / "steps" / "mixed").iterdir())
    last = [name for name in steps if name.startswith("3_")]
    assert [name.split("_", 2)[2] for name in last] == [
        "picture.png", "contrast.png", "colour_out.png", "one_colour.png", "outline.png", "crop.png",
    ]  # fmt: skip


# --- refusals -------------------------------------------------------------------------------------------------


def refused(*words: str | Path, folder: Path) -> str:
    """Run the real command, which must end with 2, one line, and nothing new in `folder`."""
    before = sorted(p.name for p in folder.iterdir())
    done = run_training("footage", *words, "--out", folder / "data", "--jobs", "1")
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.strip().splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == before
    return lines[0]


@pytest.mark.slow
def test_what_cannot_be_used_is_refused_by_the_program(tmp_path: Path) -> None:
    """Once as a user runs it; the other reasons below, in this process."""
    said = refused(paths.assets() / "own_music.ogg", folder=tmp_path)
    assert "sound only" in said


def refusal(folder: Path, *places: Path, request: Request | None = None) -> str:
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(UserError) as caught:
        extract_footage(list(places), folder / "data", request or Request(Wish("key"), beats="none"), jobs=1)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert sorted(p.name for p in folder.iterdir()) == before
    return said


@pytest.mark.slow
def test_what_is_no_video_is_refused(tmp_path: Path, films: Path, blue: Path) -> None:
    assert "no such video" in refusal(tmp_path, tmp_path / "absent.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("not a video at all\n" * 50)
    assert "cannot be read as a video" in refusal(tmp_path, text)
    (tmp_path / "empty").mkdir()
    assert "no videos in that folder" in refusal(tmp_path, tmp_path / "empty")
    whole = blue.read_bytes()
    headless = tmp_path / "cut.mp4"
    headless.write_bytes(whole[: len(whole) // 2])  # its index was at the end
    assert "cannot be read as a video" in refusal(tmp_path, headless)
    assert "no dancer found" in refusal(tmp_path, blue, request=Request(Wish("shadow"), beats="none"))
    assert "is over after" in refusal(tmp_path, blue, request=Request(Wish("key"), begin=60))
    assert "rate" in refusal(tmp_path, blue, request=Request(rate=0))
    assert "beats" in refusal(tmp_path, blue, request=Request(beats="drums"))
    assert "--empty is for" in refusal(tmp_path, blue, request=Request(Wish("key"), empty=(0, 1)))
    (tmp_path / "data").mkdir()
    assert "not footage of this program" in refusal(tmp_path, blue)
    with pytest.raises(UserError, match="there is no folder"):
        extract_footage([blue], tmp_path / "nowhere" / "data", Request(Wish("key")), jobs=1)


@pytest.mark.slow
def test_an_empty_room_is_refused(tmp_path: Path, films: Path) -> None:
    path = films / "empty.mp4"
    film(replace(shot("blue", seconds=0.25), empty=3.0), path)
    said = refusal(tmp_path, path)
    assert "no dancer found in 26 pictures" in said
    assert "24 no figure" in said


def write_video(path: Path, frames: Sequence[NDArray[np.uint8]]) -> Path:
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=int(RATE))
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        for each in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(each, format="bgr24")))
        file.mux(stream.encode(None))
    return path


def pictures_of_one(seconds: float, aside: float = 0.0) -> list[NDArray[np.uint8]]:
    moved = danced(seconds) + np.array([aside, 0, 0], np.float32)
    return [p for p, _ in pictures(replace(shot("blue", seconds=seconds), positions=moved))]


@pytest.mark.slow
def test_two_people_are_led_to_the_crop_and_it_helps(tmp_path: Path, films: Path) -> None:
    half = SMALL[0] // 2
    pairs = zip(pictures_of_one(4.0, -0.9), pictures_of_one(4.0, 0.9), strict=True)
    path = write_video(films / "two.mp4", [np.concatenate([a[:, :half], b[:, half:]], axis=1) for a, b in pairs])
    said = refusal(tmp_path, path, request=Request(Wish("key"), beats="none"))
    assert "more than one dancer" in said
    assert "--crop WIDTHxHEIGHT+LEFT+TOP" in said
    assert "\n" not in said
    (report,) = extract_footage(
        [path], tmp_path / "data", Request(Wish("key"), beats="none", crop=read_crop(f"{half}x{SMALL[1]}+0+0")), jobs=1
    )
    assert report.kept >= 20


@pytest.mark.parametrize(("count", "says"), [(1, "too short (1 picture, 0 s)"), (8, "too short (8 pictures, ")])
def test_a_clip_of_hardly_a_frame_is_called_too_short(tmp_path: Path, films: Path, count: int, says: str) -> None:
    path = write_video(films / f"short-{count}.mp4", pictures_of_one(2.0)[:count])
    said = refusal(tmp_path, path, request=Request(Wish("key"), beats="none"))
    assert says in said
    assert "at least 2 seconds" in said
    assert "--method" not in said


@pytest.mark.slow
def test_of_a_video_that_breaks_off_the_beginning_is_used(tmp_path: Path, films: Path) -> None:
    path = films / "whole.mkv"
    film(shot("blue"), path)
    whole = path.read_bytes()
    cut = films / "broken.mkv"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    (report,) = extract_footage([cut], tmp_path / "data", Request(Wish("key"), beats="none"), jobs=1)
    assert 16 <= report.kept < 32
    assert any(note.startswith("damaged: can only be read until") for note in report.notes)
    assert "damaged" in (tmp_path / "data" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path, blue: Path) -> None:
    """The system itself refuses to write more than some bytes to a file."""
    words = [sys.executable, "-m", "training", "footage", str(blue), "--out", str(tmp_path / "data"), "--jobs", "1"]
    limit = 30_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    env = {**os.environ, "NUMBA_DISABLE_CACHING": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, preexec_fn=full, env=env)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "cannot be written" in lines[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
    for path in (tmp_path / ".data.part").rglob("*"):
        assert not path.name.endswith(".part")
        if path.suffix == ".npz":
            np.load(path).close()  # whole
    again = run_training("footage", blue, "--out", tmp_path / "data", "--jobs", "1", "--beats", "none")
    assert again.returncode == 0, again.stderr
