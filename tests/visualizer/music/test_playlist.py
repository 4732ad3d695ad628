"""Lists of songs: folders in the order of people, and M3U files that name nothing outside of their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from visualizer.errors import UserError
from visualizer.music.playlist import LARGEST_FILE, load_playlist


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def names_in(folder: Path, songs: tuple[Path, ...]) -> list[str]:
    return [song.resolve().relative_to(folder.resolve()).as_posix() for song in songs]


def test_a_folder_is_played_in_the_order_of_people(tmp_path: Path) -> None:
    touch(
        tmp_path, "10 end.mp3", "2 middle.FLAC", "1 begin.ogg", "cover.png", ".hidden.mp3", "set/b.opus", "set/.x/a.mp3"
    )
    playlist = load_playlist(tmp_path)
    assert names_in(tmp_path, playlist.songs) == ["1 begin.ogg", "2 middle.FLAC", "10 end.mp3", "set/b.opus"]
    assert playlist.left_out == ""


def test_a_list_is_played_in_its_own_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp3", "a.mp3", "sub/ä.mp3")
    path = tmp_path / "party.m3u8"
    path.write_text("\ufeff#EXTM3U\n#EXTINF:1,x\nb.mp3\n\nsub/ä.mp3\r\na.mp3\nsub\\ä.mp3\nb.mp3\n", encoding="utf-8")
    playlist = load_playlist(path)
    assert names_in(tmp_path, playlist.songs) == ["b.mp3", "sub/ä.mp3", "a.mp3", "sub/ä.mp3", "b.mp3"]
    path.with_suffix(".m3u").write_bytes("sub/ä.mp3\nb.mp3\nnone.mp3".encode("latin-1"))
    playlist = load_playlist(path.with_suffix(".m3u"))
    assert names_in(tmp_path, playlist.songs) == ["sub/ä.mp3", "b.mp3"]
    assert playlist.left_out == "playlist: none.mp3: is not there; left out"


@pytest.mark.parametrize(
    "line",
    ["../secret.mp3", "/etc/hostname", "sub/../../secret.mp3", "link.mp3", "folder/secret.mp3", "C:\\secret.mp3",
     "http://example.org/a.mp3", "file:///etc/hostname", "FILE:secret.mp3", "..\\secret.mp3", "\0", ".", "a" * 5000,
     "pipe.mp3"],
)  # fmt: skip
def test_a_hostile_list_reads_nothing_elsewhere(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "music"
    touch(tmp_path, "secret.mp3", "outside/secret.mp3", "music/good.mp3")
    (folder / "link.mp3").symlink_to(tmp_path / "secret.mp3")
    (folder / "folder").symlink_to(tmp_path / "outside")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.mp3")
    path = folder / "list.m3u"
    path.write_text(f"{line}\ngood.mp3\n{line}\n", encoding="utf-8")
    playlist = load_playlist(path)
    assert names_in(folder, playlist.songs) == ["good.mp3"]
    assert playlist.left_out.startswith("playlist: ")
    assert playlist.left_out.endswith("and 1 more; left out")
    assert "\n" not in playlist.left_out
    path.write_text(line, encoding="utf-8")
    with pytest.raises(UserError, match="no song in it"):
        load_playlist(path)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "song.mp3")
    for path, why in ((tmp_path / "none.m3u", "cannot be read"), (tmp_path / "song.mp3", "must be a folder"),
                      (tmp_path / "none", "must be a folder")):  # fmt: skip
        with pytest.raises(UserError, match=why):
            load_playlist(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no song in it"):
        load_playlist(tmp_path / "empty")
    (tmp_path / "big.m3u").write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(UserError, match="too large"):
        load_playlist(tmp_path / "big.m3u")


def test_another_list_has_another_mark(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3", "b.mp3")
    before = load_playlist(tmp_path).mark
    assert load_playlist(tmp_path).mark == before
    touch(tmp_path, "c.mp3")
    assert load_playlist(tmp_path).mark != before
