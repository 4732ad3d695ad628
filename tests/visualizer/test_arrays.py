"""Arrays from strangers: what is plain is read as numpy reads it, what lies or grows is refused."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.arrays import read_arrays

MOST = 4_000_000
PLAIN: dict[str, Any] = {
    "positions": np.ones((2, 3, 2), np.float32), "fps": np.array(29.97), "words": np.array(["a", "bc"]),
    "turned": np.asfortranarray(np.eye(3)), "none": np.zeros((0, 4)), "halves": np.ones(5, np.float16),
}  # fmt: skip


def packed(save: Callable[..., None] = np.savez, **arrays: Any) -> bytes:
    data = io.BytesIO()
    save(data, **arrays)
    return data.getvalue()


def with_member(header: str, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    """An `.npz` with one array that says `header` of itself."""
    text = header.encode().ljust(117) + b"\n"
    whole = b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("positions.npy", whole)
    return file.getvalue()


def says(shape: str, dtype: str = "'<f4'") -> str:
    return f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", ["file", "bytes"])
def test_what_numpy_wrote_is_read(tmp_path: Path, save: Callable[..., None], kind: str) -> None:
    data = packed(save, **PLAIN)
    (tmp_path / "x.npz").write_bytes(data)
    found = read_arrays(tmp_path / "x.npz" if kind == "file" else data, MOST)
    assert list(found) == list(PLAIN)
    for name, array in PLAIN.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert list(read_arrays(data, MOST, ("fps",))) == ["fps"]
    with pytest.raises(KeyError):
        read_arrays(data, MOST, ("absent",))


BAD: list[tuple[str, bytes, str]] = [
    ("a bomb", packed(np.savez_compressed, positions=np.zeros(20_000_000, np.uint8)), "more bytes than are taken"),
    ("many that are too much together", packed(np.savez_compressed, **{f"x{n}": np.zeros(300_000) for n in range(9)}),
     "more bytes than are taken"),
    ("a huge shape", with_member(says("(1000000000000,)"), bytes(40)), "as large as it says"),
    ("a shape beyond counting", with_member(says("(9999999999, 9999999999, 9999999999)"), bytes(40)), "as large as"),
    ("less than it holds", with_member(says("(3,)"), bytes(40)), "as large as it says"),
    ("a negative shape", with_member(says("(-2, -5)"), bytes(40)), "as large as it says"),
    ("objects", packed(positions=np.array([{"a": 1}], dtype=object)), "objects"),
    ("nested objects", with_member(says("(1,)", "[('a', 'O')]"), bytes(8)), "objects"),
    ("a header that is a program", with_member("__import__('os').system('touch /tmp/owned')"), ""),
    ("deep brackets", with_member("(" * 110), ""),
    ("another version", with_member(says("(0,)"), b"", b"\7\0"), ""),
    ("no zip", b"\x93NUMPY" + bytes(200), "not a zip file"),
    ("something before", b"#!" + packed(positions=np.zeros(3)), "before or between"),
    ("something after", packed(positions=np.zeros(3)) + b"x", "after its end"),
    ("nothing", b"", "not a zip file"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_lies_or_grows_is_refused_before_it_is_unpacked(data: bytes, words: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words or None):
            read_arrays(data, MOST)
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST
    finally:
        tracemalloc.stop()


def test_a_table_of_contents_of_millions_is_not_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for n in range(10_001):
            bundle.writestr(f"{n}.npy", b"")
    with pytest.raises(ValueError, match="10001 files"):
        read_arrays(file.getvalue(), MOST)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "absent"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.npz"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises((ValueError, OSError)):
        read_arrays(path, MOST)


WHOLE = packed(np.savez_compressed, **PLAIN)


@settings(max_examples=300, deadline=None)
@given(at=st.floats(0, 1), junk=st.binary(min_size=1, max_size=8), cut=st.booleans())
def test_any_bytes_are_read_or_refused(at: float, junk: bytes, cut: bool) -> None:
    here = int(at * len(WHOLE))
    data = WHOLE[:here] + junk + (b"" if cut else WHOLE[here + len(junk) :])
    try:
        found = read_arrays(data, MOST)
    except (ValueError, KeyError):
        return
    assert all(isinstance(array, np.ndarray) and not array.dtype.hasobject for array in found.values())
