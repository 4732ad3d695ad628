"""No network that fails, in whatever way and whenever, ends a dance: not a show's, not a film's."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.support import failing, fakes, made_pack, standins
from tests.support.failing import KINDS, fail_from
from tests.support.films import film as make_film
from visualizer import paths
from visualizer.dancer import calls, recovery
from visualizer.dancer.calls import PACES, STUCK
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import FARTHEST_JOINT, STEPS_PER_BEAT, Pack, find_pack, load_pack
from visualizer.dancer.recovery import MOST_FAILURES, WINDOW_BEATS
from visualizer.moment import Bodies, Moment
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import find_look

NETWORKS = ("choreographer", "dancer", "decoder")
TAKEN_OVER = "pack stand-in has failed: the dancer that ships takes over"


@pytest.fixture(scope="module")
def shipped() -> Pack:
    return load_pack(find_pack(None), "cpu")


@pytest.fixture(autouse=True)
def quick(shipped: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack that ships is loaded once for all tests."""
    monkeypatch.setattr(recovery, "load_pack", lambda folder, device, notify: shipped)


def dances(dancer: Dancer, beats: float, start: float = 0.0, per_beat: int = 5) -> Iterator[Bodies]:
    """The bodies as a show asks for them, each held against what a look may be given."""
    for k in range(round(beats * per_beat)):
        moment = start + k / per_beat
        dancer.step_to(moment, 0.5 + 0.5 * np.sin(moment))
        bodies = dancer.picture(moment)
        count = len(bodies.place)
        assert count >= dancer.troupe
        assert bodies.frames.shape == (count, 1, 128, 128)
        assert np.abs(bodies.frames).max() <= calls.FARTHEST_LINE
        assert np.isfinite(bodies.place).all()
        if bodies.joints is not None:
            assert bodies.joints.shape == (count, 21, 2)
            assert np.abs(bodies.joints - 0.5).max() <= FARTHEST_JOINT
        yield bodies


def test_a_healthy_pack_is_left_alone() -> None:
    said: list[str] = []
    pack = standins.pack()
    dancer = Dancer(pack, 3, troupe=3, notify=said.append)
    assert len(list(dances(dancer, 60))) == 300
    assert (dancer.restarts, said) == (0, [])
    assert dancer.pack is pack


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS)
def test_one_failure_is_got_over_by_the_same_pack(network: str, kind: str) -> None:
    said: list[str] = []
    pack = fail_from(network, kind, 12, 12)
    dancer = Dancer(pack, 3, troupe=2, notify=said.append)
    shown = list(dances(dancer, 8))
    assert dancer.restarts == 1
    assert dancer.pack is pack
    assert len(said) == 1
    assert f"a network fails ({network}: " in said[0]
    assert said[0].isprintable()
    assert (shown[-1].frames != shown[-5].frames).any()  # it goes on


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_pack_that_goes_on_failing_gives_way_to_the_one_that_ships(network: str, kind: str, shipped: Pack) -> None:
    said: list[str] = []
    dancer = Dancer(fail_from(network, kind, 9), 3, "house", troupe=2, temperature=0.7, notify=said.append)
    dancer.set_sync("canon")
    shown = list(dances(dancer, 10, per_beat=4))
    assert dancer.pack is shipped
    assert dancer.restarts == MOST_FAILURES
    assert len(said) == 2
    assert said[1] == TAKEN_OVER
    assert (dancer.style, dancer.troupe, dancer.sync, dancer.temperature) == ("house", 2, "canon", 0.7)
    assert all((a.frames != b.frames).any() for a, b in zip(shown[-12:-1], shown[-11:], strict=True))
    assert np.abs(np.diff([each.place for each in shown], axis=0)).max() < 0.3  # nobody leaps across the stage


