"""The figures: each measure on data whose answer is known, then the whole table on the tiny pack."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import TinyFit, run_training
from training import measure
from training.dataset import frame_batches, from_bytes, open_takes
from training.measure import accent, iou, jitter, joint_speeds, simulate, still_seconds, student_dense, upsample
from visualizer.dancer.pack import STEPS_PER_BEAT, load_pack
from visualizer.errors import UserError

SECOND = 2 * STEPS_PER_BEAT  # steps a second at 120 BPM


def swinging(seconds: int, metres: float = 0.3, per_beat: float = 1.0) -> np.ndarray:
    """Joints (S, 21, 2) metres that all swing sideways, `per_beat` times there and back a beat."""
    beat = np.arange(seconds * SECOND) / STEPS_PER_BEAT
    joints = np.zeros((len(beat), 21, 2), dtype=np.float32)
    joints[:, :, 0] = (metres * np.sin(2 * np.pi * per_beat * beat))[:, None]
    return joints


def test_iou() -> None:
    a = np.zeros((4, 4, 4), bool)
    b = np.zeros((4, 4, 4), bool)
    a[0, :2], b[0, :2] = True, True  # the same
    a[1, :2], b[1, 2:] = True, True  # apart
    a[2, :3], b[2, 1:] = True, True  # two rows of four
    np.testing.assert_allclose(iou(a, b), [1.0, 0.0, 0.5, 1.0])  # and two empty pictures


def test_upsampling_keeps_the_outline() -> None:
    y, x = np.mgrid[:128, :128] + 0.5
    field = ((np.hypot(x - 60, y - 70) - 30).clip(-3, 3) / 128).astype(np.float32)
    big = upsample(field[None], 512)
    assert big.shape == (1, 512, 512)
    y, x = np.mgrid[:512, :512] + 0.5
    disc = np.hypot(x - 240, y - 280) < 120
    assert iou(disc[None], big < 0)[0] > 0.995


def test_a_frozen_dance_is_all_still_and_a_moving_one_is_not() -> None:
    assert still_seconds(np.zeros((10 * SECOND + 1, 21, 2), np.float32)) == (10, 10)
    assert still_seconds(swinging(10)) == (0, 9)
    half = np.concatenate([swinging(5), np.zeros((5 * SECOND + 1, 21, 2), np.float32)])
    still, seconds = still_seconds(half)
    assert seconds == 10
    assert still == 5
    slow = np.zeros((10 * SECOND + 1, 21, 2), np.float32)
    slow[:, :, 0] = np.arange(len(slow))[:, None] * 0.04 / SECOND  # below and above 0.05 m/s
    assert still_seconds(slow) == (10, 10)
    assert still_seconds(2 * slow) == (0, 10)


def test_speed_is_in_metres_a_second() -> None:
    joints = np.zeros((SECOND, 21, 2), np.float32)
    joints[:, :, 1] = np.arange(SECOND)[:, None] / SECOND
    np.testing.assert_allclose(joint_speeds(joints), 1.0, rtol=1e-4)
    np.testing.assert_allclose(joint_speeds(joints, bpm=60), 0.5, rtol=1e-4)


def test_shaking_hands_are_jitter_and_smooth_paths_are_not() -> None:
    t = np.arange(200.0)
    parabola = np.zeros((200, 21, 2), np.float32)
    parabola[:, :, 0] = (0.01 * t + 0.001 * t**2)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.005, (320, 21, 2)).astype(np.float32)
    assert jitter(parabola) < 1e-4  # float32 at 42 metres
    assert jitter(parabola + noise[:200]) > 0.01
    assert jitter(swinging(10)) < jitter(swinging(10) + noise)


def test_accents_on_the_beat_between_the_beats_and_nowhere() -> None:
    """Joints that dart and stop: braking ends where the stop is."""
    beat = np.arange(64 * STEPS_PER_BEAT) / STEPS_PER_BEAT

    def stops(at: float) -> np.ndarray:
        phase = (beat - at) % 1.0
        joints = np.zeros((len(beat), 21, 2), np.float32)
        joints[:, :, 0] = (np.floor(beat - at) + np.clip((phase - 0.6) / 0.4, 0, 1))[:, None] * 0.2
        return joints

    assert accent(stops(0.0)) > 5
    assert accent(stops(0.5)) < 0.2
    assert accent(swinging(30, per_beat=0.37)) == pytest.approx(1.0, abs=0.2)


# --- on the tiny pack


def test_held_out_frames_are_of_held_out_clips(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    frames, joints = measure.held_out_frames(takes, 4)
    held = [t for t in takes if t.held_out]
    assert len(frames) == len(joints) == sum(-(-len(t) // 4) for t in held) > 0
    np.testing.assert_array_equal(frames[1, 0], from_bytes(held[0].read("frames")[4]))
    none, _ = measure.held_out_frames([t for t in takes if not t.held_out], 4)
    assert none.shape == (0, 1, 128, 128)


def test_principal_components_are_a_fair_rival(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    frames, _ = measure.held_out_frames(takes, 8)
    frames = frames[::4]
    few, many = (measure.principal_components(takes, frames, size, 0, learned=300) for size in (2, 48))
    scores = [iou(frames[:, 0] < 0, found[:, 0] < 0).mean() for found in (few, many)]
    assert many.shape == frames.shape
    assert scores[0] < scores[1]
    assert scores[1] > 0.6


def test_the_students_network_learns_as_slowly_as_it_did(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    frames, _ = measure.held_out_frames(takes, 32)
    picture, first = student_dense(takes, frames, 0, steps=1)
    again, later = student_dense(takes, frames, 0, steps=8)
    assert picture.shape == frames.shape
    assert (again != picture).any()
    assert first == pytest.approx(np.log(2), abs=0.01)  # it knows nothing yet
    assert later < first
    assert later > 0.5  # Adadelta at 0.001 crawls


def test_the_seed_decides_the_simulated_dance(tiny_pack: Path) -> None:
    pack = load_pack(tiny_pack, "cpu")
    one, same, other = (simulate(pack, 8, seed) for seed in (1, 1, 2))
    assert one.latent.shape == (8 * STEPS_PER_BEAT, pack.latent_size)
    assert one.joints.shape == (8 * STEPS_PER_BEAT, 21, 2)
    np.testing.assert_array_equal(one.joints, same.joints)
    assert (one.latent != other.latent).any()
    assert len(one.letters) >= 16


def test_the_table(tiny_fit: TinyFit, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(tiny_fit.pack, pack)
    done = run_training("measure", pack, "--work", tiny_fit.work, "--sheets", tmp_path / "sheets", "--save")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("ours, latent 16", "principal components, 16", "student's dense network", "simulated minute",
                  "seconds standing still", "jitter", "0.6931"):  # fmt: skip
        assert words in done.stdout
    assert "not the very ones" not in done.stdout
    figures = measure.load_figures(pack)
    assert 0 <= figures["IoU, ours, latent 16"] <= 1
    assert 0.3 < figures["IoU, principal components, 16"] <= 1
    assert json.loads((pack / "pack.json").read_text(encoding="utf-8"))["measures"] == figures
    load_pack(pack, "cpu")  # still a pack

    import cv2

    pictures = sorted((tmp_path / "sheets").glob("*.png"))
    assert pictures[0].name == "reconstruction.png"
    assert len(pictures) >= 3
    for path in pictures:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert picture.std() > 5


def test_measuring_never_touches_data_of_another_recipe(tiny_fit: TinyFit, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another recipe"):
        measure.measure_pack(tiny_fit.pack, tmp_path, tiny_fit.work, None, False)
    assert open_takes(tiny_fit.work / "data.zarr")[0]


def test_a_pack_without_a_recipe_is_a_user_error(tiny_fit: TinyFit, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(tiny_fit.pack, pack)
    info = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
    (pack / "pack.json").write_text(json.dumps({**info, "training": {}}), encoding="utf-8")
    with pytest.raises(UserError, match="training"):
        measure.measure_pack(pack, None, tiny_fit.work, None, False)


def test_training_data_come_as_torch_can_take_them(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    stream = frame_batches(takes, 8, 0)
    frames, joints = next(stream)
    stream.close()
    assert torch.from_numpy(from_bytes(frames)).abs().max() <= measure.FRAME_SIZE / 128 * 3 / 128 + 1e-6
    assert np.isfinite(joints).all()
