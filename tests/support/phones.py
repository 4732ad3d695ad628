"""The page for phones with the show that it is for in a test's hands, and phones that are programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.live_fakes import make_live
from visualizer.remote.controls import REMOTE_COMMANDS
from visualizer.remote.phone import describe, server
from visualizer.remote.phone.requests import Pages
from visualizer.remote.phone.server import PhoneServer, open_server
from visualizer.remote.state import State, describe_state

HOST_TOKEN, GUEST_TOKEN = "h" * 16, "g" * 16
PATIENCE = 30.0  # seconds


def make_state(beat: float = 10.0, **commands: str) -> State:
    """The state of a show of stand-ins after `commands`, underscores in their names for blanks."""
    live = make_live()
    for name, argument in commands.items():
        live.run_command(name.replace("_", " "), 0.0, argument)
    moment = live.show.step(beat, live.source.hearing(beat / 2))
    return describe_state(live.show, moment, seen=beat / 2, source="a test", recording=False)


def lists_of(state: State) -> dict[str, Any]:
    return json.loads(json.dumps(describe.describe_lists(state, {})))


def state_of(state: State, at: float = 0.0) -> dict[str, Any]:
    return {"t": "state", **describe.describe_show(state), **describe.describe_music(state, state.time), "at": at}


class Served:
    """A server that listens, what it has told the show, and its phones."""

    def __init__(self, phones: PhoneServer, port: int, told: list[dict[str, Any]]) -> None:
        self.phones, self.port, self.told = phones, port, told

    def url(self, token: str = HOST_TOKEN, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{token}/{'ws' if scheme == 'ws' else ''}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """What the show was asked for."""
        return [(message["c"], message["a"]) for message in self.told if "c" in message]


class Phone:
    """One phone; what it hears is kept until it is asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = json.loads(await self.socket.recv())
                if message["t"] == kind:
                    return message

    async def find_end(self) -> int:
        """The code with which the server closes, once it does."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def open_phone(url: str) -> AsyncIterator[Phone]:
    async with connect(url, compression=None, max_queue=None) as socket:  # what is not asked for is in no one's way
        yield Phone(socket)


@asynccontextmanager
async def serve_phones(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The server in this process; what it tells the show is kept."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(server, "tell_show", told.append)
    pages = Pages(HOST_TOKEN, GUEST_TOKEN)
    phones = PhoneServer({"commands": list(REMOTE_COMMANDS)}, pages)
    listening, port = await open_server(phones, pages, "127.0.0.1", 0)
    async with listening:
        yield Served(phones, port, told)
