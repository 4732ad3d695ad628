"""Arrays of numbers out of a pickle, without unpickling it.

A pickle is a program for a small machine, and Python's machine can be told to call anything. This one cannot: it knows
the few instructions that a dictionary of numpy arrays needs, calls nothing, and builds arrays from their bytes itself.
What a pickle names as a function is looked up in a list of five words; any other instruction or word is refused.
"""

from __future__ import annotations

import math
import pickletools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

LARGEST_FILE = 256 * 1024 * 1024  # bytes; a dance of AIST++ has 0.6 MB
MOST_STEPS = 100_000  # instructions; arrays are one each
KINDS = ("f4", "f8", "f2", "i2", "i4", "i8", "u1", "u2", "u4", "i1")

_WORDS = {
    **{f"numpy.{core}.multiarray _reconstruct": "array" for core in ("core", "_core")},
    **{f"numpy.{core}.numeric _frombuffer": "frombuffer" for core in ("core", "_core")},
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
}


class _Refused(Exception):
    pass


class _Word:
    """What stands for a function, and is none."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Kind:
    """A data type on its way."""

    def __init__(self, code: Any) -> None:
        if not isinstance(code, str) or code.lstrip("<=|") not in KINDS:
            raise _Refused(f"arrays of {str(code)[:20]!r}")
        self.code, self.order = code.lstrip("<=|"), "<"


class _Array:
    """An array on its way: its numbers come with the next instruction."""

    def __init__(self) -> None:
        self.array: NDArray | None = None

    def fill(self, shape: Any, kind: Any, data: Any, fortran: bool) -> None:
        if not isinstance(kind, _Kind) or not isinstance(data, bytes | str):
            raise _Refused("an array that is not of numbers")
        if isinstance(data, str):  # as Python 2 wrote bytes
            data = data.encode("latin-1", "strict")
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 4:
            raise _Refused("an array of no shape")
        dtype = np.dtype(kind.order + kind.code)
        if math.prod(shape) * dtype.itemsize != len(data):
            raise _Refused("an array that is not as large as it says")
        self.array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


_MARK = object()


def _reduce(word: Any, given: Any) -> Any:
    """What an instruction to call something is taken to mean."""
    if not isinstance(word, _Word) or not isinstance(given, tuple):
        raise _Refused("a call of something")
    if word.name == "array":
        return _Array()
    if word.name == "dtype" and given:
        return _Kind(given[0])
    if word.name == "encode" and len(given) == 2 and isinstance(given[0], str) and given[1] in ("latin1", "latin-1"):
        return given[0].encode("latin-1")
    if word.name == "frombuffer" and len(given) == 4:
        array = _Array()
        array.fill(given[2], given[1], given[0], given[3] == "F")
        return array
    raise _Refused(f"a call of {word.name}")


def _build(thing: Any, state: Any) -> None:
    """What an instruction to set a state is taken to mean."""
    if isinstance(thing, _Array) and isinstance(state, tuple) and len(state) == 5:
        thing.fill(state[1], state[2], state[4], bool(state[3]))
    elif isinstance(thing, _Kind) and isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "=", "|"):
        thing.order = ">" if state[1] == ">" else "<"
    else:
        raise _Refused("a state of something")


def _run(data: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def pop() -> Any:
        if not stack:
            raise _Refused("nothing where something should be")
        return stack.pop()

    def to_mark() -> list[Any]:
        taken = []
        while (thing := pop()) is not _MARK:
            taken.append(thing)
        return taken[::-1]

    def put(number: int) -> None:
        memo[number] = stack[-1] if stack else None

    def set_items(pairs: list[Any]) -> None:
        if not stack or not isinstance(stack[-1], dict) or len(pairs) % 2:
            raise _Refused("items of no dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, str):
                raise _Refused("a key that is no text")
            stack[-1][key] = value

    for step, (op, argument, _) in enumerate(pickletools.genops(data)):
        if step > MOST_STEPS:
            raise _Refused("more instructions than a few arrays need")
        name = op.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return pop()
        if name == "MARK":
            stack.append(_MARK)
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in ("BININT", "BININT1", "BININT2", "LONG1", "INT", "LONG", "BINFLOAT", "FLOAT",
                      "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES",
                      "BINBYTES8", "BINSTRING", "SHORT_BINSTRING", "STRING"):  # fmt: skip
            stack.append(argument)
        elif name == "BYTEARRAY8":
            stack.append(bytes(argument or b""))
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name == "DICT":
            pairs = to_mark()
            stack.append({})
            set_items(pairs)
        elif name == "TUPLE":
            stack.append(tuple(to_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack.append(tuple([pop() for _ in range(int(name[-1]))][::-1]))
        elif name == "SETITEM":
            value, key = pop(), pop()
            set_items([key, value])
        elif name == "SETITEMS":
            set_items(to_mark())
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                last, first = pop(), pop()
                argument = f"{first} {last}"
            if argument not in _WORDS:
                raise _Refused(f"the word {str(argument)[:60]!r}")
            stack.append(_Word(_WORDS[argument]))
        elif name == "REDUCE":
            given, word = pop(), pop()
            stack.append(_reduce(word, given))
        elif name == "BUILD":
            state = pop()
            _build(stack[-1] if stack else None, state)
        elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            put(len(memo) if name == "MEMOIZE" else int(argument))  # type: ignore[arg-type]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            if int(argument) not in memo:  # type: ignore[arg-type]
                raise _Refused("something that was not kept")
            stack.append(memo[int(argument)])  # type: ignore[arg-type]
        else:
            raise _Refused(f"the instruction {name}")
    raise _Refused("no end")


def read_arrays(path: Path) -> dict[str, NDArray]:
    """The arrays of numbers of a pickled dictionary; what else is plain in it is left out. UserError if it holds
    anything that is neither."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path}: {path.stat().st_size >> 20} MB is too large for a dance")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of odd escapes in texts: they are only looked at
            found = _run(data)
        if not isinstance(found, dict):
            raise _Refused("no dictionary")
    except _Refused as reason:
        raise UserError(f"{path}: not a plain pickle of arrays: it holds {reason}") from None
    # pickletools and int() of texts of digits; UnicodeError is a ValueError
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError) as error:
        raise UserError(f"{path}: broken pickle ({' '.join(str(error).split())[:100]})") from error
    return {k: v.array for k, v in found.items() if isinstance(v, _Array) and v.array is not None}
