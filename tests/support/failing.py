"""Networks of the stand-in pack that fail: in each way that a network of a stranger can, from a given call on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support import standins
from visualizer.dancer.pack import Pack

MAKES = {"choreographer": standins.write, "dancer": standins.step, "decoder": standins.decode}
OUTPUTS = {
    "choreographer": ("letter_out", "state_out"),
    "dancer": ("latent_out", "state_out", "travel"),
    "decoder": ("frame", "joints"),
}
Made = dict[str, Any]


class Unheard(Exception):
    """An exception of a class of which the program knows nothing."""


def _raise(error: Exception) -> Callable[[Made], Made]:
    def fail(made: Made) -> Made:
        raise error

    return fail


def _onnx(name: str) -> Exception:
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

    return getattr(state, name)("Non-zero status code returned\nwhile running Gather node")


def _floats(change: Callable[[np.ndarray], Any]) -> Callable[[Made], Made]:
    return lambda made: {name: change(a) if a.dtype.kind == "f" else a for name, a in made.items()}


def _all(change: Callable[[np.ndarray], Any]) -> Callable[[Made], Made]:
    return lambda made: {name: change(a) for name, a in made.items()}


class RawNetwork(standins.Network):
    """Gives what `make` makes as it is: the stand-in makes arrays of all."""

    def run(self, names: list[str] | None, given: standins.Inputs) -> list[Any]:
        self.given.append({name: np.array(array) for name, array in given.items()})
        made = self.make(self.given[-1])
        return [made[name] for name in names or self.outputs]


# What becomes of the outputs. What does not fit a network's outputs, such as joints of a choreographer, is not asked.
KINDS: dict[str, Callable[[Made], Made]] = {
    "a RuntimeException": _raise(_onnx("RuntimeException")),
    "a Fail": _raise(_onnx("Fail")),
    "an InvalidArgument": _raise(_onnx("InvalidArgument")),
    "no memory": _raise(MemoryError()),
    "an exception of an unknown kind": _raise(Unheard("\x1b[31mred\x1b[0m")),
    "not a number": _floats(lambda a: a * np.nan),
    "infinite": _floats(lambda a: a + np.inf),
    "huge": _floats(lambda a: a * 0 + 1e30),
    "hugely negative": _floats(lambda a: a * 0 - 1e30),
    "too few dancers": _all(lambda a: a[:-1]),
    "too many dancers": _all(lambda a: np.concatenate([a, a])),
    "an axis too many": _all(lambda a: a[None]),
    "text": _all(lambda a: a.astype(str)),
    "whole numbers for floats": _floats(lambda a: np.nan_to_num(a).astype(np.int32)),
    "no arrays": _all(lambda a: None),
}


def fail_from(network: str, kind: str, first: int, last: float = np.inf, least: int = 1) -> Pack:
    """The stand-in pack; a network fails from call number `first` to `last`, for `least` dancers or more."""

    def make(given: standins.Inputs) -> Made:
        made = MAKES[network](given)
        fails = first <= len(session.given) <= last and len(next(iter(given.values()))) >= least
        return KINDS[kind](made) if fails else made

    session = RawNetwork(make, OUTPUTS[network])
    return standins.pack(**{network: session})
