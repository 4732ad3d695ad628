"""Foreign text made fit to be shown: names of files, devices, settings and packs, and what libraries say of them.

Whatever reaches a terminal, a log or the screen passes through `make_printable`. Lines go to a terminal by `say`,
tables and bars by the console of `support/console.py`.
"""

from __future__ import annotations

import os
import re
import sys

LONGEST_NAME = 200  # characters; a file's name has up to 255 bytes
LONGEST_LINE = 8000  # characters: a few paths as long as a path may be
STEM_MARK = "…"  # stands for the middle of what is too long


def make_printable(text: object, longest: int = LONGEST_NAME) -> str:
    """One line of `text` that only shows itself: at most `longest` characters, its middle left out where it has more.

    Line breaks and other blanks become spaces. All that moves the cursor, changes the terminal, turns the direction of
    writing or cannot be seen becomes "?": control characters (C0 and C1), format characters, halves of characters out
    of names that are not UTF-8, and what Unicode has not assigned. Markup stays as it is, to be printed as text.
    """
    line = text if isinstance(text, str) else os.fsdecode(text) if isinstance(text, bytes) else str(text)
    line = shorten(re.sub(r"[^\S ]+", " ", shorten(line, 4 * longest)), longest)
    return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)


def shorten(text: str, longest: int) -> str:
    """`text`, or its beginning and its end, where the suffix of a file stands."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}{STEM_MARK}{text[len(text) - tail :]}"


def say(text: object, to_stderr: bool = False) -> None:
    """Print one line on stdout or stderr, whatever is in it; nothing without a terminal or file to print to.

    What the stream's encoding lacks becomes "?". OSError where it cannot be written.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is None:  # a program without a console on Windows
        return
    line, encoding = make_printable(text, LONGEST_LINE), getattr(stream, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
