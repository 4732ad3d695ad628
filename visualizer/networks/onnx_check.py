"""What is inside an ONNX file, read and judged before onnxruntime sees it.

A network from a stranger is data, but onnxruntime will do what the data says: reserve memory, follow file names, loop.
So the file is read here first, strictly, by what the format says of itself (`onnx.proto`), and refused where it holds
anything but a plain sequence of well-known operators on floats and whole numbers:

- no operators but those of `OPERATORS`, none of another domain, no functions (which hide operators), no subgraphs
  (`If`, `Loop`, `Scan`), nothing random (noise comes in as an input), no text, no sparse or quantised side tables;
- weights lie in the file itself and are exactly as large as they say;
- how large a tensor becomes may depend on the number of dancers, and for figures on the box they are drawn in, which is
  never larger than a frame, but never on what is danced. That is what lets one
  run in a limited process (`sandbox`) speak for all others: a network that behaves there cannot ask for terabytes
  when a certain letter comes;
- what is looked up in a table may depend on letters and the place within one, which the sandbox tries, and on nothing
  else; and whole numbers are divided only where both are known before the dance. So no call fails after an hour that
  did not fail there.

Read with own code: the package `onnx` has 15 MB, takes its time to import, and forgives what is refused here. Fields
that are unknown, or there twice where once is meant, are refused, so that two readers cannot see two networks. Fields,
numbers and letters of names are counted while they are read, so that no file takes long or much memory to refuse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from visualizer.errors import UserError

LARGEST_GRAPH = 20_000  # nodes; our largest, the encoder, has 1,749
MOST_WEIGHTS = 5_000  # tensors
MOST_INPUTS = 32  # our dancer has ten
LONGEST_TEXT = 1_000  # bytes of one name or attribute
# Fields of a file, and numbers in its lists; our largest, the encoder, has 39,475. That many take 0.3 s and 40 MB.
MOST_FIELDS = 150_000
MOST_TEXT = 4_000_000  # bytes of all names; the encoder has 0.2 million
LONGEST_LIST = 10_000  # numbers that are not packed as bytes
HIGHEST_RANK = 8
OPSETS = range(17, 31)

# --- the format: field number -> name, kind --------------------------------------------------------------------------
# Kinds: how a field is read. A list of one kind: there may be many. "text": bytes that must be short and of UTF-8, as
# callers of onnxruntime decode them. "no": a network that has it is refused.

INT, FLOAT, DOUBLE, BYTES, TEXT, NO = "int", "float", "double", "bytes", "text", "no"
Schema = dict[int, tuple[str, Any]]

_ENTRY: Schema = {1: ("key", TEXT), 2: ("value", BYTES)}
_TENSOR: Schema = {
    1: ("dims", [INT]), 2: ("data_type", INT), 3: ("segment", NO), 4: ("float_data", [FLOAT]),
    5: ("int32_data", [INT]), 6: ("string_data", NO), 7: ("int64_data", [INT]), 8: ("name", TEXT),
    9: ("raw_data", BYTES), 10: ("double_data", [DOUBLE]), 11: ("uint64_data", [INT]), 12: ("doc_string", BYTES),
    13: ("external_data", NO), 14: ("data_location", INT), 16: ("metadata_props", [_ENTRY]),
}  # fmt: skip
_DIMENSION: Schema = {1: ("dim_value", INT), 2: ("dim_param", TEXT), 3: ("denotation", TEXT)}
_SHAPE: Schema = {1: ("dim", [_DIMENSION])}
_TENSOR_TYPE: Schema = {1: ("elem_type", INT), 2: ("shape", _SHAPE)}
_TYPE: Schema = {
    1: ("tensor_type", _TENSOR_TYPE), 4: ("sequence_type", NO), 5: ("map_type", NO), 6: ("denotation", TEXT),
    7: ("opaque_type", NO), 8: ("sparse_tensor_type", NO), 9: ("optional_type", NO),
}  # fmt: skip
_VALUE: Schema = {
    1: ("name", TEXT), 2: ("type", _TYPE), 3: ("doc_string", BYTES), 4: ("metadata_props", [_ENTRY]),
}  # fmt: skip
_ATTRIBUTE: Schema = {
    1: ("name", TEXT), 2: ("f", FLOAT), 3: ("i", INT), 4: ("s", BYTES), 5: ("t", _TENSOR), 6: ("subgraph", NO),
    7: ("floats", [FLOAT]), 8: ("ints", [INT]), 9: ("strings", [BYTES]), 10: ("tensors", NO), 11: ("subgraphs", NO),
    13: ("doc_string", BYTES), 14: ("type_proto", NO), 15: ("type_protos", NO), 20: ("type", INT),
    21: ("reference to a function", NO), 22: ("sparse_tensor", NO), 23: ("sparse_tensors", NO),
}  # fmt: skip
_NODE: Schema = {
    1: ("input", [TEXT]), 2: ("output", [TEXT]), 3: ("name", TEXT), 4: ("op_type", TEXT),
    5: ("attribute", [_ATTRIBUTE]), 6: ("doc_string", BYTES), 7: ("domain", TEXT), 8: ("overload", NO),
    9: ("metadata_props", [_ENTRY]), 10: ("device_configurations", NO),
}  # fmt: skip
_GRAPH: Schema = {
    1: ("node", [_NODE]), 2: ("name", TEXT), 5: ("initializer", [_TENSOR]), 10: ("doc_string", BYTES),
    11: ("input", [_VALUE]), 12: ("output", [_VALUE]), 13: ("value_info", [_VALUE]),
    14: ("quantization_annotation", NO), 15: ("sparse_initializer", NO), 16: ("metadata_props", [_ENTRY]),
}  # fmt: skip
_OPSET: Schema = {1: ("domain", TEXT), 2: ("version", INT)}
_MODEL: Schema = {
    1: ("ir_version", INT), 2: ("producer_name", TEXT), 3: ("producer_version", TEXT), 4: ("domain", TEXT),
    5: ("model_version", INT), 6: ("doc_string", BYTES), 7: ("graph", _GRAPH), 8: ("opset_import", [_OPSET]),
    14: ("metadata_props", [_ENTRY]), 20: ("training_info", NO), 25: ("function", NO), 26: ("configuration", NO),
}  # fmt: skip

# Bytes of one number of each data type of ONNX that a pack may use.
_SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}

_NUMBER_BY_NUMBER = """
Abs Acos Acosh Add And Asin Asinh Atan Atanh Cast CastLike Ceil Celu Clip Cos Cosh Div Elu Equal Erf Exp Floor Gelu
Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod
Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh
ThresholdedRelu Where Xor"""
_LAYERS = """
AveragePool BatchNormalization Conv ConvTranspose Einsum GRU Gemm GlobalAveragePool GlobalMaxPool GridSample
GroupNormalization InstanceNormalization LRN LSTM LayerNormalization LogSoftmax LpNormalization LpPool MatMul MaxPool
MeanVarianceNormalization RMSNormalization RNN Softmax"""
_OVER_AN_AXIS = """
ArgMax ArgMin CumSum Hardmax ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare TopK"""
_MOVING_ABOUT = """
Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather GatherElements GatherND OneHot Pad Range
Reshape Resize ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze"""
OPERATORS = frozenset(f"{_NUMBER_BY_NUMBER} {_LAYERS} {_OVER_AN_AXIS} {_MOVING_ABOUT}".split())
# Which inputs of an operator decide how large its outputs are, from the first to the one before the last. Operators
# whose output's size depends on what is in it (NonZero, Compress, Unique) are not in the list above.
_DECIDING = {
    "ConstantOfShape": (0, 1), "Expand": (1, 2), "OneHot": (1, 2), "Pad": (1, 4), "Range": (0, 3), "Reshape": (1, 2),
    "Resize": (1, 4), "Slice": (1, 5), "Split": (1, 2), "Squeeze": (1, 2), "Tile": (1, 2), "TopK": (1, 2),
    "Unsqueeze": (1, 2),
    **{f"Reduce{kind}": (1, 2) for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum",
                                            "SumSquare")},
}  # fmt: skip
# Their outputs tell of sizes alone, whatever their inputs hold.
_OF_SIZES = ("EyeLike", "Shape", "Size")
# Which input of an operator is a place in another, where one that is not there is an error.
_LOOKING_UP = {"CumSum": 1, "Gather": 1, "GatherElements": 1, "GatherND": 1, "ScatterElements": 1, "ScatterND": 1,
               "GRU": 4, "LSTM": 4, "RNN": 4}  # fmt: skip
# Inputs that have few values, all of which the sandbox tries.
TRIED_INPUTS = ("letter", "next_letter", "place")
# Data types of ONNX. A whole number divided by 0, or the smallest one by -1, ends the process: no error comes of it.
_FLOAT, _INT64, _BOOL = 1, 7, 9
_WHOLE = (2, 3, 4, 5, 6, _INT64, 12, 13)
_MAKE_INT64 = ("ArgMax", "ArgMin", "Shape", "Size")
_MAKE_BOOL = ("And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor")
# Of which input the output has the data type, where that is not the first.
_TYPED_AS = {"CastLike": 1, "OneHot": 2, "Where": 1}


class _Refused(Exception):
    """Why a network is not taken: a few words of our own."""


class _Meter:
    """Counts what is read of one file."""

    def __init__(self) -> None:
        self._fields, self._text = MOST_FIELDS, MOST_TEXT

    def read_fields(self, count: int = 1) -> None:
        self._fields -= count
        if self._fields < 0:
            raise _Refused(f"it has more than {MOST_FIELDS} fields and numbers")

    def read_text(self, size: int) -> None:
        self._text -= size
        if self._text < 0:
            raise _Refused(f"its names have more than {MOST_TEXT} bytes")


@dataclass(frozen=True)
class Summary:
    """What a network is made of."""

    nodes: int
    weights: int  # numbers
    operators: frozenset[str]
    looks_up: bool  # something by letter or place


# --- reading the wire format -----------------------------------------------------------------------------------------


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A variable-length integer of 64 bits, signed, and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise _Refused("it ends in the middle")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift >= 70:
            raise _Refused("a number has no end")
    if value >= 1 << 64:
        raise _Refused("a number is too large")
    return (value - (1 << 64) if value >= 1 << 63 else value), at


def _numbers(data: memoryview, kind: str, meter: _Meter) -> list[int] | int:
    """Packed numbers: the whole ones themselves, of the others how many there are."""
    if kind != INT:
        size = 4 if kind == FLOAT else 8
        if len(data) % size:
            raise _Refused("numbers are cut off")
        return len(data) // size
    found: list[int] = []
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
        meter.read_fields()
        if len(found) > LONGEST_LIST:
            raise _Refused("a list of numbers is too long")
    return found


def _read(data: memoryview, schema: Schema, what: str, meter: _Meter) -> dict[str, Any]:
    """One message as a dictionary: what is absent is absent; of lists of floats, how many there are."""
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        meter.read_fields()
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number not in schema:
            raise _Refused(f"{what} has a field of number {number}, which no network here has")
        name, kind = schema[number]
        if kind == NO:
            raise _Refused(f"{what} has a {name}")
        many = isinstance(kind, list)
        inner = kind[0] if many else kind
        value: Any
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise _Refused("it ends in the middle")
        elif wire == 2:
            length, at = _varint(data, at)
            if length < 0 or at + length > len(data):
                raise _Refused("it ends in the middle")
            value, at = data[at : at + length], at + length
        else:
            raise _Refused(f"{what} is not in the format")
        packed = many and inner in (INT, FLOAT, DOUBLE) and wire == 2
        expected = {INT: 0, FLOAT: 5, DOUBLE: 1}.get(inner, 2) if isinstance(inner, str) else 2
        if not packed and wire != expected:
            raise _Refused(f"{name} of {what} is not what it should be")
        if inner == TEXT:
            meter.read_text(len(value))
            _text(value)
        elif isinstance(inner, dict):
            value = _read(value, inner, f"{name} of {what}"[:80], meter)
        if not many:
            if name in found:
                raise _Refused(f"{what} has two of {name}")
            found[name] = value
        elif inner in (FLOAT, DOUBLE):
            found[name] = found.get(name, 0) + (_numbers(value, inner, meter) if packed else 1)
        else:
            found.setdefault(name, []).extend(_numbers(value, INT, meter) if packed else [value])  # type: ignore[arg-type]
            if len(found[name]) > max(LONGEST_LIST, LARGEST_GRAPH):
                raise _Refused(f"{what} has too many of {name}")
    return found


def _text(value: memoryview | None) -> str:
    """A name as text. Names need not be pretty, but short and of UTF-8."""
    raw = bytes(value or b"")
    if len(raw) > LONGEST_TEXT:
        raise _Refused("a name is too long")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _Refused("a name is no text") from None


# --- judging ---------------------------------------------------------------------------------------------------------


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:40])


def _check_tensor(tensor: dict[str, Any], name: str) -> int:
    """How many numbers a tensor holds. It must hold as many as it says."""
    if tensor.get("data_location", 0) != 0:
        raise _Refused(f"weight {_shown(name)} lies in another file")
    kind, dims = tensor.get("data_type", 0), tensor.get("dims", [])
    if kind not in _SIZES:
        raise _Refused(f"weight {_shown(name)} is of a kind that no dancer needs ({kind})")
    if len(dims) > HIGHEST_RANK or any(n < 0 for n in dims):
        raise _Refused(f"weight {_shown(name)} has an impossible shape")
    count = math.prod(dims)
    lists = {k: tensor[k] for k in ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
             if k in tensor}  # fmt: skip
    if "raw_data" in tensor:
        held, wanted = len(tensor["raw_data"]), count * _SIZES[kind]
        if lists:
            raise _Refused(f"weight {_shown(name)} is given twice")
    else:
        held, wanted = sum(n if isinstance(n, int) else len(n) for n in lists.values()), count
    if held != wanted:
        raise _Refused(f"weight {_shown(name)} is not as large as it says")
    return count


def _check_attribute(attribute: dict[str, Any], operator: str) -> int:
    """Weights that an attribute holds."""
    _text(attribute.get("name"))
    texts = [attribute["s"]] if "s" in attribute else []
    for text in [*texts, *attribute.get("strings", [])]:
        if len(text) > LONGEST_TEXT:
            raise _Refused(f"a text of {_shown(operator)} is too long")
    return _check_tensor(attribute["t"], f"of {operator}") if "t" in attribute else 0


def _type_of(operator: str, attributes: list[dict[str, Any]], inputs: list[str], types: dict[str, int]) -> int:
    """Data type of what an operator makes, of its first output; 0 where that cannot be said."""
    if operator in _MAKE_INT64:
        return _INT64
    if operator in _MAKE_BOOL:
        return _BOOL
    named = {_text(attribute.get("name")): attribute for attribute in attributes}
    if operator in ("Cast", "EyeLike") and (to := named.get("to") or named.get("dtype")) is not None:
        return to.get("i", 0)
    if operator in ("Constant", "ConstantOfShape"):
        for attribute in attributes:
            if "t" in attribute:
                return attribute["t"].get("data_type", 0)
            if "i" in attribute or "ints" in attribute:
                return _INT64
        return _FLOAT
    which = _TYPED_AS.get(operator, 0)
    return types.get(inputs[which], 0) if which < len(inputs) else 0


@dataclass
class _Known:
    """What is known of the tensors of a graph, by name, while its operations are looked at in order."""

    types: dict[str, int]  # data types of ONNX; 0: unknown
    origins: dict[str, int]  # of which inputs it depends, a bit for each; 0: on the number of dancers alone
    tried: int  # bits of the inputs that the sandbox tries
    looks_up: bool = False

    def check(self, operator: str, inputs: list[str]) -> None:
        """_Refused where an operation might fail, or take more, only because of what is danced."""
        first, last = _DECIDING.get(operator, (0, 0))
        if any(self.origins.get(name, 0) for name in inputs[first:last]):
            raise _Refused(f"how much {operator} makes depends on what is danced")
        index = _LOOKING_UP.get(operator, len(inputs))
        if index < len(inputs) and (origin := self.origins.get(inputs[index], 0)):
            if origin & ~self.tried:
                raise _Refused(f"where {operator} looks depends on more than letters and the place within one")
            self.looks_up = True
        if operator in ("Div", "Mod") and any(self.origins.get(name, 0) for name in inputs):
            kind = self.types.get(inputs[0], 0)
            if kind == 0 or kind in _WHOLE:
                raise _Refused(f"{operator} of whole numbers depends on what is danced")


def _check_graph(graph: dict[str, Any]) -> Summary:
    nodes = graph.get("node", [])
    if not nodes or len(nodes) > LARGEST_GRAPH:
        raise _Refused(f"it has {len(nodes)} operations; from 1 to {LARGEST_GRAPH} are taken")
    taken, weights, known = _check_given(graph)
    used = set()
    for node in nodes:
        operator, domain = _text(node.get("op_type")), _text(node.get("domain"))
        if domain not in ("", "ai.onnx"):
            raise _Refused(f"operator {_shown(operator)} is of the foreign domain {_shown(domain)}")
        if operator not in OPERATORS:
            raise _Refused(f"operator {_shown(operator)} is not one that a dancer needs")
        used.add(operator)
        attributes = node.get("attribute", [])
        for attribute in attributes:
            weights += _check_attribute(attribute, operator)
        inputs = [_text(name) for name in node.get("input", [])]
        for name in inputs:
            if name and name not in taken:
                raise _Refused(f"{_shown(name)} is used before it is made")
        known.check(operator, inputs)
        origin = 0
        if operator not in _OF_SIZES:
            for name in inputs:
                origin |= known.origins.get(name, 0)
        kind = _type_of(operator, attributes, inputs, known.types)
        for number, name in enumerate(map(_text, node.get("output", []))):
            if not name:
                continue  # an output that is not wanted
            if name in taken:
                raise _Refused(f"{_shown(name)} is made twice")
            taken.add(name)
            known.origins[name] = origin
            known.types[name] = _INT64 if number and operator in ("MaxPool", "TopK") else kind
    for value in [*graph.get("output", []), *graph.get("value_info", [])]:
        _text(value.get("name"))
    return Summary(len(nodes), weights, frozenset(used), known.looks_up)


def _check_given(graph: dict[str, Any]) -> tuple[set[str], int, _Known]:
    """What there is before the first operation: names, how many weights, and what is known of each."""
    tensors = graph.get("initializer", [])
    if len(tensors) > MOST_WEIGHTS:
        raise _Refused(f"it has {len(tensors)} weights; up to {MOST_WEIGHTS} are taken")
    known = _Known({}, {}, 0)
    values = graph.get("input", [])
    if len(values) > MOST_INPUTS:
        raise _Refused(f"it has {len(values)} inputs; up to {MOST_INPUTS} are taken")
    for bit, value in enumerate(values):
        name = _text(value.get("name"))
        known.types[name] = value.get("type", {}).get("tensor_type", {}).get("elem_type", 0)
        known.origins[name] = 1 << bit
        if name in TRIED_INPUTS:
            known.tried |= 1 << bit
    taken = set(known.types)
    weights = 0
    for tensor in tensors:
        name = _text(tensor.get("name"))
        weights += _check_tensor(tensor, name)
        if not name or name in taken:
            raise _Refused(f"weight {_shown(name)} has the name of something else")
        taken.add(name)
        known.types[name] = tensor.get("data_type", 0)
    return taken, weights, known


def check_network(data: bytes, where: object) -> Summary:
    """What the network in `data` is made of. UserError, which names `where`, if it holds anything it should not."""
    try:
        model = _read(memoryview(data), _MODEL, "the file", _Meter())
        if "graph" not in model:
            raise _Refused("there is none in the file")
        opsets = model.get("opset_import", [])
        domains = [_text(opset.get("domain")) for opset in opsets]
        if len(opsets) != 1 or domains[0] not in ("", "ai.onnx"):
            raise _Refused(
                f"it wants operators of {_shown(', '.join(d or 'ai.onnx' for d in domains) or 'no version')}"
            )
        if opsets[0].get("version", 0) not in OPSETS:
            raise _Refused(f"it wants operator set {opsets[0].get('version', 0)}, from {OPSETS[0]} on are taken")
        return _check_graph(model["graph"])
    except _Refused as reason:
        raise UserError(f"{where}: not a usable network ({reason})") from None


# --- taking apart ----------------------------------------------------------------------------------------------------


def part_for(data: bytes, output: str) -> bytes:
    """The same network with one output alone, and of its operations and weights only those which that one needs.

    `data` must have passed `check_network`, and its operations come after what they need, as the format wants it.
    """
    meter = _Meter()
    kept: list[memoryview] = []
    graph: list[memoryview] = []
    for number, whole, inside in _fields(memoryview(data)):
        if number == 7:
            graph = _needed_for(inside, output, meter)
        else:
            kept.append(whole)
    size = sum(map(len, graph))
    head = [7 << 3 | 2]  # the graph, and how many bytes it has
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return b"".join([*kept, bytes([*head, size]), *graph])


def _needed_for(graph: memoryview, output: str, meter: _Meter) -> list[memoryview]:
    """The fields of a graph that this output cannot do without."""
    needed, fields = {output}, list(_fields(graph))
    nodes, others = [], []
    for number, whole, inside in reversed(fields):
        if number == 1:
            node = _read(inside, _NODE, "node", meter)
            if not needed.isdisjoint(map(_text, node.get("output", []))):
                needed.update(map(_text, node.get("input", [])))
                nodes.append(whole)
    # Weights, inputs and outputs have names; 13 are shapes of what is in between, a help that is not needed.
    wanted = {5: (_TENSOR, needed), 11: (_VALUE, needed), 12: (_VALUE, {output})}
    for number, whole, inside in fields:
        if number in wanted:
            schema, names = wanted[number]
            if _text(_read(inside, schema, "graph", meter).get("name")) not in names:
                continue
        if number not in (1, 13):
            others.append(whole)
    return nodes[::-1] + others


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Of a message that has been read before: number of each field, the field, and its inside if it has a length."""
    at = 0
    while at < len(data):
        begun = at
        tag, at = _varint(data, at)
        start = at
        match tag & 7:
            case 0:
                _, at = _varint(data, at)
            case 2:
                length, start = _varint(data, at)
                at = start + length
            case wire:
                at += 8 if wire == 1 else 4
        yield tag >> 3, data[begun:at], data[start:at]
