"""The one exception for input that a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """A song, pack, style, display or path that cannot be used.

    The message is one line that says what is wrong and where; the command line prints it and exits with 2.
    """
