"""Work spread over processes and machines: each item done, none lost when a worker dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.parallel_work import double
from tests.support.repository import REPOSITORY
from training.parallel import map_parallel
from visualizer.errors import UserError


def who(number: int) -> tuple[int, int]:
    return number, os.getpid()


def broken(number: int) -> int:
    raise UserError(f"{number} cannot be done")


def dies_once(task: tuple[int, str]) -> tuple[int, int]:
    """Item 5 takes its process with it the first time."""
    number, folder = task
    if number == 5 and not (Path(folder) / "died").exists():
        (Path(folder) / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


def deadly(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def waits(task: tuple[int, str]) -> tuple[int, int]:
    """Says who is at it, and goes on when told."""
    number, folder = task
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return number, os.getpid()


# --- here


@pytest.mark.parametrize("workers", [1, 2])
def test_each_item_once(workers: int) -> None:
    assert sorted(map_parallel(double, range(30), workers=workers)) == [2 * n for n in range(30)]
    assert list(map_parallel(double, [], workers=workers)) == []


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert {pid for _, pid in map_parallel(who, range(4), workers=1)} == {os.getpid()}
    assert os.getpid() not in {pid for _, pid in map_parallel(who, range(4), workers=2)}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_is_raised_here(workers: int) -> None:
    with pytest.raises(UserError, match="cannot be done"):
        list(map_parallel(broken, range(4), workers=workers))


def test_a_process_that_dies_loses_nothing(tmp_path: Path) -> None:
    done = list(map_parallel(dies_once, [(n, str(tmp_path)) for n in range(12)], workers=2))
    assert (tmp_path / "died").exists()
    assert sorted(number for number, _ in done) == list(range(12))


def test_an_item_that_kills_is_given_up_and_named() -> None:
    done: list[int] = []
    with pytest.raises(UserError, match=r"worked on 3 died each of 3 times; 7 of 8 are done"):
        done.extend(map_parallel(deadly, range(8), workers=2))
    assert sorted(done) == [0, 1, 2, 4, 5, 6, 7]  # none of the others is lost


# The first of those who work presses Ctrl-C, for all of the terminal, while it is still beginning.
PARENT = """
import os, signal, sys
from tests.support.parallel_work import double
from training.parallel import map_parallel
if __name__ != "__main__":
    try:
        os.mkdir(sys.argv[1])
    except FileExistsError:
        pass  # the other was the first
    else:
        os.killpg(0, signal.SIGINT)
if __name__ == "__main__":
    try:
        print(list(map_parallel(double, range(100_000), workers=2)))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
"""


def test_ctrl_c_ends_those_who_work_without_a_word(tmp_path: Path) -> None:
    """A terminal tells it to all of them; what there is to say is said by the one that was asked."""
    (tmp_path / "parent.py").write_text(PARENT)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "pressed")], capture_output=True, text=True,
        timeout=60, start_new_session=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.stderr == "stopped\n"
    assert not done.stdout


# --- by Dask


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]], subprocess.Popen[bytes]]]:
    """A scheduler and workers in processes of their own, as on other machines: address, workers and scheduler."""
    pytest.importorskip("distributed", reason="skipped: distributed missing")
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    file = folder / "scheduler.json"

    def run(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *words, "--no-dashboard"]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=folder, env=env)

    where = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)]
    head = run("distributed.cli.dask_scheduler", *where)
    started = [head]
    try:
        address = ""
        while not address:
            assert head.poll() is None
            if file.exists():
                text = file.read_text()
                address = json.loads(text)["address"] if text.endswith("}") else ""
            threading.Event().wait(0.05)
        for n in range(workers):
            words = [address, "--nthreads", "1", "--no-nanny", "--name", f"hand{n}"]
            started.append(run("distributed.cli.dask_worker", *words))
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
        yield address, started[1:], head
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


@pytest.mark.slow
def test_dask_loses_nothing_when_a_worker_is_killed(tmp_path: Path) -> None:
    with cluster(tmp_path, 2) as (address, hands, _):
        tasks = [(n, str(tmp_path)) for n in range(12)]
        found: list[tuple[int, int]] = []
        collector = threading.Thread(target=lambda: found.extend(map_parallel(waits, tasks, scheduler=address)))
        collector.start()
        victim = hands[0].pid
        while not list(tmp_path.glob(f"*.{victim}")):  # it has begun an item
            assert collector.is_alive()
            threading.Event().wait(0.02)
        begun = {int(path.stem) for path in tmp_path.glob(f"*.{victim}")}
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "go").touch()
        collector.join(120)
        assert sorted(number for number, _ in found) == list(range(12))
        other = hands[1].pid
        assert all(pid == other for number, pid in found if number in begun)
        # The same cluster again, whole: what is asked for twice is done twice, and what is raised comes here.
        assert sorted(map_parallel(double, [1, 1, 2], scheduler=address)) == [2, 2, 4]
        with pytest.raises(UserError, match="cannot be done"):
            list(map_parallel(broken, range(2), scheduler=address))


def test_a_scheduler_that_is_lost_is_said(tmp_path: Path) -> None:
    with cluster(tmp_path, 1) as (address, _, head):
        coming = map_parallel(double, range(1000), scheduler=address)
        assert next(coming) % 2 == 0
        head.kill()
        with pytest.raises(UserError, match="was lost"):
            list(coming)


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="skipped: distributed missing")
    monkeypatch.setattr("training.parallel.PATIENCE", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "tcp://nowhere.invalid:8786"):
        with pytest.raises(UserError, match="no Dask scheduler answers"):
            list(map_parallel(double, [1], scheduler=address))
