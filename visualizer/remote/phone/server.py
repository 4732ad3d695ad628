"""The process that phones talk to: it serves the page, lets commands through, and hands states on.

Started by `link.py` with the plan as its first line on stdin. From then on every line on stdin is one JSON object for
the phones, and every line on stdout one for the show:

    in   {"t": "plan", …}             host, port, tokens, and the commands that may be sent
         {"t": "state", "at", …}      the show as it is; `at`: milliseconds that it is seen from now
         {"t": "lists", …}            what there is to choose from
         {"t": "bodies", "joints"}    (N, 42) whole numbers, thousandths of the frame
         {"t": "say", "to", "text"}   the answer to a command of that client
    out  {"ready": port}  {"failed": why}  {"broke": what}  {"watch": clients, "hosts": of them}
         {"c": command, "a": argument, "from": client, "age": milliseconds since it was meant}

It ends with its stdin, so it cannot outlive the show.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from visualizer.remote.phone.limits import Bucket, Buckets
from visualizer.remote.phone.requests import HOST, Pages
from visualizer.remote.phone.votes import Votes

MOST_CONNECTIONS = 200
MOST_OF_ONE_ADDRESS = 64
LONGEST_MESSAGE = 4096  # bytes; the longest that the page sends is a title
LONGEST_ARGUMENT = 1000  # characters, as of the inbox
BEHIND = 1 << 16  # bytes that wait for a client who is then taken for gone; it may come again
OPENING_SECONDS = 5.0  # for a request; a slower one is dropped
PING_SECONDS = 10.0
CLIENT_RATE, CLIENT_BURST = 15.0, 40.0  # messages a second of one client
COMMAND_RATE, COMMAND_BURST = 60.0, 90.0  # of all clients together
CONNECTION_RATE, CONNECTION_BURST = 30.0, 150.0  # of one address; a phone that loads the page makes six
ROUND_SECONDS = 0.1  # between two looks at whether a round of votes is over
TRIES = 10  # ports from the one that was asked for
OVER_LIMIT, WRONG = 1008, 1003  # close codes: against the rules; what cannot be read
PRIORITY = 5  # nicer than the show


@dataclass(eq=False)
class Client:
    """A page that is open on somebody's phone."""

    number: int
    socket: ServerConnection
    is_host: bool
    address: str
    bucket: Bucket


class Connection(ServerConnection):
    """A connection that is counted, and refused where there are too many."""

    door: Door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self.door.enter(self.address):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.door.leave(self.address)


@dataclass
class Door:
    """How many there are, of each address and of all."""

    inside: dict[str, int] = field(default_factory=dict)
    buckets: Buckets = field(default_factory=lambda: Buckets(CONNECTION_RATE, CONNECTION_BURST))

    def enter(self, address: str) -> bool:
        """Count one more; whether it may stay."""
        of_address = self.inside[address] = self.inside.get(address, 0) + 1
        room = of_address <= MOST_OF_ONE_ADDRESS and sum(self.inside.values()) <= MOST_CONNECTIONS
        return self.buckets.take(address, time.monotonic()) and room

    def leave(self, address: str) -> None:
        """One of them is gone."""
        self.inside[address] -= 1
        if not self.inside[address]:
            del self.inside[address]


