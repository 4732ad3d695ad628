"""The whole of `python -m training fit`, as a user runs it, on four made-up clips."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from tests.conftest import TinyFit
from training import cli
from training.dancer import Dance
from training.dataset import open_takes
from training.recipe import Recipe, mean_moves, pick_seeds
from visualizer.dancer.pack import load_pack, read_info
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
    for name in ("autoencoder", "choreographer", "dancer"):
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
    assert training["frames"] == sum(len(t) for t in takes if not t.held_out)
    assert training["recipe"]["tiny"] is True
    assert str(tiny_fit.pack.parent) not in (tiny_fit.pack / "pack.json").read_text(encoding="utf-8")
    assert info["styles"] == styles
    assert "made for the tests, MIT" in info["credits"]
    assert all(d <= 1e-4 for d in info["difference_from_torch"].values())
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
    assert "precision" in error_line("fit", "--out", out, "--work", work, "--precision", "8-bit")
    assert "index.json" in error_line("fit", "--motion", tmp_path, "--out", out, "--work", work, "--tiny")
    assert "no pack.json" in error_line("measure", tmp_path / "absent")
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


def test_dances_start_at_a_bar_line_of_what_was_learned() -> None:
    letters = [k % 7 for k in range(40)]
    dances = [made_dance(0, letters), made_dance(1, letters, held_out=True), made_dance(1, letters, front=False),
              made_dance(1, [6] * 17)]  # fmt: skip
    seeds = pick_seeds(dances, ["a", "b"], 0)
    assert {s["style"] for s in seeds} == {0, 1}
    for seed in seeds:
        if seed["style"] == 1:
            assert seed["letter"] == 6
        else:  # the letter that begins a bar, and the last frame before it
            at = [k for k in range(8, 40, 8) if letters[k] == seed["letter"]]
            assert any(np.allclose(seed["latent"], dances[0].latent[8 * k - 1], atol=1e-3) for k in at)
    assert pick_seeds(dances, ["a", "b"], 0) == seeds
    with pytest.raises(UserError, match="two bars"):
        pick_seeds([made_dance(0, [1] * 8)], ["a"], 0)
