"""The QR codes of the phone page: which of them is on the screen, and one for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from visualizer.moment import Code

if TYPE_CHECKING:
    from rich.text import Text

HOST_SECONDS = 30.0  # that the code of the host is shown: whoever sees it may run the show
GUESTS_SECONDS = 600.0


def make_code(url: str, *caption: str) -> Code:
    """The QR code of a URL, as large as it need be to survive a smudge."""
    import segno

    return Code(tuple(bytes(row) for row in segno.make(url, error="m", micro=False).matrix), caption)


def draw_for_terminal(code: Code) -> Text:
    """The code in half blocks, black on white whatever the terminal's colours are."""
    from rich.text import Text

    size = len(code.rows) + 8
    blank = bytes(size)
    rows = [blank] * 4 + [bytes(4) + row + bytes(4) for row in code.rows] + [blank] * 4
    rows += [blank] * (len(rows) % 2)
    lines = (
        "".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return Text("\n".join(lines), style="#000000 on #ffffff", no_wrap=True)


class Codes:
    """What the thread that draws asks for the code to show. `hosts` says how many phones of the host are there."""

    def __init__(self, hosts: Callable[[], int] = lambda: 0) -> None:
        self._hosts = hosts
        self._codes: tuple[Code, Code] | None = None  # of the host and of guests
        self._is_new = False
        self._shown: int | None = None  # which of them
        self._until = 0.0
        self._hosts_before = 0

    def found(self, host: Code, guests: Code) -> None:
        """The page is there, from any thread: the host's code is shown until a phone has come."""
        self._codes = host, guests
        self._is_new = True

    def toggle(self, guests: bool, now: float) -> str:
        """Show a code at `now`, seconds, or hide it if it is shown; what to say of that."""
        if self._codes is None:
            return "the phone page is not there yet"
        if self._shown == int(guests) and now < self._until:
            self._shown = None
            return "the code is hidden"
        self._show(guests, now)
        return "scan to vote for the next dance and look" if guests else "scan to run the show from a phone"

    def _show(self, guests: bool, now: float) -> None:
        self._shown, self._hosts_before = int(guests), self._hosts()
        self._until = now + (GUESTS_SECONDS if guests else HOST_SECONDS)

    def find_shown(self, now: float) -> Code | None:
        """The code to show at `now`, seconds; that of the host only until it has been used."""
        if self._is_new:
            self._is_new = False
            self._show(False, now)
        if self._shown is None or self._codes is None:
            return None
        used = self._shown == 0 and self._hosts() > self._hosts_before
        if used or now >= self._until:
            self._shown = None
            return None
        return self._codes[self._shown]