class PhoneServer:
    """All clients, what they were shown last, and the votes of the guests."""

    def __init__(self, plan: dict[str, Any], pages: Pages) -> None:
        self._pages = pages
        self._commands = frozenset(plan["commands"])
        self._clients: set[Client] = set()
        self._numbers = itertools.count(1)
        self._all = Bucket(COMMAND_RATE, COMMAND_BURST, COMMAND_BURST, time.monotonic())
        self._votes = Votes(random.Random())
        self._state: dict[str, Any] = {}
        self._lists: dict[str, Any] = {}

    # --- from the show

    def hear_show(self, message: dict[str, Any]) -> None:
        """Pass on one message of the show."""
        kind = message.get("t")
        if kind == "state":
            message["at"] = now_ms() + message["at"]
            self._state = message
            self._send(message)
            self._offer()
        elif kind == "lists":
            self._lists = message
            self._send(message)
            self._offer()
        elif kind == "bodies":
            self._send(message, guests=False)
        elif kind == "say":
            self._send(message, only=message.get("to"))

    def _offer(self) -> None:
        """Let guests choose from what there is now."""
        if not self._state:  # what is on now is no choice
            return
        names = {"dance": self._lists.get("dances", ()), "look": [look[0] for look in self._lists.get("looks", ())]}
        for kind, there in names.items():
            if self._votes.offer(kind, there, self._state.get(kind)):
                self._tell_votes()

    def count_votes(self) -> None:
        """End a round of votes where its time has come, and ask the show for what won."""
        state = self._state
        if not state:
            return
        beat = state["beat"] + (now_ms() - state["at"]) / 60_000 * state["bpm"]
        before = self._votes.describe()
        won = self._votes.end_round(beat, {"dance": state.get("dance"), "look": state.get("look")})
        if before != self._votes.describe():
            self._tell_votes()
        if state.get("locked"):
            return
        for kind, name in won.items():
            tell_show({"c": kind, "a": name, "from": 0, "age": 0})
            self._send({"t": "won", "kind": kind, "name": name})

    def _tell_votes(self) -> None:
        self._send({"t": "votes", **self._votes.describe()})

    # --- from the phones

    async def attend(self, socket: ServerConnection) -> None:
        """All that passes with one client, from its handshake on."""
        assert isinstance(socket, Connection)
        is_host = self._pages.role_of(socket.request) == HOST
        bucket = Bucket(CLIENT_RATE, CLIENT_BURST, CLIENT_BURST, time.monotonic())
        client = Client(next(self._numbers), socket, is_host, socket.address, bucket)
        self._clients.add(client)
        self._count_clients()
        try:
            for message in ({"t": "hello", "host": is_host}, self._lists, self._state,
                            {"t": "votes", **self._votes.describe()}):  # fmt: skip
                if message:
                    await socket.send(dumps(message))
            async for text in socket:
                code = self._hear_client(client, text)
                if code:
                    await socket.close(code)
                    break
        except ConnectionClosed:
            pass
        finally:
            self._clients.discard(client)
            self._count_clients()

    def _hear_client(self, client: Client, text: str | bytes) -> int:
        """Act on one message; the code to close with if it is not one that the page sends, else 0."""
        if not client.bucket.take(time.monotonic()):
            return OVER_LIMIT
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return WRONG
        if not isinstance(message, dict):
            return WRONG
        if "ping" in message:
            ping = message["ping"]
            self._send({"t": "pong", "ping": ping if isinstance(ping, int | float) else 0, "now": now_ms()},
                       only=client.number)  # fmt: skip
            return 0
        if "vote" in message:
            if self._votes.vote(client.address, message["vote"], message.get("name")):
                self._tell_votes()
            return 0
        return self._pass_on(client, message) if client.is_host else OVER_LIMIT

    def _pass_on(self, client: Client, message: dict[str, Any]) -> int:
        """Hand a command to the show."""
        name, argument, meant = message.get("c"), message.get("a", ""), message.get("at")
        if not isinstance(name, str) or name not in self._commands:
            return OVER_LIMIT
        if not isinstance(argument, str) or len(argument) > LONGEST_ARGUMENT:
            return OVER_LIMIT
        if not self._all.take(time.monotonic()):
            self._send({"t": "say", "text": "too many at once: try again"}, only=client.number)
            return 0
        age = now_ms() - meant if isinstance(meant, int | float) and not isinstance(meant, bool) else 0.0
        tell_show({"c": name, "a": argument, "from": client.number, "age": min(max(age, 0.0), 1000.0)})
        return 0

    # --- to the phones

    def _count_clients(self) -> None:
        hosts = sum(client.is_host for client in self._clients)
        tell_show({"watch": len(self._clients), "hosts": hosts})
        self._send({"t": "here", "hosts": hosts, "guests": len(self._clients) - hosts}, guests=False)

    def _send(self, message: dict[str, Any], *, guests: bool = True, only: int | None = None) -> None:
        """Send to all who are to have it and keep up; it waits for none of them."""
        text = dumps(message)
        ready = []
        for client in self._clients:
            if (only is not None and client.number != only) or not (guests or client.is_host):
                continue
            if client.socket.transport.get_write_buffer_size() > BEHIND:
                client.socket.transport.abort()
            else:
                ready.append(client.socket)
        broadcast(ready, text)


def now_ms() -> float:
    """The time that clients keep theirs by, milliseconds."""
    return time.monotonic() * 1000


def dumps(message: dict[str, Any]) -> str:
    """JSON as short as can be."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def tell_show(message: dict[str, Any]) -> None:
    """One line on stdout, for the show."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def open_server(phones: PhoneServer, pages: Pages, host: str, port: int) -> tuple[Server, int]:
    """Listen on `port`, or on the next of `TRIES` that is free; 0: on any. The port too. OSError where none is."""
    connection = type("CountedConnection", (Connection,), {"door": Door()})
    quiet = logging.getLogger("visualizer.phones")  # what strangers send is no line of ours
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    for number in range(port, port + TRIES) if port else (0,):
        try:
            server = await serve(
                phones.attend, host, number, process_request=pages.answer, create_connection=connection,
                compression=None, server_header=None, max_size=LONGEST_MESSAGE, max_queue=4, logger=quiet, backlog=64,
                open_timeout=OPENING_SECONDS, ping_interval=PING_SECONDS, ping_timeout=PING_SECONDS, close_timeout=1,
            )  # fmt: skip
        except OSError:
            if number in (0, port + TRIES - 1):
                raise
        else:
            return server, next(iter(server.sockets)).getsockname()[1]
    raise AssertionError("the last port raises")


async def run(plan: dict[str, Any]) -> None:
    """Serve until stdin ends."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    pages = Pages(plan["token"], plan["guest_token"])
    phones = PhoneServer(plan, pages)
    try:
        server, port = await open_server(phones, pages, plan["host"], plan["port"])
    except OSError as error:
        tell_show({"failed": error.strerror or str(error)})
        return

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(phones.hear_show, json.loads(line))
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    tell_show({"ready": port})
    while not ended.is_set():
        phones.count_votes()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), ROUND_SECONDS)
    server.close()
    await server.wait_closed()


def limit_process() -> None:
    """Give way to the show, and take no more memory and files than a full house needs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the show, which then closes our stdin
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tell_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A fault of our own goes into the log of the show."""
    tell_show({"broke": " | ".join("".join(traceback.format_exception(kind, error, trace)).splitlines()[-6:])})


def main() -> None:
    """Entry point of the process."""
    limit_process()
    sys.excepthook = tell_fault
    plan = json.loads(sys.stdin.readline() or "null")
    if plan is not None:
        with contextlib.suppress(BrokenPipeError):  # the show is gone
            asyncio.run(run(plan))


if __name__ == "__main__":
    main()
