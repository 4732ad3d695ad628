"""Reads arrays of numbers from a pickle without calling anything that the pickle names.

A pickle is a program that can make Python's unpickler call anything. Here the names in a pickle are looked up in a list
of five (`find_class`), each of which stands for code of ours that builds an array from its bytes. Instructions that a
dictionary of arrays does not need are refused before any is carried out: a list of a thousand lists, a memo of
gigabytes or a tuple nested in itself forty times would only keep the machine busy.
"""

from __future__ import annotations

import io
import math
import pickle
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

_PLAIN = {
    "PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "INT",
    "LONG", "BINFLOAT", "FLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BINSTRING", "SHORT_BINSTRING", "STRING", "BYTEARRAY8", "EMPTY_DICT",
    "EMPTY_TUPLE", "DICT", "SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
}  # fmt: skip
# What pickle, pickletools and int() of texts of digits say of broken bytes; UnicodeError is a ValueError.
BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError,
)  # fmt: skip
_TUPLE = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_PUT = {"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}

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
    """What stands for a function that a pickle names: it makes what that would have made, of ours."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *given: Any) -> Any:
        if self.name == "array":
            return _Array()
        if self.name == "dtype" and given:
            return _Kind(given[0])
        if (
            self.name == "encode"
            and len(given) == 2
            and isinstance(given[0], str)
            and given[1] in ("latin1", "latin-1")
        ):
            return given[0].encode("latin-1")
        if self.name == "frombuffer" and len(given) == 4:
            array = _Array()
            array.fill(given[2], given[1], given[0], given[3] == "F")
            return array
        raise _Refused(f"a call of {self.name}")

    def __setstate__(self, state: Any) -> None:
        raise _Refused("a state of something")


class _Kind:
    """A data type on its way."""

    def __init__(self, code: Any) -> None:
        if not isinstance(code, str) or code.lstrip("<=|") not in KINDS:
            raise _Refused(f"arrays of {str(code)[:20]!r}")
        self.code, self.order = code.lstrip("<=|"), "<"

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "=", "|"):
            raise _Refused("a state of something")
        self.order = ">" if state[1] == ">" else "<"


class _Array:
    """An array on its way: its numbers come with the next instruction."""

    def __init__(self) -> None:
        self.array: NDArray | None = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("a state of something")
        self.fill(state[1], state[2], state[4], bool(state[3]))

    def fill(self, shape: Any, kind: Any, data: Any, fortran: bool) -> None:
        if not isinstance(kind, _Kind) or not isinstance(data, bytes | bytearray | str):
            raise _Refused("an array that is not of numbers")
        if isinstance(data, str):  # as Python 2 wrote bytes
            data = data.encode("latin-1", "strict")
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 4:
            raise _Refused("an array of no shape")
        dtype = np.dtype(kind.order + kind.code)
        if math.prod(shape) * dtype.itemsize != len(data):
            raise _Refused("an array that is not as large as it says")
        self.array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module} {name}" not in _WORDS:
            raise _Refused(f"the word {f'{module} {name}'[:60]!r}")
        return _Word(_WORDS[f"{module} {name}"])


def _check_instructions(data: bytes) -> None:
    """Refuse what a few arrays have no need of, before anything is carried out."""
    tuples: set[int] = set()  # numbers in the memo under which tuples are kept
    kept, last = 0, ""
    for step, (op, argument, _) in enumerate(pickletools.genops(data)):
        if step > MOST_STEPS:
            raise _Refused("more instructions than a few arrays need")
        if op.name in _PUT:
            number = kept if op.name == "MEMOIZE" else int(argument)  # type: ignore[arg-type]
            kept += 1
            if number > MOST_STEPS:
                raise _Refused("a memo larger than a few arrays need")
            if last in _TUPLE:
                tuples.add(number)
        elif op.name in _GET:
            if int(argument) in tuples:  # type: ignore[arg-type]
                raise _Refused("a tuple that comes twice")  # in itself, forty times over, it takes for ever to hash
        elif op.name not in _PLAIN and op.name not in _TUPLE:
            raise _Refused(f"the instruction {op.name}")
        last = op.name if op.name not in _PUT else last


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
            _check_instructions(data)
            found = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        if not isinstance(found, dict):
            raise _Refused("no dictionary")
        if not all(isinstance(key, str) for key in found):
            raise _Refused("a key that is no text")
    except _Refused as reason:
        raise UserError(f"{path}: not a plain pickle of arrays: it holds {reason}") from None
    # pickletools and int() of texts of digits; UnicodeError is a ValueError
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        AttributeError,
    ) as error:
        raise UserError(f"{path}: broken pickle ({' '.join(str(error).split())[:100]})") from error
    return {k: v.array for k, v in found.items() if isinstance(v, _Array) and v.array is not None}
