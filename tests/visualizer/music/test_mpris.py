"""What another program plays: asked on a bus of our own, of players that a test plays."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bench.waiting import wait_for
from tests.support.live_fakes import make_live
from tests.support.needs import needs, needs_program
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.launch import following_players
from visualizer.music import mpris
from visualizer.music.mpris import LONGEST, NowPlaying, describe_song
from visualizer.options import Settings

PATIENCE = 30.0


def properties(title: Any, artist: Any = None, status: Any = "Playing") -> dict[str, Any]:
    return {"PlaybackStatus": SimpleNamespace(value=status),
            "Metadata": SimpleNamespace(value={"xesam:title": SimpleNamespace(value=title),
                                               "xesam:artist": SimpleNamespace(value=artist)})}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [(properties("Song", ["Ann", "Ben"]), "Ann, Ben – Song"), (properties("Song"), "Song"),
     (properties("Song", "Ann"), "Ann – Song"), (properties("Song", ["Ann"], "Paused"), ""), ({}, ""),
     (properties("", ["Ann"]), ""), (properties(3, 4), ""), (properties("Song", [7, None]), "Song"),
     ({"PlaybackStatus": "Playing", "Metadata": 5}, ""), (properties("a\n\x1b[31mb\u202e"), None),
     (properties("x" * 9999, ["y" * 9999] * 99), None)],
)  # fmt: skip
def test_a_song_is_described_whatever_a_player_says(given: dict[str, Any], said: str | None) -> None:
    found = describe_song(given)
    assert found == said or said is None
    assert found.isprintable()
    assert len(found) <= 2 * LONGEST + 3


@contextmanager
def play_as(address: str, name: str, given: dict[str, Any]) -> Iterator[None]:
    """A player of that name on the bus."""
    from dbus_fast import Variant
    from dbus_fast.aio import MessageBus
    from dbus_fast.constants import PropertyAccess
    from dbus_fast.service import ServiceInterface, dbus_property

    class Player(ServiceInterface):
        @dbus_property(access=PropertyAccess.READ)
        def PlaybackStatus(self) -> "s":  # type: ignore[name-defined]  # noqa: F821, UP037
            return given["status"]

        @dbus_property(access=PropertyAccess.READ)
        def Metadata(self) -> "a{sv}":  # type: ignore[name-defined]  # noqa: F722
            return {"xesam:title": Variant("s", given["title"]), "xesam:artist": Variant("as", ["Ann"])}

    loop, ready, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        bus = await MessageBus(bus_address=address).connect()
        bus.export(mpris.PATH, Player(mpris.PLAYER))
        await bus.request_name(mpris.PREFIX + name)
        ready.set()
        await ended.wait()
        bus.disconnect()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


@pytest.fixture
def address() -> Iterator[str]:
    needs(importlib.util.find_spec("dbus_fast"), "the extra 'nowplaying'")
    needs_program("dbus-daemon")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    yield daemon.stdout.readline().strip()
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


def test_the_player_that_plays_is_followed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpris, "LOOK_SECONDS", 0.02)
    one, other = {"status": "Playing", "title": "One"}, {"status": "Paused", "title": "Other"}
    said = Said()
    playing = NowPlaying(said, address)
    with play_as(address, "one", one), play_as(address, "another", other):
        wait_for(lambda: playing.playing == "Ann – One")
        other["status"] = "Playing"
        one["title"] = "Two"
        wait_for(lambda: playing.playing == "Ann – Two")  # it stays with its player
        one["status"] = "Stopped"
        wait_for(lambda: playing.playing == "Ann – Other")
    wait_for(lambda: playing.playing == "")
    assert said == []
    playing.close()


def test_without_a_bus_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    needs(importlib.util.find_spec("dbus_fast"), "the extra 'nowplaying'")
    monkeypatch.setattr(mpris, "RETRY_SECONDS", 0.01)
    said = Said()
    playing = NowPlaying(said, "unix:path=/nowhere/bus")
    wait_for(lambda: said)
    time.sleep(0.05)
    playing.close()
    assert len(said) == 1
    assert said[0].startswith("no song of another program: ")


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    monkeypatch.setitem(sys.modules, "dbus_fast.aio", None)
    with pytest.raises(UserError, match=r"dancing-screen\[nowplaying\]"):
        NowPlaying(Said())
    live = make_live()
    with following_players(Settings(now_playing=True, audio="mic"), live):
        assert "nowplaying" in live.toasts.show(0.0)[0]
        assert live.now_playing is None


class FakePlayers:
    playing, closed = "Ann – One", False

    def __init__(self, notify: object) -> None: ...

    def close(self) -> None:
        FakePlayers.closed = True


def test_it_is_asked_only_where_we_play_nothing_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpris, "NowPlaying", FakePlayers)
    monkeypatch.setattr(sys, "platform", "linux")
    for asked in ({}, {"now_playing": True, "audio": "song.mp3"}, {"now_playing": True, "playlist": "music"}):
        live = make_live()
        with following_players(Settings(**asked), live):
            assert live.now_playing is None
    live = make_live()
    with following_players(Settings(now_playing=True), live):
        live.draw_frame(100.0)
        assert live.show.titles.song == "Ann – One"
    assert FakePlayers.closed
