"""What is read of an ONNX file before onnxruntime sees it: ours pass, and whatever hides in one is named."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="skipped: onnx missing")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from tests.support.made_pack import networks  # noqa: E402
from visualizer import paths  # noqa: E402
from visualizer.errors import UserError  # noqa: E402
from visualizer.networks.onnx_check import OPERATORS, check_network, part_for  # noqa: E402

SHIPPED = sorted(paths.models().glob("*/*.onnx"))


@pytest.mark.parametrize("path", SHIPPED, ids=[f"{p.parent.name}-{p.stem}" for p in SHIPPED])
def test_networks_that_ship_pass_and_are_counted_as_onnx_counts_them(path: Path) -> None:
    found = check_network(path.read_bytes(), path)
    graph = onnx.load(path).graph
    assert found.nodes == len(graph.node)
    assert found.weights == sum(numpy_helper.to_array(t).size for t in graph.initializer)
    assert found.operators == {n.op_type for n in graph.node}


def test_the_operators_are_onnx_s_own_and_none_runs_a_subgraph_or_draws_by_chance() -> None:
    known = {s.name: s for s in onnx.defs.get_all_schemas() if s.domain == ""}
    assert set(known) >= OPERATORS
    for name in OPERATORS:
        kinds = {a.type for a in known[name].attributes.values()}
        assert onnx.defs.OpSchema.AttrType.GRAPH not in kinds, name
    assert not OPERATORS & {"If", "Loop", "Scan", "RandomNormal", "RandomUniform", "Multinomial", "NonZero", "Unique"}


def _model() -> Any:
    return networks()["decoder"]


def loop(model: Any) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["again"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("again", TensorProto.BOOL, [])],
    )  # fmt: skip
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def hidden_subgraph(model: Any) -> None:
    """An operator that is taken, with an attribute it does not have."""
    model.graph.node[0].attribute.append(helper.make_attribute("body", helper.make_graph([], "g", [], [])))


def foreign(model: Any) -> None:
    model.graph.node[0].domain = "com.microsoft"


def foreign_opset(model: Any) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def function(model: Any) -> None:
    model.functions.append(helper.make_function("", "Tanh", ["x"], ["y"], [], [helper.make_opsetid("", 18)]))


def random(model: Any) -> None:
    model.graph.node.append(helper.make_node("RandomNormal", [], ["luck"], shape=[10**6]))


def old_opset(model: Any) -> None:
    model.opset_import[0].version = 9


def outside(model: Any) -> None:
    weight = model.graph.initializer[0]
    weight.data_location = 1
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def outside_without_an_address(model: Any) -> None:
    model.graph.initializer[0].data_location = 1


def larger_than_it_is(model: Any) -> None:
    model.graph.initializer[0].dims[0] = 10**15


def negative(model: Any) -> None:
    model.graph.initializer[0].dims[0] = -4


def of_text(model: Any) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(["hello"], dtype=object), "words"))


def twice(model: Any) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def overridden(model: Any) -> None:
    """A weight that is an input too: whoever dances could change how large things become."""
    model.graph.input.append(helper.make_tensor_value_info("square", TensorProto.INT64, [4]))


def size_by_value(model: Any) -> None:
    model.graph.node.extend([
        helper.make_node("Cast", ["sum"], ["much"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["much", "flat_shape"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["tons"]),
    ])  # fmt: skip
    model.graph.initializer.append(helper.make_tensor("flat_shape", TensorProto.INT64, [1], [-1]))


def sparse(model: Any) -> None:
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [3])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [10**9]))


def made_twice(model: Any) -> None:
    model.graph.node.append(helper.make_node("Tanh", ["sum"], ["zeros"]))


def long_text(model: Any) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("note", "x" * 5000))


def sequence(model: Any) -> None:
    inner = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    model.graph.input.append(helper.make_value_info("many", helper.make_sequence_type_proto(inner)))


def before_it_is_made(model: Any) -> None:
    """What is not known yet cannot be told to be harmless."""
    model.graph.node.insert(0, model.graph.node.pop())


def size_by_what_comes_later(model: Any) -> None:
    size_by_value(model)
    model.graph.node.insert(0, model.graph.node.pop())


def looks_up_by_pose(model: Any) -> None:
    model.graph.node.extend([helper.make_node("Cast", ["latent"], ["where"], to=TensorProto.INT64),
                             helper.make_node("Gather", ["square", "where"], ["found"])])  # fmt: skip


def divides_by_pose(model: Any) -> None:
    model.graph.node.extend([helper.make_node("Cast", ["latent"], ["whole"], to=TensorProto.INT32),
                             helper.make_node("Div", ["whole", "whole"], ["one"])])  # fmt: skip


def nothing(model: Any) -> None:
    del model.graph.node[:]


SPOILT: list[tuple[Callable[[Any], None], str]] = [
    (loop, "subgraph"), (hidden_subgraph, "subgraph"), (foreign, "foreign domain com.microsoft"),
    (foreign_opset, "com.microsoft"), (function, "function"), (random, "RandomNormal"), (old_opset, "operator set 9"),
    (outside, "external_data"), (outside_without_an_address, "another file"), (larger_than_it_is, "as large as"),
    (negative, "impossible shape"), (of_text, "string_data"), (twice, "name of something else"),
    (overridden, "name of something else"), (size_by_value, "depends on what is danced"), (sparse, "sparse"),
    (made_twice, "made twice"), (long_text, "too long"), (sequence, "sequence_type"),
    (before_it_is_made, "used before it is made"), (size_by_what_comes_later, "used before it is made"),
    (looks_up_by_pose, "where Gather looks"), (divides_by_pose, "Div of whole numbers"), (nothing, "0 operations"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), SPOILT, ids=[s.__name__ for s, _ in SPOILT])
def test_what_hides_in_a_network_is_named(spoil: Callable[[Any], None], words: str) -> None:
    model = _model()
    check_network(model.SerializeToString(), "x.onnx")
    spoil(model)
    with pytest.raises(UserError, match=words) as caught:
        check_network(model.SerializeToString(), "x.onnx")
    said = str(caught.value)
    assert said.startswith("x.onnx: not a usable network (")
    assert said.isprintable()


def field(number: int, data: bytes) -> bytes:
    """One field of bytes, in the wire format."""
    length = len(data)
    head = bytes([number << 3 | 2]) if number < 16 else bytes([(number << 3 | 2) & 0x7F | 0x80, number >> 4])
    tail = b""
    while length >= 0x80:
        tail += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + tail + bytes([length]) + data


WHOLE = networks()["choreographer"].SerializeToString()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "none in the file"), (b"\xff" * 40, "no end"), (WHOLE[:-3], "in the middle"), (WHOLE + b"\x00", "field"),
     # protobuf would lay two graphs together, and a reader who takes the first sees another network than one who
     # takes the last
     (WHOLE + field(7, b""), "two of graph"), (WHOLE + field(15, b"hello"), "field of number 15"),
     (b"\x3b\x3c", "not in the format"), (WHOLE + b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "in the middle"),
     (WHOLE.replace(b"\x12\x01N", b"\x12\x01\xff"), "no text"), (WHOLE.replace(b"energy", b"\xff" * 6), "no text"),
     (WHOLE + b"\x3d" + struct.pack("<f", 1), "not what it should be")],
)  # fmt: skip
def test_what_is_no_such_file(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_network(data, "x.onnx")


def wrapped(*numbers: int, inner: bytes) -> bytes:
    """Messages in messages, by the numbers of their fields from the outside."""
    for number in reversed(numbers):
        inner = field(number, inner)
    return inner


EMPTY = 2_000_000  # bytes, of fields of two or three
BOMBS = {
    "inputs of a node": wrapped(7, 1, inner=b"\x0a\x00" * EMPTY),
    "nodes": wrapped(7, inner=b"\x0a\x00" * EMPTY),
    "weights": wrapped(7, inner=b"\x2a\x00" * EMPTY),
    "numbers of an attribute": wrapped(7, 1, 5, inner=b"\x40\x01" * EMPTY),
    "packed numbers, again and again": wrapped(7, inner=field(5, b"".join([field(7, b"\x01" * 10_000)] * 300))),
    "packed numbers of many weights": wrapped(7, inner=b"".join([field(5, field(7, b"\x01" * 9_000))] * 300)),
    "notes": b"\x72\x00" * EMPTY,
    "long names": wrapped(7, 1, inner=b"".join([field(1, ("x" * 990 + "\U0001f483").encode())] * 5_000)),
    "dimensions": wrapped(7, 11, 2, 1, 2, inner=b"\x0a\x00" * EMPTY),
}


@pytest.mark.slow
@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_a_file_of_small_fields_takes_little_to_refuse(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"x\.onnx: not a usable network .*(more than|too many|too long)"):
            check_network(data, "x.onnx")
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=400, deadline=None)
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=8), cut=st.booleans())
def test_any_bytes_are_taken_or_refused(at: float, junk: bytes, cut: bool) -> None:
    here = int(at * len(WHOLE))
    data = WHOLE[:here] + junk + (b"" if cut else WHOLE[here + len(junk) :])
    said = "x.onnx: not a usable network ("
    try:
        assert check_network(data, "x.onnx").nodes > 0
    except UserError as error:
        said = str(error)
    assert said.startswith("x.onnx: not a usable network (")
    assert len(said.splitlines()) == 1


# --- a part of a network


@pytest.mark.parametrize("path", SHIPPED, ids=[f"{p.parent.name}-{p.stem}" for p in SHIPPED])
def test_a_part_is_a_whole_network_that_makes_the_same(path: Path) -> None:
    """Of each network that ships, for each of its outputs, as onnxruntime runs both."""
    from visualizer.networks.session import open_bytes

    data = path.read_bytes()
    whole, random = open_bytes(data, path)[0], np.random.default_rng(3)
    for output in whole.get_outputs():
        part = part_for(data, output.name)
        model = onnx.load_from_string(part)
        onnx.checker.check_model(model)
        assert [o.name for o in model.graph.output] == [output.name]
        made = {name for node in model.graph.node for name in node.output} | {t.name for t in model.graph.initializer}
        assert {name for node in model.graph.node for name in node.input if name} <= (
            made | {i.name for i in model.graph.input}
        )
        alone = open_bytes(part, path)[0]
        given = {
            i.name: random.integers(0, 5, 3) if i.type == "tensor(int64)"
            else random.random((3, *(n if isinstance(n, int) else 1 for n in i.shape[1:]))).astype(np.float32)
            for i in whole.get_inputs()
        }  # fmt: skip
        if path.parent.name == "ear":  # it hears one hop at a time
            given = {name: array[:1] for name, array in given.items()}
        wanted = {i.name for i in alone.get_inputs()}
        (got,) = alone.run([output.name], {name: array for name, array in given.items() if name in wanted})
        (expected,) = whole.run([output.name], given)
        np.testing.assert_array_equal(got, expected)


def test_a_part_of_nothing_is_no_network() -> None:
    with pytest.raises(UserError, match="0 operations"):
        check_network(part_for(_model().SerializeToString(), "no such output"), "it")
