"""The playlist of a show: what is asked for, where it goes on, and what keys do to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.live_fakes import make_live
from tests.support.said import Said
from visualizer import resume, songs
from visualizer.commands import run_command
from visualizer.errors import UserError
from visualizer.launch import playing_songs
from visualizer.music.sources import playlist_player
from visualizer.options import Settings
from visualizer.songs import SongSet, load_songs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three songs, and a place of their own for what is kept."""
    monkeypatch.setattr(songs, "resume_file", lambda name: tmp_path / "state" / name)
    music = tmp_path / "music"
    music.mkdir()
    for name in "abc":
        (music / f"{name}.mp3").write_bytes(b"x")
    return music


class FakeSource:
    """What is asked of a `PlaylistSource`."""

    def __init__(self, plan: playlist_player.PlaylistPlan, clock: Any, notify: Any) -> None:
        self.plan, self.stepped, self.playing = plan, 0, "Somebody – Something"

    def step(self, songs: int) -> str:
        self.stepped += songs
        return "the next song"


def load(path: Path, **more: Any) -> SongSet:
    found = load_songs(Settings(playlist=str(path), **more))
    assert found is not None
    return found


def test_no_playlist_is_no_songs() -> None:
    assert load_songs(Settings()) is None


def test_a_playlist_and_a_song_are_too_much(folder: Path) -> None:
    with pytest.raises(UserError, match="one of them"):
        load(folder, audio="mic", from_cli=frozenset({"playlist", "audio"}))
    assert load(folder, audio="mic", from_file=frozenset({"audio"}))  # what the file says of sound is not meant


def test_a_set_goes_on_where_it_ended_badly(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(playlist_player, "PlaylistSource", FakeSource)

    def begin(path: Path) -> tuple[SongSet, Any]:
        found = load(path, crossfade=2.5)
        return found, found.open(lambda: 0.0, Said())

    first, source = begin(folder)
    assert (source.plan.start, source.plan.crossfade, first.notes) == (0, 2.5, [])
    live = make_live()

    def crash() -> None:
        with playing_songs(first, live):
            source.plan.begun(1)
            source.plan.begun(2)
            raise RuntimeError("a crash")

    with pytest.raises(RuntimeError):
        crash()
    kept = tmp_path / "state" / "playlist.json"
    assert json.loads(kept.read_text())["song"] == 2
    again, source = begin(folder)
    assert source.plan.start == 2
    assert again.notes == ["going on where the last show ended, with song 3; Shift+J goes back"]
    with playing_songs(again, live):
        source.plan.begun(0)
    assert not kept.exists()  # it ended well


def test_keys_step_through_the_songs_and_the_title_is_theirs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist_player, "PlaylistSource", FakeSource)
    live = make_live()
    answers: list[str] = []
    run_command(live.show, "next song", 0.0, "", answers.append)
    assert answers == ["there is no playlist: start with --playlist FOLDER"]
    found = load(folder)
    source: Any = found.open(lambda: 0.0, Said())
    with playing_songs(found, live):
        for name in ("next song", "next song", "previous song"):
            run_command(live.show, name, 0.0)
        assert source.stepped == 1
        live.show.titles.shows_song = True
        live.draw_frame(100.0)
        live.draw_frame(101.0)
        assert live.show.titles.at(102.0).small == "Somebody – Something"
        source.playing = "Another"
        for k in range(5):
            live.draw_frame(103.0 + k)
        assert live.show.titles.at(109.0).small == "Another"


def test_songs_that_are_missing_are_said_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist_player, "PlaylistSource", FakeSource)
    (folder / "set.m3u").write_text("a.mp3\nnone.mp3\n../elsewhere.mp3\n")
    found, live = load(folder / "set.m3u"), make_live()
    found.open(lambda: 0.0, Said())
    with playing_songs(found, live):
        assert live.toasts.show(0.0) == ("playlist: none.mp3: is not there and 1 more; left out",)


def test_what_is_kept_has_a_file_of_its_own() -> None:
    place: Callable[..., Path] = resume.resume_file
    assert place("playlist.json").parent == place().parent
    assert place("playlist.json") != place()