@pytest.mark.parametrize("network", NETWORKS)
def test_what_fails_from_the_first_call_on_dances_too(network: str, shipped: Pack) -> None:
    dancer = Dancer(fail_from(network, "a Fail", 0), 3)
    assert len(list(dances(dancer, 4))) == 20
    assert dancer.pack is shipped


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_a_pack_that_fails_for_five_fails_when_the_fifth_joins(network: str, shipped: Pack) -> None:
    said: list[str] = []
    pack = fail_from(network, "no memory", 0, least=5)
    dancer = Dancer(pack, 3, troupe=4, notify=said.append)
    before = list(dances(dancer, 8))
    assert dancer.pack is pack
    dancer.set_troupe(5)
    after = list(dances(dancer, 20, start=8.0))
    assert len(before[-1].place) == 4
    assert dancer.pack is shipped
    assert dancer.troupe == 5
    assert len(said) == 2
    if network == "decoder":  # the four stay as they were, the fifth is unseen
        np.testing.assert_array_equal(after[0].frames[:4], before[-1].frames)
        assert (after[0].frames[4] == recovery.EMPTY).all()
    assert (after[-1].frames < 0).any(axis=(1, 2, 3)).all()


def test_the_last_good_body_is_held_with_its_joints() -> None:
    def decode(given: standins.Inputs) -> dict[str, np.ndarray]:
        made = standins.decode(given)
        made["joints"] += 0.1 * given["latent"][:, :1, None]
        if len(decoder.given) == 30:
            made["joints"][1] = 1e4  # far outside of the frame; the frame is well
        return made

    decoder = standins.Network(decode, ("frame", "joints"))
    dancer = Dancer(standins.pack(decoder=decoder), 3, troupe=3)
    before: Bodies | None = None
    for bodies in dances(dancer, 12):
        if len(decoder.given) == 30:
            assert before is not None
            assert before.joints is not None
            assert bodies.joints is not None
            np.testing.assert_array_equal(bodies.joints[1], before.joints[1])
            np.testing.assert_array_equal(bodies.frames[1], before.frames[1])
            assert (bodies.joints[0] != before.joints[0]).any()
        before = bodies
    assert dancer.restarts == 1


@pytest.mark.parametrize("name", ["xray", "confetti"])  # looks that use joints
def test_joints_out_of_this_world_reach_no_look(name: str) -> None:
    def decode(given: standins.Inputs) -> dict[str, np.ndarray]:
        made = standins.decode(given)
        return made | {"joints": made["joints"] * np.float32(1e30 if len(decoder.given) > 10 else 1)}

    decoder = standins.Network(decode, ("frame", "joints"))
    dancer, painter = Dancer(standins.pack(decoder=decoder), 3, troupe=2), Painter((96, 64))
    try:
        for k, bodies in enumerate(dances(dancer, 12)):
            painter.paint(Moment(bodies, find_look(name), fakes.hearing(k / 10), k / 5))
    finally:
        painter.release()


@pytest.mark.parametrize("gap", [WINDOW_BEATS / 2, WINDOW_BEATS])
def test_only_three_failures_in_ten_seconds_are_too_many(gap: float, shipped: Pack) -> None:
    """Each failure is `gap` beats after the one before."""
    steps = [round(k * gap * STEPS_PER_BEAT) for k in range(1, 5)]

    def make(given: standins.Inputs) -> dict[str, np.ndarray]:
        if len(session.given) in steps:
            raise RuntimeError("now and then")
        return standins.step(given)

    session = standins.Network(make, failing.OUTPUTS["dancer"])
    dancer = Dancer(standins.pack(dancer=session), 3)
    assert list(dances(dancer, 5 * gap, per_beat=2))
    assert (dancer.pack is shipped) == (gap < WINDOW_BEATS)
    assert dancer.restarts == (MOST_FAILURES if gap < WINDOW_BEATS else 4)


