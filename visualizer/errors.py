"""The exception for input that a person can put right."""

from __future__ import annotations

from visualizer.support.printable import make_printable


class UserError(Exception):
    """A song, pack, style, display or path that cannot be used.

    The message is one line that says what is wrong and where; the command line prints it and exits with 2.
    """


class ExtraMissing(UserError):
    """A part of the program that was not installed with it. `remedy` is the command that does."""

    def __init__(self, what: str, extra: str) -> None:
        """`what` needs the extra: "output ndi needs", "lights need"."""
        self.remedy = f"pip install 'dancing-screen[{extra}]'"
        super().__init__(f"{what} the extra: {self.remedy}")


def clean(text: str, longest: int = 60) -> str:
    """A stranger's words in a message: as any foreign text, and short."""
    return make_printable(text, longest)
