"""Landmarks that a camera has seen come onto our bones; a clip is not taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.made_clips import dance_motion
from tests.support.made_landmarks import landmarks_of
from training.data.motion.convert import read_fitted, read_motion
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.skeleton import INDEX
from visualizer.errors import UserError

MOTION = fit_skeleton(dance_motion("bounce and rock", 120, 8)[0]).positions
SEEN = [number for name, number in INDEX.items() if "_" in name and "hand" not in name]


def write(path: Path, landmarks: np.ndarray, fps: float = 60.0) -> Path:
    np.savez(path, landmarks=landmarks, fps=np.float32(fps))
    return path


def test_landmarks_come_back_as_they_were_danced(tmp_path: Path) -> None:
    positions, _, fit = read_fitted(write(tmp_path / "x.npz", landmarks_of(MOTION)[..., 2:5]))
    count = min(len(positions), len(MOTION))
    off = (positions - positions[:, :1])[:count] - (MOTION - MOTION[:, :1])[:count]
    assert 100 * np.linalg.norm(off[:, SEEN], axis=-1).mean() < 5
    assert fit.mean_cm < 5


def test_clips_are_clips(tmp_path: Path) -> None:
    np.savez(tmp_path / "clip.npz", positions=MOTION, fps=np.float32(60))
    positions, notes, fit = read_fitted(tmp_path / "clip.npz")
    assert notes == ["canonical"]
    assert np.array_equal(positions, MOTION)
    assert fit.mean_cm < 0.01


@pytest.mark.parametrize(
    ("landmarks", "fps", "why"),
    [
        (np.zeros((30, 17, 3)), 30.0, "landmarks must be"), (np.zeros((1, 33, 3)), 30.0, "landmarks must be"),
        (np.zeros((90, 33, 3)), 0.0, "landmarks must be"), (np.full((90, 33, 3), 1e9), 30.0, "no places"),
        (np.full((90, 33, 3), np.nan), 30.0, "is lost for"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(tmp_path: Path, landmarks: np.ndarray, fps: float, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read_motion(write(tmp_path / "x.npz", landmarks, fps))
