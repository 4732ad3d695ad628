"""What other programs play, by MPRIS: the way in which players of a Linux desktop say it to each other.

A thread of its own asks on the session's bus, by dbus-fast, which is an extra. Players are asked for nothing but what
they play.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from visualizer.errors import ExtraMissing
from visualizer.messages import Notify
from visualizer.support.printable import make_printable
from visualizer.support.privacy import hide

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

log = logging.getLogger("visualizer")

PREFIX, PATH = "org.mpris.MediaPlayer2.", "/org/mpris/MediaPlayer2"
PLAYER, PROPERTIES, BUS = "org.mpris.MediaPlayer2.Player", "org.freedesktop.DBus.Properties", "org.freedesktop.DBus"
LOOK_SECONDS = 2.0  # between two looks at the players
RETRY_SECONDS = 10.0  # between two looks for the bus
ANSWER_SECONDS = 1.0  # that a player has
MOST_PLAYERS = 16
LONGEST = 80  # characters of an artist or a title


class NowPlaying:
    """The song of the player that plays. UserError without the extra."""

    def __init__(self, notify: Notify, address: str | None = None) -> None:
        """`address`: of the bus, for tests; None: the session's own."""
        try:
            import dbus_fast.aio  # noqa: F401 - late, and asked for here so that it is said where it is missing
        except ImportError:
            raise ExtraMissing("the song of another program needs", "nowplaying") from None
        self.playing = ""  # artist and title; for any thread
        self._notify, self._address = notify, address
        self._player = ""  # that was chosen
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="now playing", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(ANSWER_SECONDS + 1)

    def _run(self) -> None:
        self._loop.run_until_complete(self._follow())
        self._loop.close()

    async def _follow(self) -> None:
        """Look at the players again and again; where the bus is gone, look for it."""
        from dbus_fast.aio import MessageBus

        told = False
        while not self._ended.is_set():
            bus: MessageBus | None = None
            try:
                bus = await MessageBus(bus_address=self._address).connect()
                while not self._ended.is_set() and bus.connected:
                    await self._look(bus)
                    await self._wait(LOOK_SECONDS)
            except Exception as error:  # noqa: BLE001 - of many kinds: no bus, no address, no permission
                if not told:
                    self._notify(f"no song of another program: {make_printable(str(error), LONGEST)}", "song")
                told = True
            if bus is not None:
                bus.disconnect()
            self.playing = ""
            await self._wait(RETRY_SECONDS)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return

    async def _look(self, bus: MessageBus) -> None:
        """Choose a player that plays, the same as before if it still does."""
        names = await _call(bus, BUS, "/org/freedesktop/DBus", BUS, "ListNames")
        players = sorted(name for name in names or () if isinstance(name, str) and name.startswith(PREFIX))
        players.sort(key=lambda name: name != self._player)
        for player in players[:MOST_PLAYERS]:
            found = await _call(bus, player, PATH, PROPERTIES, "GetAll", PLAYER)
            title = describe_song(found) if isinstance(found, dict) else ""
            if title:
                if title != self.playing:
                    hide(title)
                self._player, self.playing = player, title
                return
        self.playing = ""


async def _call(bus: MessageBus, name: str, path: str, interface: str, member: str, *words: str) -> Any:
    """The first thing that is answered; None for an error or no answer in time."""
    from dbus_fast import Message, MessageType

    asked = Message(
        destination=name, path=path, interface=interface, member=member, signature="s" * len(words), body=list(words)
    )
    try:
        reply = await asyncio.wait_for(bus.call(asked), ANSWER_SECONDS)
    except TimeoutError:
        return None
    if reply is None or reply.message_type is not MessageType.METHOD_RETURN or not reply.body:
        return None
    return reply.body[0]


def describe_song(properties: Mapping[str, Any]) -> str:
    """ "Artist – Title" out of a player's properties; "" where nothing plays, or it says nothing of it."""
    if _plain(properties.get("PlaybackStatus")) != "Playing":
        return ""
    metadata = _plain(properties.get("Metadata"))
    if not isinstance(metadata, dict):
        return ""
    title, artists = _plain(metadata.get("xesam:title")), _plain(metadata.get("xesam:artist"))
    artists = artists if isinstance(artists, list) else [artists]
    names = [make_printable(each, LONGEST).strip() for each in artists[:3] if isinstance(each, str)]
    said = make_printable(title, LONGEST).strip() if isinstance(title, str) else ""
    artist = make_printable(", ".join(filter(None, names)), LONGEST)
    return f"{artist} – {said}" if artist and said else said


def _plain(value: Any) -> Any:
    """What a variant holds."""
    return getattr(value, "value", value)
