"""The training loop: goes on after a real kill, stops at NaN, leaves logs, and keeps strangers' checkpoints out."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.support.line_fit import Line, endless, run
from tests.support.repository import REPOSITORY
from training.fit import FitConfig, schedule
from visualizer.errors import UserError


def steps_in(folder: Path) -> int:
    return int(torch.load(folder / "line.ckpt", weights_only=False)["step"])


def test_it_learns_and_leaves_a_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    network = run(tmp_path, 120, decay=0.0)
    assert isinstance(network, Line)
    assert not network.training
    assert network.layer.weight.item() == pytest.approx(3, abs=0.1)
    assert network.layer.bias.item() == pytest.approx(1, abs=0.1)
    assert steps_in(tmp_path) == 120
    assert "line: step 120 of 120, loss" in capfd.readouterr().out

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (log,) = (tmp_path / "tensorboard").rglob("events.out.*")
    events = EventAccumulator(str(log))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"total", "wrong"}
    scalars = events.Scalars("total")
    assert [s.step for s in scalars] == [20, 40, 60, 80, 100, 120]
    assert scalars[-1].value < scalars[0].value


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    one, two = (run(tmp_path / name, 30) for name in "ab")
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


CHILD = """
import sys, torch
from pathlib import Path
import training.fit
from tests.support.line_fit import Line, endless, run
training.fit.CHECKPOINT_SECONDS = 0.0

def slow(start):
    for number, batch in enumerate(endless(start)):
        print("batch", start + number, flush=True)
        sys.stdin.readline()  # the test decides when the next step is taken
        yield batch

run(Path(sys.argv[1]), 40, batches=slow)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=REPOSITORY,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        for number in range(15):
            line = child.stdout.readline()
            while line and not line.startswith("batch"):
                line = child.stdout.readline()
            assert line.split() == ["batch", str(number)]
            child.stdin.write("\n")
            child.stdin.flush()
        child.stdout.readline()  # the next batch is asked for: step 15 is done and saved
        child.kill()
    assert child.returncode == -signal.SIGKILL
    done = steps_in(tmp_path)
    assert 14 <= done <= 15

    began, taken = [], []

    def counted(start: int) -> Iterator[Tensor]:
        began.append(start)
        for batch in endless(start):
            taken.append(1)
            yield batch

    before = torch.load(tmp_path / "line.ckpt", weights_only=False)["network"]["layer.weight"].clone()
    network = run(tmp_path, 40, batches=counted)
    assert began == [done]
    assert len(taken) == 40 - done
    assert steps_in(tmp_path) == 40
    assert isinstance(network, Line)
    assert network.layer.weight.item() != before.item()


def test_a_finished_run_is_only_loaded(tmp_path: Path) -> None:
    first = run(tmp_path, 10)

    def never(start: int) -> Iterator[Tensor]:
        raise AssertionError("it trained again")

    again = run(tmp_path, 10, network=Line(), batches=never)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_it_and_is_not_saved(
    tmp_path: Path, bad: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.fit.CHECKPOINT_SECONDS", 0.0)

    def poisoned(start: int) -> Iterator[Tensor]:
        good = endless(start)
        yield from itertools.islice(good, 5)
        yield torch.full((16, 1), bad)

    with pytest.raises(FloatingPointError, match=r"line: the loss is .* at step 6"):
        run(tmp_path, 20, batches=poisoned)
    state = torch.load(tmp_path / "line.ckpt", weights_only=False)
    assert state["step"] == 5
    assert all(torch.isfinite(v).all() for v in state["network"].values())


def test_a_gradient_that_is_no_number_stops_it_too(tmp_path: Path) -> None:
    class Edge(Line):
        def loss(self, x: Tensor) -> dict[str, Tensor]:
            # The square root of zero is a number; its slope is not.
            return {"total": (self.layer(x) * 0).abs().sqrt().sum()}

    with pytest.raises(FloatingPointError, match="gradient"):
        run(tmp_path, 5, network=Edge())
    assert not (tmp_path / "line.ckpt").exists()


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    run(tmp_path, 5)
    checkpoint = tmp_path / "line.ckpt"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"line\.ckpt"):
        run(tmp_path, 10)
    checkpoint.write_bytes(whole)
    with pytest.raises(UserError, match="another network"):
        run(tmp_path, 10, network=Line(width=2))


def test_precision(tmp_path: Path) -> None:
    seen = {}

    class Watched(Line):
        def loss(self, x: Tensor) -> dict[str, Tensor]:
            seen["batch"], seen["inside"] = x.dtype, self.layer(x).dtype
            return super().loss(x)

    for precision, inside in (("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)):
        network = run(tmp_path / precision, 3, network=Watched(), precision=precision)
        assert seen == {"batch": torch.float32, "inside": inside}
        assert all(p.dtype == torch.float32 for p in network.parameters())


def test_the_rate_climbs_and_falls() -> None:
    config = FitConfig(steps=200, rate=1e-2)
    rates = [schedule(step, config) for step in range(200)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(1e-2)
    assert 8 <= top <= 11  # a twentieth of the way
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[0] < 2e-3
    assert schedule(200, config) == pytest.approx(1e-4)
    assert schedule(0, FitConfig(steps=1)) > 0
    steady = FitConfig(steps=200, rate=1e-2, steady=True)
    assert {schedule(step, steady) for step in range(201)} == {1e-2}
