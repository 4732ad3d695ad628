"""The pool of splices: the same for a seed, resumed where it was interrupted, kept for its dances alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.dances_to_splice import make_sources
from training.data.motion.skeleton import BONES, LENGTHS
from training.data.splice_pool import CHUNK, draw_splice, find_shares, open_pool
from training.data.splices import AFTER, Source, splice
from visualizer.dancer.pack import STEPS_PER_LETTER
from visualizer.errors import UserError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return make_sources(3)


def test_shares_favour_long_dances_and_rare_styles(sources: list[Source]) -> None:
    long = replace(sources[0], positions=np.tile(sources[0].positions, (2, 1, 1)))
    common, rare = replace(sources[0], style="common"), replace(sources[0], style="rare")
    shares = find_shares([long, common, common, rare])
    np.testing.assert_allclose(shares.sum(), 1)
    of_style = find_shares([replace(long, style="common"), common, common, rare])
    np.testing.assert_allclose(of_style[0], 2 * of_style[1])
    assert of_style[3] == pytest.approx(2 * of_style[1])  # √4 against √1, a quarter of the length


def test_splices_are_drawn_by_seed(sources: list[Source]) -> None:
    shares = find_shares(sources)
    one, two, three = (draw_splice(sources, shares, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one == two
    assert one != three
    assert one.way.cost <= one.at_once.cost
    assert one.at_once.leave == one.cut <= one.way.leave < one.cut + 8


def test_dances_that_are_too_short_are_refused(sources: list[Source]) -> None:
    short = replace(sources[0], positions=sources[0].positions[:40], loops=False)
    with pytest.raises(UserError, match="long enough"):
        draw_splice([short], find_shares([short]), np.random.default_rng(0))


def test_a_pool_is_made_once_and_resumed(sources: list[Source], tmp_path: Path) -> None:
    pool = open_pool(tmp_path, sources, 2 * CHUNK, seed=4, workers=2)
    assert len(pool) == 2 * CHUNK
    files = sorted(tmp_path.glob("*/0*.npy"))
    assert [file.name for file in files] == ["00000.npy", "00001.npy"]
    begun = [file.stat().st_mtime_ns for file in files]
    whole = files[1].read_bytes()
    files[1].unlink()  # what is open stays as it is
    files[1].write_bytes(whole[:1000])  # as after a full disk
    again = open_pool(tmp_path, sources, CHUNK + 1, seed=4, workers=1)
    assert files[1].read_bytes() == whole
    assert files[0].stat().st_mtime_ns == begun[0]
    assert [again.row(n)["cost"] for n in range(150)] == [pool.row(n)["cost"] for n in range(150)]
    # Another seed, or a dance that has changed, is another pool.
    other = replace(sources[0], positions=sources[0].positions + np.float32(0.001))
    open_pool(tmp_path, [other, *sources[1:]], 1, seed=4, workers=1)
    assert len(list(tmp_path.glob("*/sources.npy"))) == 2


def test_windows_show_the_first_dance_and_then_the_way_over(sources: list[Source], tmp_path: Path) -> None:
    pool = open_pool(tmp_path, sources, 1, seed=1, workers=1)
    for number in (0, 7, 99):
        source, other, way = pool.way(number)
        window = pool.window(number, before=24, steps=64, margin=32)
        assert window.shape == (128, 21, 3)
        begun = source.steps(way.leave * STEPS_PER_LETTER - 56, 56, way.leave_mirrored)
        np.testing.assert_array_equal(window[:56], begun)
        np.testing.assert_allclose(window[56:], splice(source, other, way)[:72], atol=1e-6)
        lengths = np.linalg.norm(window[:, BONES[:, 1]] - window[:, BONES[:, 0]], axis=-1)
        np.testing.assert_allclose(lengths, np.tile(LENGTHS, (128, 1)), atol=1e-5)
        first, second = pool.letters(number, 3, 8)
        assert (first[-1] + 1, second[0]) == (way.leave, way.enter)
        assert (len(first), len(second)) == (3, 5)
    with pytest.raises(ValueError, match="at most"):
        pool.window(0, before=8, steps=8 + AFTER + 1)