@pytest.mark.parametrize(
    ("style", "dance", "kept"), [("disco", None, True), (None, "jack", True), ("free", None, False)]
)
def test_style_and_dance_are_kept_where_the_shipped_pack_has_them(
    style: str | None, dance: str | None, kept: bool, shipped: Pack
) -> None:
    dancer = Dancer(fail_from("dancer", "a Fail", 20), 3, style, troupe=2, dance=dance)
    dancer.set_never(("point",))
    dancer.set_held(True)
    was = dancer.style
    assert list(dances(dancer, 8))
    assert dancer.pack is shipped
    assert dancer.style == was  # the name that was asked for
    assert (shipped.styles[dancer._plan.styles[0]] == was) == kept
    assert dancer.dance == dance
    assert dancer.known_styles == standins.STYLES
    for name in standins.STYLES:  # all that could be asked for still can
        dancer.set_style(name)
        assert dancer.style == name
        assert list(dances(dancer, 1, start=dancer.beat, per_beat=2))
    for name in dancer.dances[:2]:
        dancer.set_dance(name)
        assert (dancer.dance, dancer.style) == (name, standins.STYLES[-1])


def test_the_seed_decides_what_is_danced_afterwards() -> None:
    def end(seed: int) -> np.ndarray:
        dancer = Dancer(fail_from("decoder", "not a number", 9), seed)
        return [bodies.frames for bodies in dances(dancer, 16)][-1]

    np.testing.assert_array_equal(end(5), end(5))
    assert (end(5) != end(6)).any()


