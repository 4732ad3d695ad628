"""Windows with splices: bodies with bones that stand on the floor, told what the dances in them are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from training.data.choreography import DANCES
from training.data.dances import Dance, DanceSampler, dancer_batches, find_steps
from training.data.dataset import crop_place, crop_speed, written_motions
from training.data.motion.body import about_crop
from training.data.motion.skeleton import BONES, LENGTHS, mirror
from training.data.splice_pool import open_pool
from training.data.splice_sources import gather_motion_sources
from training.data.splice_windows import SpliceWindows, gather_sources
from training.models.pose_basis import PoseBasis, pose_basis
from visualizer.dancer.pack import FRAME_METRES, STEPS_PER_BEAT

STYLES, NAMES = 2, 2


@dataclass(frozen=True)
class Made:
    """Two written dances at one energy, mirrored and not, and splices between them."""

    basis: PoseBasis
    windows: SpliceWindows
    sampler: DanceSampler


def as_dance(positions: np.ndarray, basis: PoseBasis, number: int) -> Dance:
    place = crop_place(positions)
    letters = 100 * number + np.arange(len(positions) // 8, dtype=np.int64)
    return Dance(
        str(number), basis.latents(about_crop(positions, place)), crop_speed(place),
        np.full(len(positions), 0.1 * number, np.float32), number % STYLES, False, letters, True, number % NAMES,
        loops=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    motions = [m for m in written_motions(DANCES[2:4], 5) if m.clip.endswith("@0.5")]
    sources = gather_motion_sources(motions)
    bodies = np.concatenate([about_crop(s.positions, crop_place(s.positions)) for s in sources])
    basis = pose_basis(np.concatenate([bodies, mirror(bodies)]), 63)
    pool = open_pool(tmp_path_factory.mktemp("pool"), sources, 100, 3, workers=1)
    dances = {
        (k, flipped): as_dance(mirror(s.positions) if flipped else s.positions, basis, k)
        for k, s in enumerate(sources)
        for flipped in (False, True)
    }
    return Made(basis, SpliceWindows(pool, dances, basis), DanceSampler(list(dances.values()), STYLES, NAMES))


def test_before_the_cut_it_is_the_first_dance_and_later_the_second(made: Made) -> None:
    rng = np.random.default_rng(0)
    gaps = []
    for _ in range(20):
        window = made.windows.draw(rng, 8)
        (first, at), (second, then) = window.parts
        assert len(at) + len(then) == 9
        cut = 8 * len(at)
        true = np.take(first.latent, find_steps(at), axis=0, mode="wrap")[:64]
        # The crop is centred on what comes, too, so the last beat before the cut is moved with it.
        before = made.basis.joints(window.latent[:cut]) - made.basis.joints(true)
        before -= before[:, :1]
        assert np.abs(before).max() < 1e-3
        assert (first.place(int(at[-1])) + 1 - second.place(int(then[0]))) % 16 == 0
        if cut <= 24:
            later = made.basis.joints(window.latent[-8:])
            wanted = np.take(second.latent, find_steps(then)[: 64 - cut][-8:], axis=0, mode="wrap")
            gaps.append(np.linalg.norm(later - made.basis.joints(wanted), axis=-1).mean())
    assert np.mean(gaps) < 0.05  # metres


def test_bones_keep_their_lengths_and_travel_is_that_of_the_crop(made: Made) -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        window = made.windows.draw(rng, 6)
        joints = made.basis.joints(window.latent)
        bones = np.linalg.norm(joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]], axis=-1)
        np.testing.assert_allclose(bones, np.tile(LENGTHS, (48, 1)), atol=1e-4)
        room = joints[..., ::2] + np.cumsum(window.travel, axis=0)[:, None] * FRAME_METRES / STEPS_PER_BEAT
        assert np.abs(np.diff(room, axis=0)).max() < 0.35  # nobody leaps
        assert not window.spliced.any()


def test_batches_mix_splices_with_whole_dances(made: Made) -> None:
    batch = next(dancer_batches(made.sampler, 24, 4, 0, splicer=made.windows))
    letters = batch["letter"].numpy() // 100
    spliced = (letters != letters[:, :1]).any(axis=1)
    assert 3 <= spliced.sum() <= 16  # half of them are spliced, and half of those stay in the dance
    assert batch["latent"].shape == (24, 64, 63)
    assert batch["travel"].shape == (24, 64, 2)
    for row in np.flatnonzero(spliced):
        changes = np.flatnonzero(np.diff(letters[row]))
        assert len(changes) == 1
        assert (changes[0] + 1) % 8 == 0  # with a letter
        assert (batch["energy"][row, :, 0].diff().abs() > 0.05).nonzero().flatten().tolist() == changes.tolist()
    whole = next(dancer_batches(made.sampler, 12, 4, 0, splices=0.0, splicer=made.windows))
    assert (whole["letter"] // 100 == whole["letter"][:, :1] // 100).all()


def test_a_long_window_is_cut_to_what_a_splice_has(made: Made) -> None:
    batch = next(dancer_batches(made.sampler, 4, 40, 0, splices=1.0, splicer=made.windows))
    assert batch["latent"].shape[1] == 8 * made.windows.longest


def test_sources_know_how_they_are_danced(tiny_work: Path) -> None:
    from training.data.dataset import open_takes

    takes, _ = open_takes(tiny_work / "data.zarr")
    mine = [t for t in takes if t.timed and t.yaw == 0]
    letters = [np.zeros(len(t) // 8, np.int64) for t in mine]
    nothing = np.zeros((0, 63), np.float32)
    dances = [
        Dance(f"{t.clip} {t.mirrored}", nothing, nothing, nothing, 0, t.held_out, at, True)
        for t, at in zip(mine, letters, strict=True)
    ]
    sources, known = gather_sources(mine, dances)
    assert sources
    assert len(known) == 2 * len(sources)
    for number, source in enumerate(sources):
        for mirrored in (False, True):
            name = known[number, mirrored].name
            assert name.endswith(f" {mirrored}")
            assert name.startswith(source.name)
