"""The one exception for input that a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """A song, pack, style, display or path that cannot be used.

    The message is one line that says what is wrong and where; the command line prints it and exits with 2.
    """


def clean(text: str, longest: int = 60) -> str:
    """A stranger's words, fit to be shown: one line, nothing that moves the cursor or hides, not too long."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"