# --- time


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_that_takes_too_long_call_after_call_gives_way(
    network: str, shipped: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(calls, "time", SimpleNamespace(perf_counter=lambda: now[0], thread_time=lambda: 0.0))

    def make(given: standins.Inputs) -> dict[str, np.ndarray]:
        now[0] += 1.5 * PACES[network].seconds
        return failing.MAKES[network](given)

    said: list[str] = []
    session = standins.Network(make, failing.OUTPUTS[network])
    dancer = Dancer(standins.pack(**{network: session}), 3, notify=said.append)
    begun = now[0]
    assert list(dances(dancer, 12))
    assert dancer.pack is shipped
    assert now[0] - begun < 5.0  # seconds of waiting, all in all
    assert said == [f"the {network} of pack stand-in is too slow to dance", TAKEN_OVER]
    assert dancer.restarts == 0


@pytest.mark.parametrize("worked", [False, True])
def test_one_call_that_takes_long_is_too_many_only_where_it_worked_so_long(
    worked: bool, shipped: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that was stopped, or a machine that slept, is no fault of the network."""
    now = [0.0]
    work = (lambda: now[0]) if worked else (lambda: 0.0)
    monkeypatch.setattr(calls, "time", SimpleNamespace(perf_counter=lambda: now[0], thread_time=work))

    def make(given: standins.Inputs) -> dict[str, np.ndarray]:
        now[0] += 10 * STUCK if len(decoder.given) % 8 == 4 else 0.01
        return standins.decode(given)

    decoder = standins.Network(make, ("frame", "joints"))
    dancer = Dancer(standins.pack(decoder=decoder), 3)
    assert list(dances(dancer, 12))
    assert (dancer.pack is shipped) == worked


def test_the_pack_that_ships_is_not_put_in_its_own_place(shipped: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(np.arange(0.0, 1e7, 100.0))
    monkeypatch.setattr(calls, "time", SimpleNamespace(perf_counter=lambda: next(now), thread_time=lambda: 0.0))
    ill = standins.Network(lambda given: {"letter_out": given["letter"] - 10**6, "state_out": given["state"]}, ())
    pack = dataclasses.replace(shipped, choreographer=ill)
    said: list[str] = []
    dancer = Dancer(pack, 3, notify=said.append)
    assert list(dances(dancer, 12))
    assert dancer.pack is pack
    assert dancer.restarts == len(dancer.letters_written)
    assert len(said) == 1


def test_where_the_shipped_pack_is_broken_too_it_is_said_once_and_danced_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "load_pack", load_pack)
    monkeypatch.setattr(paths, "models", lambda: tmp_path)
    said: list[str] = []
    pack = fail_from("dancer", "a Fail", 20)
    dancer = Dancer(pack, 3, notify=said.append)
    assert list(dances(dancer, 20))
    assert dancer.pack is pack
    assert len(said) == 2
    assert "the one that ships cannot take over" in said[1]


# --- what a decoder says of joints when the troupe first stands


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_that_fails_at_once_does_not_stop_a_troupe_from_standing(kind: str) -> None:
    pack = dataclasses.replace(fail_from("decoder", kind, 0), seeds=standins.SEEDS * 3, latent_size=standins.SIZE)
    assert pack.joint_weights is None
    assert list(dances(Dancer(pack, 3, troupe=9), 4))


# --- real networks


def later_gather() -> bytes:
    """A dancer network that counts its steps in its state and looks the number up in a table of forty."""
    model = made_pack.networks()["dancer"]
    del model.graph.node[:]
    node = helper.make_node
    model.graph.node.extend(
        [
            node("Mul", ["noise", "tenth"], ["small"]),
            node("Add", ["state", "one"], ["state_out"]),
            node("ReduceMax", ["state"], ["count"], keepdims=0),
            node("Cast", ["count"], ["at"], to=onnx.TensorProto.INT64),
            node("Gather", ["table", "at"], ["found"], axis=0),
            node("Add", ["latent", "found"], ["sum"]),
            node("Add", ["sum", "small"], ["latent_out"]),
            node("Mul", ["energy", "tenth"], ["travel"]),
        ]
    )
    model.graph.initializer.extend(
        [
            onnx.numpy_helper.from_array(np.array([1.0], np.float32), "one"),
            onnx.numpy_helper.from_array(np.zeros(40, np.float32), "table"),
        ]
    )
    return model.SerializeToString()


@pytest.fixture
def later(tmp_path: Path) -> Pack:
    """As if the check at loading had let it pass."""
    import onnxruntime

    pack = load_pack(made_pack.write_folder(tmp_path / "later", made_pack.contents()), "cpu")
    session = onnxruntime.InferenceSession(later_gather(), providers=["CPUExecutionProvider"])
    return dataclasses.replace(pack, dancer=session)


def test_a_network_that_fails_after_some_steps_dances_on(later: Pack, shipped: Pack) -> None:
    """Each restart begins its count again: it fails every forty steps, until that is too often."""
    said: list[str] = []
    dancer = Dancer(later, 3, troupe=2, notify=said.append)
    assert list(dances(dancer, 30))
    assert dancer.restarts == MOST_FAILURES
    assert dancer.pack is shipped
    assert "idx=40" in said[0]  # what the network said of itself
    assert len(said) == 2


# --- films


def film(pack: Pack, out: Path, **asked: Any) -> str:
    """Hash of the pictures of a film."""
    pixels, frames = hashlib.sha256(), []

    def note(number: int, picture: memoryview) -> None:
        pixels.update(picture)
        frames.append(number)

    report = make_film(None, out, pack=pack, size=(64, 64), fps=8, progress=False, seed=3, on_frame=note, **asked)
    assert report.frames == len(frames)
    if "seconds" in asked:
        assert report.frames == round(asked["seconds"] * 8)
    return pixels.hexdigest()


ASKED: dict[str, Any] = {"seconds": 2.5, "troupe": 2, "look": "xray"}


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The film of a pack that does not fail."""
    return film(standins.pack(), tmp_path_factory.mktemp("well") / "well.mp4", **ASKED)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["a Fail", "no memory", "not a number", "huge", "too few dancers", "text"])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_film_is_whole_and_the_same_again_whatever_fails(network: str, kind: str, well: str, tmp_path: Path) -> None:
    one, again = (film(fail_from(network, kind, 8), tmp_path / f"{k}.mp4", **ASKED) for k in range(2))
    assert one == again
    assert one != well


def test_a_film_of_a_pack_that_fails_later_is_whole(later: Pack, tmp_path: Path) -> None:
    assert film(later, tmp_path / "later.mp4", seconds=8.0)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("first", [5, 300])  # while the loop is looked for, and while it is filmed
def test_a_loop_of_a_pack_that_fails_is_whole(network: str, first: int, tmp_path: Path) -> None:
    assert film(fail_from(network, "a Fail", first), tmp_path / "loop.gif", beats=4)
