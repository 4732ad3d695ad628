"""What decoders of figures learn from: what is stored comes back, and batches hold every sample in its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from tests.support.made_figures import made_takes
from training.data import figure_truths as ft
from training.data.figure_truths import (
    PICTURES,
    TruthStore,
    collate,
    draw_pose,
    draw_sample,
    figure_batches,
    gather_moves,
)
from training.data.figures.figure import load_people
from training.data.motion.skeleton import BONES, LENGTHS
from visualizer.errors import UserError

pytestmark = pytest.mark.slow  # pictures are drawn by code that is compiled first

PEOPLE = tuple(sorted(load_people(), key=lambda figure: (not figure.flat, figure.name))[:2])


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> ft.Moves:
    return gather_moves(made_takes(tmp_path_factory.mktemp("takes")))


def test_poses_are_bodies_that_move_a_little_from_picture_to_picture(moves: ft.Moves) -> None:
    pose = draw_pose(moves, np.random.default_rng(1))
    assert pose.bodies.shape == (PICTURES, 21, 3)
    assert pose.sway.shape == (PICTURES, 7)
    assert ((pose.hands >= 0) & (pose.hands <= 1)).all()
    lengths = np.linalg.norm(pose.bodies[:, BONES[:, 1]] - pose.bodies[:, BONES[:, 0]], axis=-1)
    assert lengths == pytest.approx(np.tile(LENGTHS, (PICTURES, 1)), abs=1e-4)
    steps = np.abs(np.diff(pose.bodies, axis=0)).max()
    assert 0 < steps < 0.2


def test_the_same_number_draws_the_same_pose(moves: ft.Moves) -> None:
    one, again, other = (draw_pose(moves, np.random.default_rng(k)) for k in (5, 5, 6))
    assert np.array_equal(one.bodies, again.bodies)
    assert not np.array_equal(one.bodies, other.bodies)


def test_takes_too_short_are_refused(tmp_path: Path) -> None:
    short = made_takes(tmp_path, steps=20)
    with pytest.raises(UserError, match="long enough"):
        gather_moves(short)


def test_what_is_stored_comes_back(moves: ft.Moves, tmp_path: Path) -> None:
    ft.make_store(tmp_path / "truths", moves.takes, PEOPLE, 4, seed=3, workers=1)
    store = TruthStore(tmp_path / "truths", 4)
    assert len(store) == 4
    for number in range(4):
        rng = np.random.default_rng([3, number])
        wanted = draw_sample(PEOPLE, number % 2, draw_pose(moves, rng))
        found = store[number]
        assert (found.figure, found.left, found.top) == (wanted.figure, wanted.left, wanted.top)
        assert np.array_equal(found.layers, wanted.layers)
        assert np.array_equal(found.pose.bodies, wanted.pose.bodies)
    margins = store.margins(2)
    assert margins.shape == (2, 3)
    assert (margins < 0.3).all()


def test_other_figures_are_not_mixed_in(moves: ft.Moves, tmp_path: Path) -> None:
    ft.make_store(tmp_path, moves.takes, PEOPLE, 2, seed=3, workers=1)
    before = (tmp_path / "0000.boxes").stat().st_mtime_ns
    ft.make_store(tmp_path, moves.takes, PEOPLE, 2, seed=3, workers=1)
    assert (tmp_path / "0000.boxes").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="other figures"):
        ft.make_store(tmp_path, moves.takes, PEOPLE[:1], 2, seed=3, workers=1)


def test_batches_hold_samples_where_they_are_in_the_frame(moves: ft.Moves) -> None:
    samples = [draw_sample(PEOPLE, k, draw_pose(moves, np.random.default_rng(k))) for k in range(2)]
    batch = collate(samples, 2)
    assert batch.figure.tolist() == [[1, 0]] * PICTURES + [[0, 1]] * PICTURES
    for k, sample in enumerate(samples):
        h, w = sample.layers.shape[2:]
        own = batch.field[k * PICTURES : (k + 1) * PICTURES, 0]
        assert own[:, :h, :w].numpy() == pytest.approx((sample.layers[:, 0] - 128.0) / 32, abs=1e-6)
        assert (own[:, h:] > 3).all()
        assert float(batch.grid_x[k * PICTURES, 0]) == sample.left / 2 + 0.5
        assert float(batch.grid_y[k * PICTURES, 0]) == sample.top / 2 + 0.5
    assert batch.grid_x.shape[1] * 2 == batch.field.shape[3]
    assert batch.grid_y.shape[1] * 2 == batch.field.shape[2]


def test_every_sample_comes_once_before_any_comes_again(moves: ft.Moves, tmp_path: Path) -> None:
    ft.make_store(tmp_path, moves.takes, PEOPLE, 4, seed=3, workers=1)
    stream = figure_batches(TruthStore(tmp_path, 4), 2, 2, seed=1)
    seen = torch.cat([next(stream).bodies[::PICTURES] for _ in range(2)])
    assert len(torch.unique(seen.flatten(1), dim=0)) == 4


def test_dances_without_known_hands_keep_them_open(tmp_path: Path) -> None:
    (take,) = made_takes(tmp_path)[:1]
    group = zarr.open_group(tmp_path / "bare.zarr", mode="w")
    for name in ("positions", "energy"):
        group.create_array(name, data=np.asarray(take.read(name)))
    assert replace(take, group=group).read("hands").tolist() == np.zeros((len(take), 4)).tolist()
