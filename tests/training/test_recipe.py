"""The whole of `python -m training fit`, as a user runs it, on four made-up clips."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.support.training_run import TinyFit
from training import cli, recipe
from training.data.dances import Dance
from training.data.dataset import open_takes
from training.export import TOLERANCE, public_arguments
from training.recipe import (
    Recipe,
    find_limits,
    fit_pack,
    mean_moves,
    name_dances,
    pick_seeds,
)
from visualizer.dancer.pack import NETWORKS, load_pack, read_info
from visualizer.errors import UserError

Say = Callable[..., str]


@pytest.fixture
def error_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs the command line in this process and returns what it says on its way out with code 2."""

    def run(*words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["training", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert len(said.strip().splitlines()) == 1
        return said

    return run


def test_every_stage_ran_and_left_its_checkpoint(tiny_fit: TinyFit) -> None:
    recipe = Recipe(tiny=True).shrunk()
    for name in ("drawing", "seeing", "autoencoder", "choreographer", "dancer"):
        checkpoint = torch.load(tiny_fit.work / f"{name}.ckpt", weights_only=False)
        assert checkpoint["step"] == getattr(recipe, f"{name}_steps")
    assert list((tiny_fit.work / "tensorboard").rglob("events.out.*"))
    assert len(joblib.load(tiny_fit.work / "alphabet.joblib").cluster_centers_) == recipe.letters
    assert "pack written to" in tiny_fit.said


def test_the_pack_says_where_it_comes_from(tiny_fit: TinyFit) -> None:
    info = read_info(tiny_fit.pack)
    takes, styles = open_takes(tiny_fit.work / "data.zarr")
    training = info["training"]
    assert set(training["held_out"]) == {t.clip for t in takes if t.held_out} != set()
    assert not set(training["held_out"]) & set(training["clips"])
    seen = [t for t in takes if not t.held_out and t.yaw == 0 and not t.mirrored]
    assert training["bodies"] == sum(map(len, seen))
    style_of = {d["name"]: info["styles"][d["style"]] for d in info["dances"]}
    assert len(style_of) == len(info["dances"])
    assert {min(d["energy"] for d in info["dances"]), max(d["energy"] for d in info["dances"])} == {0, 1}
    written = {t.dance: t.style for t in takes if t.dance}
    assert written
    assert {name: style_of.pop(name) for name in written} == written
    # Captured clips that were learned from are numbered within their style.
    numbered = {t.clip: t.style for t in takes if t.captured and not t.held_out and t.timed}
    counts = Counter(numbered.values())
    assert style_of == {f"{style} {k + 1}": style for style, count in counts.items() for k in range(count)} != {}
    assert training["recipe"]["tiny"] is True
    assert str(tiny_fit.pack.parent) not in (tiny_fit.pack / "pack.json").read_text(encoding="utf-8")
    assert info["styles"] == styles
    assert "made for the tests, MIT" in info["credits"]
    assert all(info["difference_from_torch"][n] <= TOLERANCE[n] for n in NETWORKS)
    seeds = load_pack(tiny_fit.pack, "cpu").seeds
    assert {s.style for s in seeds} == set(range(len(styles)))
    assert all(np.abs(s.latent).max() < 50 for s in seeds)


def test_the_pack_that_is_there_is_left_alone(tiny_fit: TinyFit, error_line: Say) -> None:
    before = (tiny_fit.pack / "pack.json").read_bytes()
    said = error_line("fit", "--motion", tiny_fit.motion, "--out", tiny_fit.pack, "--work", tiny_fit.work, "--tiny")
    assert "--force" in said
    assert (tiny_fit.pack / "pack.json").read_bytes() == before


def test_what_is_asked_wrongly_is_said_in_one_line(tmp_path: Path, error_line: Say) -> None:
    out, work = tmp_path / "pack", tmp_path / "work"
    assert "only must be" in error_line("fit", "--out", out, "--work", work, "--only", "half")
    assert "precision" in error_line("fit", "--out", out, "--work", work, "--precision", "8-bit")
    assert "index.json" in error_line("fit", "--motion", tmp_path, "--out", out, "--work", work, "--tiny")
    assert "no pack.json" in error_line("evaluate", tmp_path / "absent")
    assert not out.exists()


def made_dance(style: int, letters: list[int], held_out: bool = False, front: bool = True) -> Dance:
    steps = len(letters) * 8
    latent = np.repeat(np.array(letters, np.float32), 8)[:, None] + np.linspace(0, 0.5, 3, dtype=np.float32)
    latent += np.tile(np.arange(8, dtype=np.float32) / 100, len(letters))[:, None]
    return Dance("made", latent, np.zeros(steps, np.float32), np.zeros(steps, np.float32), style, held_out,
                 np.array(letters, np.int64), front)  # fmt: skip


def test_mean_moves_are_the_mean_of_the_moves() -> None:
    dances = [made_dance(0, [0, 1, 1]), made_dance(0, [2, 0])]
    dances[1].latent[:8] += 0.6  # of two moves of letter 2 one; there is only one, so it moves as a whole
    mean = mean_moves(dances, 4)
    assert mean.shape == (4, 8, 3)
    np.testing.assert_allclose(mean[1], dances[0].latent[8:16], atol=1e-6)
    np.testing.assert_allclose(mean[2], dances[1].latent[:8], atol=1e-6)
    np.testing.assert_allclose(mean[0], (dances[0].latent[:8] + dances[1].latent[8:]) / 2, atol=1e-6)
    assert (mean[3] == 0).all()  # a letter that nobody danced


def test_dances_start_where_a_phrase_does() -> None:
    letters = [k % 7 for k in range(60)]
    dances = [replace(made_dance(0, letters), phase=6), made_dance(1, letters, held_out=True),
              made_dance(1, letters, front=False), made_dance(1, [6] * 17)]  # fmt: skip
    seeds = pick_seeds(dances, ["a", "b"], 0)
    assert {s["style"] for s in seeds} == {0, 1}
    for seed in seeds:
        if seed["style"] == 1:
            assert seed["letter"] == 6
        else:  # the letter that begins a phrase, and the last frame before it
            at = [k for k in (10, 26, 42, 58) if letters[k] == seed["letter"]]
            assert any(np.allclose(seed["latent"], dances[0].latent[8 * k - 1], atol=1e-3) for k in at)
    assert pick_seeds(dances, ["a", "b"], 0) == seeds
    with pytest.raises(UserError, match="longer than a phrase"):
        pick_seeds([made_dance(0, [1] * 16)], ["a"], 0)


def test_no_dance_that_was_learned_is_beyond_the_limits() -> None:
    rng = np.random.default_rng(0)
    latent = np.cumsum(rng.normal(0, 0.1, (400, 3)), axis=0).astype(np.float32)
    dance = replace(made_dance(0, [k % 5 for k in range(50)]), latent=latent)
    seeds = [{"latent": latent[i].tolist()} for i in (100, 200, 300)]
    std = np.array([0.5, 1.0, 2.0], np.float32)
    limits = find_limits([dance], seeds, std)
    gaps = np.sqrt(np.square((latent[:, None] - latent[[100, 200, 300]]) / std).mean(-1)).min(1)
    assert gaps.max() < limits["far"] < 2 * gaps.max()
    steps = np.sqrt(np.square(np.diff(latent, axis=0) / std).mean(-1))
    assert 0 < limits["still"] < 0.5 * steps.mean()
    assert find_limits([replace(dance, latent=latent * 0)], seeds, std)["still"] > 0


def test_folders_are_named_as_anyone_may_have_them() -> None:
    words = ["fit", "--motion", "../else/where/motion", "--work=/home/me/work", "--out", "models/mine", "--seed=3"]
    public = public_arguments(words)
    assert public == ["fit", "--motion", "motion", "--work=work", "--out", "models/mine", "--seed=3"]


def test_captured_dances_are_named_after_their_style(tiny_fit: TinyFit) -> None:
    takes, styles = open_takes(tiny_fit.work / "data.zarr")
    named, numbers = name_dances(takes, styles)
    assert len({name for name, _ in named}) == len(named)
    for take in takes:
        if take.held_out:
            assert take.clip not in numbers  # nobody can ask for what was never learned
            continue
        if not take.dance and not take.captured:
            assert take.clip not in numbers  # legs and arms of two dances: a style improvises with it
            continue
        name, style = named[numbers[take.clip]]
        assert styles[style] == take.style
        assert name == take.dance if take.dance else name.startswith(take.style + " ")


def test_a_letter_is_danced_with_the_mean_of_its_hands() -> None:
    def take(letters: list[int], hands: NDArray[np.float32] | None, loops: bool) -> Dance:
        steps = 8 * len(letters)
        nothing = np.zeros((steps, 2), np.float32)
        return Dance("x", nothing, nothing, nothing[:, 0], 0, False, np.array(letters), True, loops=loops, hands=hands)

    fists, open_hands = np.zeros((16, 4), np.float32), np.zeros((16, 4), np.float32)
    fists[:8, 0] = 1
    table = recipe.mean_hands(
        [take([0, 1], fists, True), take([0, 2], open_hands, True), take([1, 2], np.ones((16, 4), np.float32), False)],
        4,
    )
    assert table.tolist() == [[0.5, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_half_a_fit_writes_no_pack_and_the_whole_finds_it_done(tiny_fit: TinyFit, tmp_path: Path) -> None:
    """Each part on its own has its checkpoints where the whole command looks for them."""
    for half, made, other in (
        ("autoencoder", "drawing", "choreographer"), ("dancer", "choreographer", "drawing"),
        ("figures", "figures/figures", "drawing"),
    ):  # fmt: skip
        work = tmp_path / half
        work.mkdir()
        shutil.copytree(tiny_fit.work / "data.zarr", work / "data.zarr")
        assert fit_pack(tiny_fit.motion, tmp_path / "pack", work, Recipe(tiny=True), only=half) == {}
        assert (work / f"{made}.ckpt").exists()
        assert not (work / f"{other}.ckpt").exists()
        mine, whole = (torch.load(w / f"{made}.ckpt", weights_only=False)["network"] for w in (work, tiny_fit.work))
        assert mine.keys() == whole.keys()
    assert not (tmp_path / "pack").exists()


@pytest.mark.slow
def test_a_half_that_fails_beside_the_other_is_told(tmp_path: Path) -> None:
    """It is a process of its own; that there are no clips is found there."""
    given = (tmp_path / "absent", tmp_path / "pack", tmp_path / "work", Recipe(tiny=True), False)
    with pytest.raises(UserError, match="dancer's half"), recipe._dancer_beside(True, *given):
        pass
    with recipe._dancer_beside(False, *given):
        pass
