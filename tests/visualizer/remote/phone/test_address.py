"""Where the page is found, and the words in its address."""

from __future__ import annotations

import ipaddress
import os
import stat
from pathlib import Path

import pytest

from visualizer.remote.phone.address import find_address, load_tokens, make_tokens


def test_the_address_is_one_of_this_computer() -> None:
    assert ipaddress.IPv4Address(find_address())


def test_tokens_are_long_and_differ() -> None:
    tokens = [token for _ in range(50) for token in make_tokens()]
    assert len(set(tokens)) == 100
    assert {len(token) for token in tokens} == {16}


def test_tokens_are_kept_where_no_one_else_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "phone.json"
    before = os.umask(0)
    try:
        tokens = load_tokens(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name == "nt"
    assert load_tokens(path) == tokens


@pytest.mark.parametrize("kept", [
    "", "[]", "{}", '{"host": 1, "guest": 2}', "x" * 5000, "[" * 4000,
    '{"host": "", "guest": ""}', '{"host": "../../etc/passwd", "guest": "x"}',
    '{"host": "aaaaaaaaaaaaaaaa", "guest": "aaaaaaaaaaaaaaaa"}',
])  # fmt: skip
def test_what_is_no_token_is_replaced(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "phone.json"
    path.write_text(kept)
    host, guest = load_tokens(path)
    assert len(host) == len(guest) == 16
    assert load_tokens(path) == (host, guest)
