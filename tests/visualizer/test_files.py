"""Files that are written whole, or not at all, and never where somebody has laid a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.files import read_at_most, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    for text in ("first", "second"):
        with write_whole(path) as part:
            part.write_text(text)
            assert part.suffix == ".txt"  # some who write ask a name for the kind of file
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert names(tmp_path) == ["x.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_what_is_left_half_way_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "x.txt").write_text("old")

    def stop(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(error), write_whole(tmp_path / "x.txt") as part:
        stop(part)
    assert names(tmp_path) == ["x.txt"]
    assert (tmp_path / "x.txt").read_text() == "old"


def test_a_link_gives_way_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("mine")
    (tmp_path / "x.txt").symlink_to(tmp_path / "diary")
    with write_whole(tmp_path / "x.txt") as part:
        part.write_text("new")
    assert (tmp_path / "diary").read_text() == "mine"
    assert not (tmp_path / "x.txt").is_symlink()


def test_two_at_once_do_not_share_a_part(tmp_path: Path) -> None:
    with write_whole(tmp_path / "x") as one, write_whole(tmp_path / "x") as other:
        assert one != other
        one.write_text("1")
        other.write_text("2")
    assert (tmp_path / "x").read_text() == "1"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_it_is_as_the_user_has_it(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with write_whole(tmp_path / "new"):
            pass
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o640)
        with write_whole(tmp_path / "old"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640


def test_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_at_most(tmp_path / "x", 5) == b"12345"
    with pytest.raises(UserError, match="too large"):
        read_at_most(tmp_path / "x", 4)
    (tmp_path / "endless").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    for name in ("endless", "pipe"):
        with pytest.raises(UserError, match="not a file"):
            read_at_most(tmp_path / name, 4)
    with pytest.raises(OSError, match="absent"):
        read_at_most(tmp_path / "absent", 4)
