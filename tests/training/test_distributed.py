"""Several processes train one network: what two of them make of a batch is what one makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.made_clips import dance_motion
from tests.support.rank_child import learn
from tests.support.repository import REPOSITORY
from training import distributed
from training.data.sampling import Bodies, body_batches
from visualizer.errors import UserError


def start(words: list[str], processes: int, timeout: float = 300) -> str:
    """Output of `python words…`, alone or started by torchrun on as many processes."""
    command = [sys.executable, *words]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        command = [sys.executable, *torchrun, *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def losses(folder: Path) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (log,) = (folder / "tensorboard").rglob("events.out.*")
    events = EventAccumulator(str(log))
    events.Reload()
    return [(s.step, s.value) for s in events.Scalars("total")]


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    alone, two = tmp_path / "alone", tmp_path / "two"
    one = learn(alone)
    said = start(["-m", "tests.support.rank_child", str(two)], 2)
    assert said.count("net: step 25 of 25") == 1  # said once
    assert [step for step, _ in losses(two)] == [20]
    assert losses(two)[0][1] == pytest.approx(losses(alone)[0][1], rel=1e-5)
    first, second = (torch.load(two / f"weights{n}.pt") for n in range(2))
    for name, weights in one.items():
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)
        torch.testing.assert_close(first[name], weights, rtol=1e-4, atol=1e-5)
    # One process may go on with what several began: here it is finished, so it is only loaded.
    again = learn(two)
    for name, weights in first.items():
        torch.testing.assert_close(again[name], weights, rtol=0, atol=0)


@pytest.mark.slow
def test_the_command_by_torchrun(tmp_path: Path) -> None:
    """The data are drawn once, both networks are trained together, and each thing is said once."""
    words = ["-m", "training", "fit", "--out", str(tmp_path / "pack"), "--work", str(tmp_path / "work"), "--tiny"]
    said = start([*words, "--only", "dancer"], 2, 500)
    for line in ("choreographer: step 20 of 20", "dancer: step 6 of 6", " letters, ", " parameters\n"):
        assert said.count(line) == 1, said
    assert {p.name for p in (tmp_path / "work").glob("*.ckpt")} == {"choreographer.ckpt", "dancer.ckpt"}


def test_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {"a": torch.arange(6), "b": (torch.arange(12).reshape(6, 2), [torch.zeros(6)])}
    assert distributed.shared(batch) is batch
    found = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "3")
        mine = distributed.shared(batch)
        assert mine["b"][0].shape == (2, 2)
        assert mine["b"][1][0].shape == (2,)
        found += mine["a"].tolist()
    assert found == list(range(6))
    with pytest.raises(UserError, match="3 processes"):
        distributed.share(64)


def test_shares_of_drawn_bodies_make_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = dance_motion("jack", 120, 8)[0]
    bodies = Bodies(positions, positions[:, 0], np.linspace(0, 1, len(positions)))
    frames, joints = next(body_batches(bodies, 6, 1, between=0.5))
    parts = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(next(body_batches(bodies, 6, 1, between=0.5, share=distributed.share(6))))
    np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), frames)
    np.testing.assert_array_equal(np.concatenate([p[1] for p in parts]), joints)
