"""The looks there are: those that came with the program, and for a live show a store in which they can be replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache

from visualizer.errors import UserError
from visualizer.names import bare
from visualizer.stage.looks.look import Look
from visualizer.stage.looks.read import load_looks


@cache
def shipped_looks() -> tuple[Look, ...]:
    """The looks that came with the program, `paper` first; read once."""
    return tuple(load_looks())


def find_look(name: str) -> Look:
    """The shipped look of that name or title; UserError names those there are."""
    return _find(name, shipped_looks())


def _find(name: str, looks: Iterable[Look]) -> Look:
    there = {each.name: each for each in looks}
    if name in there:
        return there[name]
    for each in there.values():
        if bare(name) in (bare(each.name), bare(each.title)):
            return each
    raise UserError(f"no look is called '{name}'; there are: {', '.join(there)}")


class LookStore:
    """The looks of one show, by name and in order. A look that is edited meanwhile is replaced in here."""

    def __init__(self, looks: Iterable[Look] | None = None) -> None:
        """`looks` None: the shipped ones."""
        self._looks = {each.name: each for each in (shipped_looks() if looks is None else looks)}

    def __iter__(self) -> Iterator[Look]:
        return iter(self._looks.values())

    @property
    def names(self) -> tuple[str, ...]:
        """In their order."""
        return tuple(self._looks)

    @property
    def titles(self) -> tuple[tuple[str, str], ...]:
        """Name and title of each, in their order."""
        return tuple((each.name, each.title) for each in self._looks.values())

    def find(self, name: str) -> Look:
        """The look of that name or title as it is now; UserError names those there are."""
        return self._looks[name] if name in self._looks else _find(name, self)

    def find_suited(self, figures: Collection[str], never: Collection[str]) -> tuple[str, ...]:
        """Names of the looks that suit dancers who can be these figures: of flat ones, who can be none, those that were
        not made for figures, as long as any of them may come."""
        flat = tuple(each.name for each in self if not each.for_figures and each.name not in never)
        return self.names if figures or not flat else flat

    def put(self, look: Look) -> bool:
        """Replace the look of the same name, or add it; whether it is new."""
        is_new = look.name not in self._looks
        self._looks[look.name] = look
        return is_new
