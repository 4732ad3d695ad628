"""A tiny pack for the tests that need one, trained once a run by the program itself on clips made here."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from bench.pulse import Server
from tests.support.needs import needs, needs_program
from tests.support.pose_bundle import ENVIRONMENT, make_bundle
from tests.support.repository import REPOSITORY
from tests.support.training_run import TinyFit, run_training
from tests.support.workers import find_shared_folder, share_machine, take_turns
from visualizer.stop import SIGNALS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow are, besides those that are marked, all that start the program and all for which a pack is trained first."""
    for item in items:
        trains = {"tiny_fit", "server", "screen"} & set(getattr(item, "fixturenames", ()))
        if trains or item.path.is_relative_to(REPOSITORY / "tests" / "e2e"):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that is marked `alone` is, with all that is made for it: no other worker has a test at the same time."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return (yield)
    factory: pytest.TempPathFactory = item.config._tmp_path_factory  # type: ignore[attr-defined]
    count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])  # one that is started in place of another has a higher number
    alone = item.get_closest_marker("alone") is not None
    with share_machine(find_shared_folder(factory), int(worker.removeprefix("gw")) % count, count, alone):
        return (yield)


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """The program is not told of a signal that whoever runs the tests ignores, as nohup does with SIGHUP."""
    ignored = [n for n in SIGNALS if signal.getsignal(n) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """As the program itself has it: threads of OpenBLAS that wait for each other made some tests 20 times slower.

    scipy brings a library of its own, which is limited only if it is there already.
    """
    import scipy.linalg  # noqa: F401

    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is heard of songs, and logs, are kept here, also by the programs that tests start, and not among the
    user's files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A PulseAudio of the tests' own with a null sink, which PortAudio reaches through ALSA."""
    needs_program("pulseaudio", "paplay", "pacat", "pactl")
    needs(ctypes.util.find_library("portaudio") or importlib.util.find_spec("_sounddevice_data"), "PortAudio")
    needs(list(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so")), "ALSA's pulse plugin")
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def link_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No other worker takes part in Ableton Link: all peers of a network find each other, and share one tempo."""
    with take_turns(tmp_path_factory, "link"):
        yield


@pytest.fixture(scope="session")
def tiny_fit(tmp_path_factory: pytest.TempPathFactory) -> TinyFit:
    """Four clips of two styles, then the real training command with `--tiny`: once for all workers."""
    pytest.importorskip("torch", reason="skipped: torch missing")
    from tests.support.made_clips import dance_motion, write_clips

    folder = find_shared_folder(tmp_path_factory) / "tiny"
    motion, work, pack, said = (folder / name for name in ("motion", "work", "pack", "said.txt"))
    with take_turns(tmp_path_factory, "tiny"):
        if not said.is_file():  # written last: then everything is there
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write_clips(
                motion,
                [
                    ("house_1", "house", dance_motion("jack", 120, 24)[0]),
                    ("house_2", "house", dance_motion("sidewalk stomp", 112, 24)[0]),
                    ("hiphop_1", "hiphop", dance_motion("bounce and rock", 100, 24)[0]),
                    ("hiphop_2", "hiphop", dance_motion("wide stomp", 104, 24)[0]),
                ],
            )
            done = run_training("fit", "--motion", motion, "--out", pack, "--work", work, "--tiny")
            assert done.returncode == 0, done.stdout + done.stderr
            said.write_text(done.stdout, encoding="utf-8")
    return TinyFit(motion, work, pack, said.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tiny_pack(tiny_fit: TinyFit) -> Path:
    """Folder of a whole pack that dances badly. Do not change it: copy it first."""
    return tiny_fit.pack


@pytest.fixture(scope="session")
def tiny_work(tiny_fit: TinyFit) -> Path:
    """Work folder of the tiny pack: its data set, checkpoints and TensorBoard files. Do not change it."""
    return tiny_fit.work


@pytest.fixture(scope="session")
def pose_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network that sees people, made of the package that `.ci/run` has fetched."""
    needs(importlib.util.find_spec("mediapipe"), "MediaPipe")
    package = Path(os.environ.get(ENVIRONMENT, "") or "nowhere")
    needs(package.is_file(), f"the network that sees people (${ENVIRONMENT})")
    path = tmp_path_factory.mktemp("person") / "pose.task"
    path.write_bytes(make_bundle(package.read_bytes(), "full"))
    return path
