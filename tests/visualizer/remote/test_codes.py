"""QR codes: what they say, in the terminal too, and when they are on the screen."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.moment import Code
from visualizer.remote.codes import HOST_SECONDS, Codes, draw_for_terminal, make_code

URL = "http://192.168.178.21:8642/abcdefghijklmnop/"


def read_code(modules: np.ndarray) -> str:
    """What a reader of codes makes of (N, N) modules, 1 dark."""
    cv2 = pytest.importorskip("cv2", reason="skipped: opencv missing")
    picture = np.kron(np.where(np.pad(modules, 4), 0, 255), np.ones((8, 8))).astype(np.uint8)
    return cv2.QRCodeDetector().detectAndDecode(picture)[0]


def test_a_code_says_its_url() -> None:
    code = make_code(URL, "run the show")
    assert code.caption == ("run the show",)
    assert read_code(np.array([list(row) for row in code.rows])) == URL


def test_the_terminal_shows_the_same_code() -> None:
    code = make_code(URL)
    lines = draw_for_terminal(code).plain.splitlines()
    assert len({len(line) for line in lines}) == 1
    halves = [[("▀" if half == 0 else "▄", "█") for half in (0, 1)] for _ in lines]
    modules = np.array([[char in halves[y][half] for char in line] for y, line in enumerate(lines) for half in (0, 1)])
    size = len(code.rows)
    assert (modules[4 : 4 + size, 4 : 4 + size] == np.array([list(row) for row in code.rows], bool)).all()
    assert modules.sum() == sum(sum(row) for row in code.rows)  # and nothing about it


HOST, GUESTS = Code((b"\1",), ("host",)), Code((b"\0",), ("guests",))


def test_the_hosts_code_is_shown_until_a_phone_has_come() -> None:
    phones = [0]
    codes = Codes(lambda: phones[0])
    assert codes.find_shown(0.0) is None
    assert "not there" in codes.toggle(False, 0.0)
    codes.found(HOST, GUESTS)
    assert codes.find_shown(1.0) is HOST
    assert codes.find_shown(2.0) is HOST
    phones[0] = 1
    assert codes.find_shown(3.0) is None
    assert "run the show" in codes.toggle(False, 4.0)  # for another phone
    assert codes.find_shown(5.0) is HOST
    phones[0] = 2
    assert codes.find_shown(6.0) is None


def test_the_hosts_code_goes_by_itself() -> None:
    codes = Codes()
    codes.found(HOST, GUESTS)
    assert codes.find_shown(0.0) is HOST
    assert codes.find_shown(HOST_SECONDS - 0.1) is HOST
    assert codes.find_shown(HOST_SECONDS) is None


def test_the_guests_code_stays_until_it_is_hidden() -> None:
    codes = Codes(lambda: 3)
    codes.found(HOST, GUESTS)
    codes.find_shown(0.0)
    assert "vote" in codes.toggle(True, 0.0)
    assert codes.find_shown(100.0) is GUESTS
    assert codes.toggle(True, 101.0) == "the code is hidden"
    assert codes.find_shown(101.0) is None
