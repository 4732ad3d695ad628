"""Networks that behave when they are first looked at: what differs for some troupes, letters, poses or steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="skipped: onnx missing")

from onnx import TensorProto, helper, numpy_helper

from tests.support.made_pack import LETTERS, contents, networks, write_folder
from visualizer.dancer.pack import find_pack, load_pack, read_info
from visualizer.errors import UserError
from visualizer.networks import sandbox, session
from visualizer.networks.contract import MOST_DANCERS

node = helper.make_node


def weight(model: Any, name: str, value: Any) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))


def with_more(network: str, output: str, nodes: list[Any], **weights: Any) -> bytes:
    """A network that is whole, with more operations: they turn `plain` into the output of that name."""
    model = networks()[network]
    next(n for n in model.graph.node if output in n.output).output[0] = "plain"
    model.graph.node.extend(nodes)
    for name, value in weights.items():
        weight(model, name, value)
    return model.SerializeToString()


def terabyte_for(troupe: int) -> bytes:
    """Takes eight terabytes for a troupe of so many, and next to nothing for any other."""
    return with_more("decoder", "frame", [
        node("Shape", ["latent"], ["count"], start=0, end=1), node("Equal", ["count", "troupe"], ["is"]),
        node("Cast", ["is"], ["one"], to=TensorProto.INT64), node("Mul", ["one", "many"], ["size"]),
        node("ConstantOfShape", ["size"], ["big"]), node("Exp", ["big"], ["bigger"]),
        node("ReduceSum", ["bigger"], ["total"], keepdims=0), node("Mul", ["total", "nought"], ["nothing"]),
        node("Add", ["plain", "nothing"], ["frame"]),
    ], troupe=[troupe], many=[2 * 10**12], nought=np.float32(0))  # fmt: skip


def of_wrong_size_for(troupe: int) -> bytes:
    """Makes one travel too many for a troupe of so many."""
    return with_more("dancer", "travel", [
        node("Shape", ["latent"], ["count"], start=0, end=1), node("Equal", ["count", "troupe"], ["is"]),
        node("Cast", ["is"], ["extra"], to=TensorProto.INT64), node("Concat", ["extra", "unit"], ["want"], axis=0),
        node("Expand", ["zero", "want"], ["more"]), node("Concat", ["plain", "more"], ["travel"], axis=0),
    ], troupe=[troupe], unit=[1], zero=np.zeros((1, 1), np.float32))  # fmt: skip


def looking_up(network: str, index: list[Any], table: Any) -> bytes:
    """Adds what stands in a table at `index` to the state."""
    return with_more(network, "state_out", [
        *index, node("Gather", ["table", "at"], ["found"]), node("ReduceSum", ["found"], ["sum"], keepdims=0),
        node("Mul", ["sum", "nought"], ["nothing"]), node("Add", ["plain", "nothing"], ["state_out"]),
    ], table=np.asarray(table, np.float32), nought=np.float32(0), sides=[1, 2], scale=np.float32(8))  # fmt: skip


def by(name: str) -> list[Any]:
    """An index out of a float input."""
    return [node("ReduceMax", [name], ["most"], keepdims=0), node("Cast", ["most"], ["at"], to=TensorProto.INT64)]


def far_out(network: str, output: str, factor: float) -> bytes:
    return with_more(network, output, [node("Mul", ["plain", "far"], [output])], far=np.float32(factor))


def slow() -> bytes:
    """Some seconds of multiplying for each picture."""
    chain = [node("MatMul", [f"p{n}", "p0"], [f"p{n + 1}"]) for n in range(12)]
    return with_more("decoder", "frame", [
        node("ReduceSum", ["latent"], ["all"], keepdims=0), node("Mul", ["all", "nought"], ["zero"]),
        node("Expand", ["zero", "wide"], ["p0"]), *chain, node("ReduceSum", ["p12"], ["total"], keepdims=0),
        node("Add", ["plain", "total"], ["frame"]),
    ], nought=np.float32(0), wide=[2200, 2200])  # fmt: skip


def divided(operator: str, by_what: list[Any]) -> bytes:
    """Whole numbers divided by what becomes nought: no error, the process ends."""
    return with_more("dancer", "state_out", [
        *by_what, node(operator, ["seven", "at"], ["share"]), node("Cast", ["share"], ["float"], to=TensorProto.FLOAT),
        node("ReduceSum", ["float"], ["sum"], keepdims=0), node("Mul", ["sum", "nought"], ["nothing"]),
        node("Add", ["plain", "nothing"], ["state_out"]),
    ], seven=[7], nought=np.float32(0))  # fmt: skip


def grows() -> bytes:
    """Its state is ten times as large with each step."""
    return with_more("dancer", "state_out", [node("Add", ["state", "one"], ["more"]),
                                             node("Mul", ["more", "ten"], ["state_out"])],
                     one=np.float32(1), ten=np.float32(10))  # fmt: skip


LETTER, NEXT = [node("Identity", ["letter"], ["at"])], [node("Identity", ["next_letter"], ["at"])]
PLACE = [node("Mul", ["place", "scale"], ["eighths"]), node("Cast", ["eighths"], ["at"], to=TensorProto.INT64)]

CASES: list[tuple[str, str, Callable[[], bytes], str]] = [
    *((f"a terabyte for {n}", "decoder", lambda n=n: terabyte_for(n), "1024 MB|does not run") for n in (3, 5, 8)),
    *((f"another size for {n}", "dancer", lambda n=n: of_wrong_size_for(n), f"troupe of {n}") for n in (4, 7)),
    *((f"looks up by {name}", "dancer", lambda name=name: looking_up("dancer", by(name), [0] * 4), "looks depends")
      for name in ("state", "noise", "energy", "latent", "style", "bar_phase")),
    ("looks up by state, choreographer", "choreographer", lambda: looking_up("choreographer", by("state"), [0] * 4),
     "looks depends"),
    ("a table that lacks a letter", "choreographer", lambda: looking_up("choreographer", LETTER, [0] * (LETTERS - 1)),
     "does not run"),
    ("a table that lacks a next letter", "dancer", lambda: looking_up("dancer", NEXT, [0] * (LETTERS - 1)),
     "does not run"),
    ("a table that lacks the last place", "dancer", lambda: looking_up("dancer", PLACE, [0] * 7), "does not run"),
    ("divides by nought", "dancer", lambda: divided("Div", by("state")), "Div of whole numbers"),
    ("a rest by nought", "dancer", lambda: divided("Mod", by("energy")), "Mod of whole numbers"),
    *((f"{name} far out", network, lambda network=network, name=name: far_out(network, name, 1e6), f"output {name} is")
      for network, name in (("decoder", "joints"), ("decoder", "frame"), ("dancer", "travel"))),
    ("slow", "decoder", slow, "s at a time"),
    ("grows", "dancer", grows, "output state_out is not of finite numbers"),
]  # fmt: skip


def made(folder: Path, **changed: bytes) -> Path:
    return write_folder(folder, contents(**changed))


@pytest.mark.slow
@pytest.mark.parametrize(("network", "make", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_comes_later_is_found_before(tmp_path: Path, network: str, make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_pack(made(tmp_path / "theirs", **{network: make()}), "cpu")
    said = str(caught.value)
    assert f"{network}.onnx" in said
    assert any(word in said for word in words.split("|")), said
    assert said.isprintable()


@pytest.mark.parametrize(
    "make",
    [lambda: looking_up("dancer", LETTER, [0] * LETTERS), lambda: looking_up("dancer", NEXT, [0] * LETTERS),
     lambda: looking_up("dancer", PLACE, [0] * 8), lambda: far_out("decoder", "joints", 1.0)],
)  # fmt: skip
def test_what_keeps_within_its_tables_is_danced(tmp_path: Path, make: Callable[[], bytes]) -> None:
    data = make()
    network = "decoder" if b"joints" in data else "dancer"
    assert load_pack(made(tmp_path / "theirs", **{network: data}), "cpu").name == "Made Up"


def test_every_troupe_and_every_letter_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "theirs", dancer=looking_up("dancer", LETTER, [0] * LETTERS))
    asked: list[tuple[str, dict[str, Any]]] = []
    run, open_bytes = sandbox.run_checked, sandbox.open_bytes
    monkeypatch.setattr(sandbox, "open_bytes", lambda data, path, limited: open_bytes(data, path))
    monkeypatch.setattr(sandbox, "run_checked", lambda *a: asked.append((a[1], a[4])) or run(*a))
    sandbox.run_networks(folder, read_info(folder), sandbox.seal_networks(folder))
    for network in ("decoder", "choreographer", "dancer"):
        counts = {len(next(iter(given.values()))) for name, given in asked if name == network}
        assert counts == set(range(1, MOST_DANCERS + 1))
    for name in ("letter", "next_letter"):
        assert {x for n, given in asked if n == "dancer" for x in given[name].tolist()} == set(range(LETTERS))


def test_a_network_that_takes_long_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs on no input is computed when it is opened, at each start."""
    chain = [node("MatMul", [f"p{n}", "p0"], [f"p{n + 1}"]) for n in range(12)]
    folder = made(tmp_path / "theirs", decoder=with_more("decoder", "frame", [
        node("ConstantOfShape", ["wide"], ["p0"]), *chain, node("ReduceSum", ["p12"], ["total"], keepdims=0),
        node("Add", ["plain", "total"], ["frame"]),
    ], wide=[700, 700]))  # fmt: skip
    open_bytes = sandbox.open_bytes
    monkeypatch.setattr(sandbox, "open_bytes", lambda data, path, limited: open_bytes(data, path))
    monkeypatch.setattr(sandbox, "SLOWEST_OPENING", 0.02)
    with pytest.raises(UserError, match=r"decoder\.onnx: takes .* s to open"):
        sandbox.run_networks(folder, read_info(folder), sandbox.seal_networks(folder))


