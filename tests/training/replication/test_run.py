"""The comparison: each measure on pictures whose figure is known, each spec as it is described, and the command."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tests.support.training_run import TinyFit, run_training
from training.data.choreography import DANCES, perform
from training.data.dataset import open_takes
from training.data.motion.body import project, silhouettes
from training.replication.dreams import (
    DREAMS,
    Danced,
    Known,
    changes,
    danced_again,
    danced_in_dots,
    film_batches,
    in_pieces,
    judge_dance,
    windows_of_films,
)
from training.replication.effort import TINY, Effort
from training.replication.judge import (
    Blur,
    Held,
    Judged,
    covered,
    cross_entropy,
    hold_out,
    judge,
    judge_attempt,
    judge_broken,
    logistic,
    see_blur,
    sure_as,
)
from training.replication.models import HEIGHT, WIDTH, Dense, dots
from training.replication.plots import LABEL, sheet
from training.replication.run import compare
from training.replication.tables import tables, write_tables
from training.replication.teach import (
    DENSE_128,
    RATES,
    SPARSE_64,
    VERSIONS,
    Attempt,
    TrainSpec,
    Version,
    as_it_should,
    as_it_was,
    begin,
    keras_loss,
    mistakes,
    picture_batches,
    teach,
)
from visualizer.errors import UserError


def box(left: int, top: int = 10, width: int = 10, height: int = 30) -> NDArray[np.uint8]:
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[top : top + height, left : left + width] = 1
    return picture


def boxes(count: int) -> NDArray[np.uint8]:
    return np.stack([box(k % 30, 5 + k % 7) for k in range(count)])


def held(count: int = 40) -> Held:
    """Boxes, and the fields of which they are the dots."""
    pictures = boxes(count)
    large = F.interpolate(torch.from_numpy(pictures[:, None]).float(), (128, 128), mode="nearest").numpy()
    pairs = np.array([[0, 2], [8, 10]]) % count
    return Held(((0.5 - large) * 0.02).astype(np.float32), pictures, pairs, pictures[pairs.mean(axis=1).astype(int)])


# --- the loss, and what can be read from it


def test_a_coin_costs_ln_2_whatever_the_pictures() -> None:
    logits = torch.zeros(3, 1, HEIGHT, WIDTH)
    pictures = torch.from_numpy(boxes(3)[:, None]).float()
    for white in (1 / 255, 1.0, 255.0):
        assert float(keras_loss(logits, pictures * white)) == pytest.approx(math.log(2), abs=1e-4)
    assert cross_entropy(np.full((3, HEIGHT, WIDTH), 0.5, np.float32), boxes(3)) == pytest.approx(math.log(2))


def test_the_loss_is_that_of_keras() -> None:
    logits = torch.randn(2, 1, HEIGHT, WIDTH)
    pictures = torch.from_numpy(boxes(2)[:, None]).float()
    plain = F.binary_cross_entropy_with_logits(logits, pictures)
    torch.testing.assert_close(keras_loss(logits, pictures), plain)
    chance = torch.sigmoid(logits)[:, 0].numpy()
    assert cross_entropy(chance, boxes(2)) == pytest.approx(float(plain), rel=1e-4)
    sure = torch.full((1, 1, 1, 1), -100.0)
    assert float(keras_loss(sure, torch.ones(1, 1, 1, 1))) == pytest.approx(-math.log(1e-7), rel=0.02)


# --- lessons


def test_pictures_are_given_as_the_lesson_says() -> None:
    picture = torch.tensor([0.0, 1.0])
    plain = TrainSpec("", 1.0, 1, 1)
    assert plain.given(picture).tolist() == [0, 1]
    assert replace(plain, dark=True).given(picture).tolist() == [1, 0]
    assert replace(plain, dark=True, white=255).given(picture).tolist() == [255, 0]
    assert replace(plain, dark=True).figure(torch.tensor([0.9])).item() == pytest.approx(0.1)


def test_sparsity_is_paid_for_activity() -> None:
    torch.manual_seed(0)
    network = Dense((8,))
    pictures = torch.from_numpy(boxes(4)[:, None]).float()
    plain = TrainSpec("", 1.0, 1, 1)
    sparse = replace(plain, sparsity=0.5)
    activity = float(network.encode(pictures).detach().sum(1).mean())
    with_it, without = (float(spec.loss(network, pictures)["total"].detach()) for spec in (sparse, plain))
    assert activity > 0
    assert with_it - without == pytest.approx(0.5 * activity, rel=1e-4)


def test_the_versions_as_they_were_and_as_they_should_have_been() -> None:
    effort = Effort()
    for version in VERSIONS:
        was = as_it_was(version, effort, 1e-3).spec
        assert was.adadelta
        assert was.dark
        assert was.rate == 1e-3
        assert was.steps == effort.epochs * (effort.filmed // was.batch)
        should = as_it_should(version, effort).spec
        assert not should.adadelta
        assert not should.dark
        assert should.white == was.white == 1
        assert (was.sparsity > 0) == (should.sparsity > 0) == (version is SPARSE_64)
        assert should.sparsity < was.sparsity or version is not SPARSE_64
    keys = [a.key for v in VERSIONS for a in (*(as_it_was(v, effort, r) for r in RATES), as_it_should(v, effort))]
    assert len(set(keys)) == len(keys) == 18
    others = [a.key for a in mistakes(effort)]
    assert len(set(others)) == len(others) == 18
    assert len(set(others) & set(keys)) == 6  # what both tables show is trained once


def test_the_film_is_gone_through_once_before_twice() -> None:
    pictures = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    stream = picture_batches(pictures, 4, 12, 0, 0)
    rounds = [np.concatenate([next(stream).numpy().ravel() for _ in range(3)]) for _ in range(3)]
    for one in rounds:
        assert sorted(one) == list(range(12))
    assert (rounds[0] != rounds[1]).any()
    later = picture_batches(pictures, 4, 12, 0, 4)  # a run that goes on sees what it would have seen
    np.testing.assert_array_equal(next(later).numpy().ravel(), rounds[1][4:8])
    few = picture_batches(pictures, 4, 8, 0, 0)
    assert {int(v) for _ in range(6) for v in next(few).ravel()} == set(range(8))
    anything = picture_batches(pictures, 4, None, 0, 0)
    assert {int(v) for _ in range(60) for v in next(anything).ravel()} == set(range(12))


def test_adadelta_at_the_small_rate_stands_still_and_adam_does_not(tmp_path: Path) -> None:
    """The heart of the matter: the same network, the same boxes, the same steps."""
    pictures = boxes(60)[:, None]
    effort = replace(TINY, filmed=60)
    losses = {}
    for name, rate, adadelta in (("was", 1e-3, True), ("older", 1.0, True), ("should", 3e-3, False)):
        spec = TrainSpec(name, rate, 60, 30, adadelta)
        attempt = Attempt(Version("dense", lambda: Dense((16,)), rate, 60), spec)
        network = teach(attempt, pictures, effort, tmp_path)
        assert not network.training
        losses[name] = judge_attempt(attempt, network, held(60)).loss
        again = teach(attempt, pictures[:0], effort, tmp_path)  # finished: only loaded, from no pictures at all
        torch.testing.assert_close(again.state_dict(), network.state_dict())
    assert losses["was"] == pytest.approx(math.log(2), abs=0.01)
    assert losses["should"] < losses["older"] < losses["was"] - 0.05


# --- judging


def test_a_perfect_network_and_one_that_gives_the_mean() -> None:
    true = held()
    perfect = judge("", "", true, true.dots.astype(np.float32))
    assert perfect.loss == pytest.approx(0, abs=1e-5)
    assert perfect.iou == 1
    assert perfect.iou_128 == pytest.approx(1, abs=0.05)
    assert perfect.variety == pytest.approx(1)
    mean = judge("", "", true, np.broadcast_to(true.dots.mean(axis=0), true.dots.shape).astype(np.float32))
    assert mean.variety == pytest.approx(0, abs=1e-6)
    assert mean.loss is not None
    assert 0.1 < mean.loss < math.log(2)
    assert judge("", "", true, 0.5 + 0.4 * (true.dots - np.float32(0.5))).variety == pytest.approx(0.4, rel=1e-3)


def test_half_way_is_between_the_joints() -> None:
    positions = perform(DANCES[5], 0.9).positions[:60:5]
    joints = project(positions, positions[:, 0, 0])
    true = hold_out(silhouettes(joints), joints, 0, pairs=50)
    assert true.between.shape == (50, HEIGHT, WIDTH)
    same = true.pairs[:, 0] == true.pairs[:, 1]
    assert 0 < same.sum() < 50
    np.testing.assert_array_equal(true.between[same], true.dots[true.pairs[same, 0]])
    a, b = true.dots[true.pairs[:, 0]] > 0, true.dots[true.pairs[:, 1]] > 0
    assert (true.between[~same] != a[~same]).any()
    assert ((true.between > 0) & (a | b)).sum() > 0.8 * true.between.sum()


def test_the_mean_of_two_codes_is_judged() -> None:
    class Shift(torch.nn.Module):
        """Its code is where a box stands, so half-way lies the box between."""

        def encode(self, picture: torch.Tensor) -> torch.Tensor:
            rows, columns = picture[:, 0].amax(2).argmax(1), picture[:, 0].amax(1).argmax(1)
            return torch.stack([rows, columns], 1).float()

        def decode(self, code: torch.Tensor) -> torch.Tensor:
            pictures = np.stack([box(int(column), int(row)) for row, column in code])[:, None]
            return torch.from_numpy(pictures).float() * 20 - 10

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return self.decode(self.encode(picture))

    attempt = Attempt(Version("", Shift, 1, 1), TrainSpec("", 1.0, 1, 1))
    row = judge_attempt(attempt, Shift(), held())
    assert row.iou == row.between == 1
    assert row.code == 2


def test_version_four_as_it_was_says_why_it_fails() -> None:
    row = judge_broken(held(1))
    assert row.parameters == 4_385
    assert row.loss is None
    assert "52×44" in row.note
    assert "51×47" in row.note
    assert "size" in row.note


def test_coverage_becomes_a_probability() -> None:
    true = held(4)
    share = covered(true.frames)
    assert cross_entropy(logistic(sure_as(share, true.dots), share), true.dots) < 0.01
    unsure = np.where(np.random.default_rng(0).random(share.shape) < 0.2, 1 - share, share)
    assert sure_as(unsure, true.dots) < sure_as(share, true.dots)


def test_blur_is_seen() -> None:
    spec = TrainSpec("grey", 1.0, 1, 1, dark=True, white=1 / 255)
    attempt = Attempt(DENSE_128, spec)
    network = begin(attempt, 3).eval()
    blur = see_blur(attempt, network, held(), 3)
    assert blur.before == blur.after == pytest.approx(math.log(2), abs=1e-4)
    assert blur.grey == pytest.approx(0.5, abs=0.01)
    assert blur.spread < 0.01
    assert blur.variety < 0.01
    assert 0.3 < blur.alive <= 1
    network.encoder[1].weight.data.fill_(-1)  # type: ignore[index, union-attr]
    assert see_blur(attempt, network, held(), 3).alive == 0


# --- dances in dots


def walk(steps: int, still: bool = False) -> np.ndarray:
    return np.stack([box(0 if still else 5 + k % 25) for k in range(steps)])


def test_dots_that_change() -> None:
    assert changes(walk(10)) == pytest.approx(2 * 30 / 300)  # ten wide: one column goes, one comes
    assert changes(walk(10, still=True)) == pytest.approx(0)


def test_what_is_danced_again() -> None:
    assert danced_again(walk(200, still=True)) == 1
    assert danced_again(walk(200)) > 0.8  # round and round
    rng = np.random.default_rng(0)
    wild = np.stack([box(*rng.integers(0, 20, 2)) for _ in range(120)])
    assert danced_again(wild) == 0
    assert danced_again(walk(10)) == 0  # too short to say


def test_a_figure_in_pieces() -> None:
    assert not in_pieces(box(5))
    assert in_pieces(np.maximum(box(5), box(30)))
    assert not in_pieces(np.maximum(box(5), box(15, 40)))  # they touch at a corner


def test_the_nearest_that_is_known() -> None:
    known = Known([walk(8)], every=1)
    assert known.overlap(walk(8)) == pytest.approx(1)
    assert known.overlap(walk(8)[..., ::-1]) == pytest.approx(1)  # mirrored ones were learned from as well
    assert known.overlap(np.stack([box(4)])) == pytest.approx(270 / 330)
    assert known.overlap(np.zeros((1, HEIGHT, WIDTH), np.uint8)) == pytest.approx(0)


def test_a_dancer_is_judged_over_its_films() -> None:
    rng = np.random.default_rng(0)
    known = Known([walk(64)])
    moving = judge_dance("moves", [walk(64), walk(40)], known, rng)
    frozen = judge_dance("stands", [walk(64, still=True)], known, rng)
    assert moving.frozen == 0
    assert frozen.frozen == 1
    assert frozen.again == 1
    assert frozen.energy == 0 < moving.energy
    assert frozen.spread == 0 < moving.spread
    assert moving.known > frozen.known
    assert moving.pieces == 0


def test_films_are_cut_into_windows_and_mirrored() -> None:
    films = [walk(40), walk(5), walk(30)]
    stream = film_batches(films, 64, 12, 0, 0)
    batch = next(stream)
    assert batch.shape == (64, 12, HEIGHT, WIDTH)
    flat = films[0].reshape(40, -1)
    straight = 0
    for window in batch.numpy().astype(np.uint8):
        either = [window.reshape(12, -1), window[..., ::-1].reshape(12, -1)]
        found = [
            any((film.reshape(len(film), -1)[k : k + 12] == one).all() for film in films for k in range(len(film) - 11))
            for one in either
        ]
        assert any(found)
        straight += found[0]
    assert 16 < straight < 48
    assert len(flat) == 40
    assert windows_of_films(films, 12).shape == (3 + 2, 12, HEIGHT, WIDTH)
    with pytest.raises(UserError, match="long enough"):
        next(film_batches([walk(5)], 2, 12, 0, 0))


def test_films_are_drawn_once(tiny_work: Path, tmp_path: Path) -> None:
    takes = open_takes(tiny_work / "data.zarr")[0][:3]
    drawn = danced_in_dots(takes, tmp_path / "films.npz")
    assert [len(film) for film in drawn] == [len(range(0, len(take), 2)) for take in takes]
    np.testing.assert_array_equal(drawn[1][3:4], dots(silhouettes(takes[1].read("joints")[6:7]))[:, 0])
    kept = danced_in_dots([], tmp_path / "films.npz")
    for one, other in zip(drawn, kept, strict=True):
        np.testing.assert_array_equal(one, other)
    whole = (tmp_path / "films.npz").read_bytes()
    for broken in (b"", b"films", whole[: len(whole) // 2]):
        (tmp_path / "films.npz").write_bytes(broken)
        with pytest.raises(UserError, match="broken"):
            danced_in_dots([], tmp_path / "films.npz")


# --- sheets and tables


def test_a_sheet_shows_the_dots_dark_on_light() -> None:
    picture = sheet([("one", boxes(3)), ("two", boxes(2) * 0.5)], zoom=2)
    assert picture.shape == (2 * (2 * HEIGHT + 1), LABEL + 3 * (2 * WIDTH + 1))
    first = picture[: 2 * HEIGHT, LABEL : LABEL + 2 * WIDTH]
    np.testing.assert_array_equal(first[::2, ::2] < 128, boxes(1)[0] > 0)
    assert set(np.unique(first)) == {0, 255}
    half = picture[2 * HEIGHT + 1 :, LABEL:][: 2 * HEIGHT, : 2 * WIDTH]
    assert 100 < half[30, 10] < 150
    assert (picture[2 * HEIGHT + 1 :, LABEL + 2 * (2 * WIDTH + 1) :] == 255).all()  # a shorter row is filled up
    assert (picture[:20, :LABEL] < 128).sum() > 20  # its name


def test_the_tables_say_what_was_measured(tmp_path: Path) -> None:
    rows = [Judged("net", "so", 4385, 336, 0.69314, 0.5, None, 0.0), judge_broken(held(1))]
    blurs = [Blur("net", "bad", 0.6931, 0.69314, 0.5, 0.001, 0.0, 0.25, np.zeros((1, HEIGHT, WIDTH), np.float32))]
    dances = [Danced("real", 0.2, 0, 0.1, 0.8, 0, 10.0), Danced("dream", 0.1, 0.5, 0.1, 0.8, 0, 5.0)]
    made = tables(rows, blurs, dances)
    write_tables(made, tmp_path / "t.md")
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert "| net | so | 4,385 | 336 | 0.6931 | 0.500 |  | 0.000 |  |" in text
    assert "52×44" in text
    assert "| net | bad | 0.6931 | 0.6931 | 0.500 | 0.001 | 0.000 | 25% |" in text
    assert "| dream | 10% | 0.50 | 50% | 10% | 0.800 | 0% | 0.50 |" in text
    for table in made:
        assert len({len(row) for row in table}) == 1
    with pytest.raises(UserError, match="written"):
        write_tables(made, tmp_path / "no" / "t.md")


# --- the command


@pytest.fixture(scope="module")
def compared(tiny_fit: TinyFit, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    folder = tmp_path_factory.mktemp("compare")
    words = ("--motion", tiny_fit.motion, "--work", folder / "work", "--out", folder / "out", "--pack", tiny_fit.pack)
    done = run_training("compare", *words, "--tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "work", folder / "out", done.stdout


@pytest.mark.slow
def test_the_command_compares_everything(compared: tuple[Path, Path, str]) -> None:
    _, out, said = compared
    for words in ("309,277", "2,609,917", "4,385", "155,837", "616,157", "2,457,437", "a coin", "0.6931", "52×44",
                  "char-rnn", "as it should have been", "mean picture", "ours"):  # fmt: skip
        assert words in said, words
    assert "has learned from" not in said
    figures = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert len(figures["autoencoders"]) == 2 + 18 + 1 + 2 + 1
    assert len(figures["loss"]) == 18
    assert len(figures["dances"]) == 2 + len(DREAMS)
    coin, mean = figures["autoencoders"][:2]
    assert coin["loss"] == pytest.approx(math.log(2))
    assert mean["loss"] < coin["loss"]
    assert mean["variety"] == pytest.approx(0, abs=1e-6)
    ours = figures["autoencoders"][-1]
    assert 0 < ours["iou"] <= 1
    assert 0 < ours["between"] <= 1
    assert ours["parameters"] > 1000
    for name in ("autoencoders", "blur", "dreams"):
        picture = cv2.imread(str(out / f"history_{name}.png"), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert (picture < 60).any()
    table = (out / "compare.md").read_text(encoding="utf-8")
    assert table.count("\n## ") == 2
    assert table.startswith("## ")


def leaves(value: Any, at: str = "") -> dict[str, Any]:
    """All that a tree of JSON holds, by where it is."""
    if not isinstance(value, dict | list):
        return {at: value}
    branches = value.items() if isinstance(value, dict) else enumerate(value)
    return {name: leaf for key, branch in branches for name, leaf in leaves(branch, f"{at}/{key}").items()}


def saved_networks(work: Path) -> dict[Path, tuple[int, bytes]]:
    """When each network was written, and its bytes."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted((work / "compare").glob("*.ckpt"))}


