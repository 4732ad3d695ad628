"""Markers of studios, in C3D files, come onto our bones as they were danced; what is damaged is refused in one line."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.made_clips import dance_motion
from tests.support.made_markers import markers_of, write_c3d
from tests.support.needs import needs
from training.data.motion.convert import convert, read_fitted, read_motion
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.skeleton import INDEX
from visualizer.errors import UserError

MOTION = fit_skeleton(dance_motion("bounce and rock", 120, 8)[0]).positions
SEEN = [number for name, number in INDEX.items() if "hand" not in name]


@pytest.fixture(autouse=True)
def reader() -> None:
    needs(importlib.util.find_spec("c3d"), "c3d")


def apart_cm(found: NDArray, wanted: NDArray) -> NDArray:
    """Distances of joints about the pelvis, centimetres."""
    count = min(len(found), len(wanted))
    assert abs(len(found) - len(wanted)) <= 2
    off = (found - found[:, :1])[:count] - (wanted - wanted[:, :1])[:count]
    return 100 * np.linalg.norm(off, axis=-1)


def test_markers_come_back_as_they_were_danced(tmp_path: Path) -> None:
    positions, notes, fit = read_fitted(write_c3d(tmp_path / "x.c3d", markers_of(MOTION), 60.0))
    assert apart_cm(positions, MOTION)[:, SEEN].mean() < 3
    assert "markers" in notes
    assert "z up" in notes
    assert 0 < fit.mean_cm < 5
    assert fit.worst_cm >= fit.mean_cm


def test_a_marker_that_is_lost_for_a_moment_is_bridged(tmp_path: Path) -> None:
    markers = markers_of(MOTION)
    markers["LKNE"][40:45] = np.nan
    whole, _ = read_motion(write_c3d(tmp_path / "a.c3d", markers_of(MOTION), 60.0))
    bridged, _ = read_motion(write_c3d(tmp_path / "b.c3d", markers, 60.0))
    assert apart_cm(bridged, whole).max() < 4
    markers["LKNE"][40:90] = np.nan
    with pytest.raises(UserError, match=r"c\.c3d: LKNE is lost for 0\.8 s"):
        read_motion(write_c3d(tmp_path / "c.c3d", markers, 60.0))


def test_other_names_are_told_by_a_table(tmp_path: Path) -> None:
    places = {name: 1000.0 * MOTION[:, number].astype(np.float64) for name, number in INDEX.items()}
    named = {f"M{number}": place for number, place in enumerate(places.values())}
    path = write_c3d(tmp_path / "x.c3d", named, 60.0)
    with pytest.raises(UserError, match="no marker LASI among M0, M1"):
        read_motion(path)
    table = {joint: f"M{number}" for joint, number in INDEX.items() if "_" in joint or joint in ("neck", "head")}
    positions, _ = read_motion(path, table)
    assert apart_cm(positions, MOTION).mean() < 4
    with pytest.raises(UserError, match="no marker is called 'nothing'"):
        read_motion(path, {**table, "neck": "nothing"})
    del table["left_knee"]
    with pytest.raises(UserError, match="does not name left_knee"):
        read_motion(path, table)


@pytest.mark.parametrize("cut", [0, 3, 300, 512, 1500])
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, cut: int) -> None:
    path = write_c3d(tmp_path / "x.c3d", markers_of(MOTION[:70]), 60.0)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError) as caught:
        read_motion(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_noise_is_no_motion(tmp_path: Path) -> None:
    whole = write_c3d(tmp_path / "x.c3d", markers_of(MOTION[:70]), 60.0).read_bytes()
    rng = np.random.default_rng(3)
    for number in range(30):
        data = bytearray(whole)
        for at in rng.integers(0, 2048, 12):
            data[at] = rng.integers(0, 256)
        path = tmp_path / f"{number}.c3d"
        path.write_bytes(data)
        with contextlib.suppress(UserError):  # anything else fails the test
            read_motion(path)


def test_the_table_says_how_well_each_fits(tmp_path: Path) -> None:
    write_c3d(tmp_path / "studio.c3d", markers_of(MOTION), 60.0)
    said: list[str] = []
    convert([tmp_path / "studio.c3d"], tmp_path / "out", style="house", say=said.append)
    head = next(n for n, line in enumerate(said) if line.startswith("clip"))
    assert "cm" in said[head]
    assert said[head + 1].startswith("studio")