# --- the bytes that are opened


def test_what_is_opened_is_what_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged between the judgement and the opening is not opened."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))  # nothing has passed yet
    folder = made(tmp_path / "theirs")
    judge = sandbox.try_pack

    def judge_and_exchange(*given: Any) -> None:
        judge(*given)
        (folder / "dancer.onnx").write_bytes(far_out("dancer", "travel", 2.0))

    monkeypatch.setattr(sandbox, "try_pack", judge_and_exchange)
    with pytest.raises(UserError, match=r"dancer\.onnx: has changed"):
        load_pack(folder, "cpu")


def test_what_is_judged_is_what_was_sealed(tmp_path: Path) -> None:
    folder = made(tmp_path / "theirs")
    seals = sandbox.seal_networks(folder)
    (folder / "decoder.onnx").write_bytes(far_out("decoder", "joints", 0.5))
    with pytest.raises(UserError, match=r"decoder\.onnx: has changed"):
        sandbox.try_pack(folder, read_info(folder), seals)


def test_other_rules_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    folder, tried = made(tmp_path / "theirs"), []
    monkeypatch.setattr(sandbox, "try_pack", lambda *given: tried.append(given))
    for rules in (1, 1, 2, 2):
        monkeypatch.setattr(sandbox, "RULES", rules)
        sandbox.pass_trial(folder, read_info(folder))
    assert len(tried) == 2


# --- calls that do not end


class Endless:
    """A session that runs until it is told to end."""

    def run(self, names: Any, given: Any, options: Any) -> Any:
        while not options.terminate:
            time.sleep(0.001)
        raise RuntimeError("Exiting due to terminate flag being set to true.")


def test_a_call_that_does_not_end_is_broken_off_and_fails_as_any_other() -> None:
    network = session.Bounded(Endless(), seconds=0.01)
    for _ in range(2):
        with pytest.raises(session.failures(), match="terminate"):
            network.run(None, {})


def test_the_networks_of_a_stranger_are_bounded_and_those_that_ship_are_not(tmp_path: Path) -> None:
    for folder, bounded in ((made(tmp_path / "theirs"), True), (find_pack(None), False)):
        pack = load_pack(folder, "cpu")
        for network in (pack.decoder, pack.choreographer, pack.dancer):
            assert isinstance(network, session.Bounded) == bounded
        frame, _ = pack.decoder.run(["frame", "joints"], {"latent": pack.latent_mean[None]})
        assert frame.shape == (1, 1, 128, 128)
