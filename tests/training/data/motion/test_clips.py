"""Reading clips: whole ones come back as they were written, broken ones are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.made_clips import LICENCE, write_clips
from training.data.motion import clips
from training.data.motion.clips import read_clip, read_clips
from visualizer.errors import UserError

MOTION = np.random.default_rng(0).normal(size=(30, 21, 3)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_clips(tmp_path / "clips", [("one", "house", MOTION), ("two", "hiphop", 2 * MOTION)])


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_clip(path, "house", LICENCE)
    said = str(caught.value)
    assert path.name in said
    assert len(said.splitlines()) == 1
    return said


def test_clips_come_back_in_the_order_of_the_index(folder: Path) -> None:
    one, two = read_clips(folder)
    assert (one.name, one.style, one.fps, one.licence) == ("one", "house", 60.0, LICENCE)
    assert one.seconds == pytest.approx(0.5)
    np.testing.assert_array_equal(one.positions, MOTION)
    np.testing.assert_array_equal(two.positions, 2 * MOTION)


def test_a_truncated_file(folder: Path) -> None:
    path = folder / "one.npz"
    path.write_bytes(path.read_bytes()[:-200])
    refused(path)
    path.write_bytes(b"")
    refused(path)


def test_a_damaged_file(folder: Path) -> None:
    path = folder / "one.npz"
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(bytes(data))
    refused(path)


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"positions": MOTION[:, :20], "fps": 60.0}, "positions must be"),
        ({"positions": MOTION[0], "fps": 60.0}, "positions must be"),
        ({"positions": np.where(np.arange(3) == 1, np.nan, MOTION), "fps": 60.0}, "finite"),
        ({"positions": MOTION, "fps": np.inf}, "finite"),
        ({"positions": MOTION, "fps": 0.0}, "range"),
        ({"positions": MOTION, "fps": [60.0, 60.0]}, "not a motion clip"),
        ({"positions": MOTION}, "fps"),
        ({"fps": 60.0}, "positions"),
        ({"positions": np.full((2, 21, 3), "x"), "fps": 60.0}, "not a motion clip"),
    ],
)
def test_wrong_contents(tmp_path: Path, arrays: dict, word: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    assert word in refused(tmp_path / "bad.npz")


class _Planted:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (open, (self.path, "w"))


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    np.savez(tmp_path / "bad.npz", positions=np.array([_Planted(str(trace))], dtype=object), fps=60.0)
    assert "not a motion clip" in refused(tmp_path / "bad.npz")
    assert not trace.exists()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 1900), junk=st.binary(min_size=1, max_size=40))
def test_any_damage_is_a_user_error_or_none(tmp_path: Path, at: int, junk: bytes) -> None:
    path = tmp_path / "fuzz.npz"
    np.savez_compressed(path, positions=MOTION[:6], fps=np.float32(60))
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at : at + len(junk)] = junk
    path.write_bytes(bytes(data))
    said = ""
    try:
        assert np.isfinite(read_clip(path, "house", LICENCE).positions).all()
    except UserError as error:
        said = str(error)
    assert said == "" or ("fuzz.npz" in said and len(said.splitlines()) == 1)


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no index\.json"):
        read_clips(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"clips": 3}', '{"clips": [{"name": "one"}]}', '{"other": []}', "\xff"])
def test_a_broken_index(folder: Path, text: str) -> None:
    (folder / "index.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"index\.json"):
        read_clips(folder)


def test_an_index_that_names_an_absent_clip(folder: Path) -> None:
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    index["clips"][1]["name"] = "absent"
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(UserError, match=r"absent\.npz"):
        read_clips(folder)


def test_a_clip_that_would_grow_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "LARGEST_CLIP", 100_000)
    for frames, save in ((10_000, np.savez_compressed), (10_000, np.savez)):
        save(tmp_path / "bomb.npz", positions=np.zeros((frames, 21, 3), np.float32), fps=30.0)
        with pytest.raises(UserError, match=r"bomb\.npz: not a motion clip .*more bytes than are taken"):
            read_clip(tmp_path / "bomb.npz", "house", "mine")


def test_many_clips_that_are_too_much_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = [{"name": f"c{n}", "style": "house", "source_and_licence": "mine"} for n in range(5)]
    (tmp_path / "index.json").write_text(json.dumps({"clips": index}))
    for entry in index:
        np.savez_compressed(tmp_path / f"{entry['name']}.npz", positions=np.zeros((100, 21, 3), np.float32), fps=30.0)
    assert len(read_clips(tmp_path)) == 5
    monkeypatch.setattr(clips, "LARGEST_FOLDER", 3 * 100 * 21 * 3 * 4)
    with pytest.raises(UserError, match="together"):
        read_clips(tmp_path)
