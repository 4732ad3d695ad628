"""Songs are heard before they are needed, in another process, and what is not needed any more is not heard."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_songs import make_analysis
from tests.support.made_sound import beat_track, write_song
from visualizer.errors import UserError
from visualizer.music.analysis import analysis_cache, song
from visualizer.music.analysis.song import SongAnalysis
from visualizer.music.sources import ahead
from visualizer.music.sources.ahead import Hearer


def test_songs_are_heard_once_and_in_turn(tmp_path: Path) -> None:
    heard: list[str] = []
    gate, begun = threading.Event(), threading.Event()

    def hear(path: Path, bpm: float) -> SongAnalysis:
        heard.append(path.stem)
        begun.set()
        assert gate.wait(30)
        return make_analysis(path.stem, 10, bpm)

    paths = [write_song(tmp_path / f"{name}.flac", beat_track(120, 0.5)[0]) for name in "abc"]
    hearer = Hearer(111.0, hear)
    first, dropped, last = [hearer.ask(path) for path in paths]
    assert begun.wait(30)
    hearer.keep_only({paths[0], paths[2]})
    gate.set()
    assert last.result(30).title == "c"
    assert first.result(30).analysis.bpm == 111
    assert dropped.cancelled()
    assert hearer.ask(paths[0]) is first
    assert heard == ["a", "c"]
    hearer.close()


def test_what_is_no_song_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"nothing")
    hearer = Hearer(120.0)
    with pytest.raises(UserError, match=r"a\.flac"):
        hearer.ask(tmp_path / "a.flac").result(60)
    with pytest.raises(UserError, match=r"none\.flac"):
        hearer.ask(tmp_path / "none.flac").result(60)
    hearer.close()


def test_the_process_is_killed_with_the_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    begun = threading.Event()
    real = subprocess.Popen

    def start(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        assert command[1:3] == ["-m", "visualizer.music.sources.ahead"]
        started.append(real([command[0], "-c", "input()"], stdin=subprocess.PIPE))
        begun.set()
        return started[0]

    monkeypatch.setattr(ahead.subprocess, "Popen", start)
    path = write_song(tmp_path / "a.flac", beat_track(120, 0.5)[0])
    hearer = Hearer(120.0)
    asked = hearer.ask(path)
    assert begun.wait(30)
    hearer.close()
    with pytest.raises(UserError, match="not needed"):
        asked.result(30)
    assert started[0].returncode not in (None, 0)


@pytest.mark.slow
def test_another_process_hears_the_song(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write_song(tmp_path / "a.flac", beat_track(100, 8)[0])

    def fail(*_: object) -> Any:
        raise AssertionError("it was not in the cache")

    hearer = Hearer(120.0)
    monkeypatch.setattr(song, "_listen", fail)
    song._hear.cache_clear()
    assert hearer.ask(path).result(120).analysis.bpm == pytest.approx(100, abs=1)
    assert list(analysis_cache.folder().glob("*.heard"))
    hearer.close()