@pytest.mark.slow
def test_a_second_run_trains_nothing_anew(compared: tuple[Path, Path, str], tiny_fit: TinyFit, tmp_path: Path) -> None:
    """The same command in a process like the first one's: within one process torch splits its sums otherwise, even on
    one thread, and what is judged differs in the seventh digit."""
    work, out, _ = compared
    before_it = saved_networks(work)
    assert before_it
    words = ("--motion", tiny_fit.motion, "--work", work, "--out", tmp_path / "again", "--pack", tiny_fit.pack)
    done = run_training("compare", *words, "--tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "step" not in done.stdout
    assert saved_networks(work) == before_it
    again, before = (leaves(json.loads((folder / "compare.json").read_text())) for folder in (tmp_path / "again", out))
    assert again.keys() == before.keys()
    for name, leaf in before.items():
        assert again[name] == (pytest.approx(leaf, rel=1e-6, nan_ok=True) if isinstance(leaf, float) else leaf), name
    with pytest.raises(UserError, match="another recipe"):  # what is not tiny needs other data
        compare(tiny_fit.motion, work, tmp_path / "other", tiny_fit.pack)
    shutil.copytree(work / "compare", tmp_path / "work" / "compare")
    note = tmp_path / "work" / "compare" / "recipe.json"
    note.write_text(note.read_text().replace('"epochs": 1', '"epochs": 2'))
    (tmp_path / "work" / "data.zarr").symlink_to(work / "data.zarr")
    with pytest.raises(UserError, match="other settings"):
        compare(tiny_fit.motion, tmp_path / "work", tmp_path / "other", tiny_fit.pack, tiny=True)


@pytest.mark.slow
def test_nothing_held_out_no_pack_and_no_place_are_user_errors(tmp_path: Path, tiny_fit: TinyFit) -> None:
    missing = run_training("compare", "--work", tmp_path / "w", "--out", tmp_path / "o", "--pack", tmp_path / "no")
    assert missing.returncode == 2
    assert len(missing.stderr.strip().splitlines()) == 1
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UserError, match="file"):
        compare(None, tmp_path / "w", tmp_path / "file", tiny_fit.pack, tiny=True)
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(UserError, match="held out"):
        compare(None, tmp_path / "w", tmp_path / "o", tiny_fit.pack, tiny=True)
    assert not (tmp_path / "o").exists()
