"""OSC in: `/dance/COMMAND` from other programs and tablets is the command of that name.

A thread of its own reads datagrams, no more a second than a show can do; what is sent beyond that the system throws
away without its having been looked at.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as NoMessage

from visualizer.remote.controls import RANGES, REMOTE_COMMANDS, SWITCH, WHOLE, find_argument, find_choices
from visualizer.remote.inbox import LONGEST_ARGUMENT, Inbox, Sent
from visualizer.remote.state import Board, State

PREFIX = "/dance/"
LARGEST = 4096  # bytes of a datagram that is read
BUNDLE = b"#bundle\0"
DEEPEST = 4  # bundles in bundles
KINDS = frozenset(b"ifhdsTFN")  # of arguments: numbers, text, true, false, nil
MOST_MESSAGES = 16  # of one bundle
RATE = 200.0  # datagrams a second
LOOK_SECONDS = 0.2  # between two looks at whether the show has ended
SENDER = "OSC"
WATCHER = "OSC in"
_NAMES = {name.replace(" ", "_"): name for name in REMOTE_COMMANDS}


class OscIn:
    """A listener on `host` and `port`, until it is closed. OSError where it cannot listen there."""

    def __init__(
        self, host: str, port: int, inbox: Inbox, board: Board, *, answer: Callable[[str], None] = lambda text: None
    ) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(LOOK_SECONDS)
        self.port: int = self._socket.getsockname()[1]
        self._inbox, self._board, self._answer = inbox, board, answer
        self._ended = False
        board.watch(WATCHER)  # faders choose from what there is
        self._thread = threading.Thread(target=self._read, name="OSC in", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ended = True
        self._board.watch(WATCHER, False)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while not self._ended:
            try:
                data = self._socket.recv(LARGEST + 1)
            except OSError:  # nothing came; or a datagram was too large for Windows
                continue
            begun = time.monotonic()
            for name, argument in read_commands(data, self._board.state):
                self._inbox.send(Sent(name, argument, SENDER, self._answer))
            time.sleep(max(0.0, 1 / RATE - (time.monotonic() - begun)))


def read_commands(data: bytes, state: State | None) -> list[tuple[str, str]]:
    """The commands of a datagram with their arguments; what is none of ours, or no OSC, says nothing."""
    if len(data) > LARGEST:
        return []
    found = []
    for message in islice(split_packet(data), MOST_MESSAGES):
        try:
            parsed = OscMessage(message)
        except (NoMessage, ValueError, IndexError, OverflowError):
            continue
        found.append(read_message(parsed.address, parsed.params, state))
    return [each for each in found if each is not None]


def split_packet(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The messages of a datagram, out of bundles, that python-osc can be given.

    It would log each kind of argument that it does not know, and never come back from a part of negative size.
    """
    if not data.startswith(BUNDLE):
        if (message := _with_known_arguments(data)) is not None:
            yield message
        return
    place = len(BUNDLE) + 8  # after the time, which is now
    while place + 4 <= len(data) and depth < DEEPEST:
        size = int.from_bytes(data[place : place + 4], "big")
        place += 4
        if not size or size % 4 or place + size > len(data):
            return
        yield from split_packet(data[place : place + size], depth + 1)
        place += size


def _with_known_arguments(message: bytes) -> bytes | None:
    """The message if it is one and the kinds of its arguments are known; a bang of OSC 1.1 becomes a nil."""
    tags = (message.find(b"\0") // 4 + 1) * 4
    if not message.startswith(b"/") or b"\0" not in message:
        return None
    if message[tags : tags + 4] == b",I\0\0":
        return message[:tags] + b",N\0\0" + message[tags + 4 :]
    kinds = message[tags:].partition(b"\0")[0]
    return message if not kinds or (kinds[:1] == b"," and set(kinds[1:]) <= KINDS) else None


def read_message(address: str, params: list[Any], state: State | None) -> tuple[str, str] | None:
    """The command of one message and its argument; None if it is none of ours, or the release of a button."""
    name = _NAMES.get(address.removeprefix(PREFIX).replace("-", "_")) if address.startswith(PREFIX) else None
    if name is None or len(params) > 1:
        return None
    if not params or params[0] is None or params[0] == float("inf"):  # a bang
        return name, ""
    value, takes = params[0], REMOTE_COMMANDS[name].argument
    if isinstance(value, str):
        return (name, value[:LONGEST_ARGUMENT]) if takes else (name, "")
    if not isinstance(value, bool | int | float) or value != value:
        return None
    argument = _read_number(name, takes, value, state)
    return None if argument is None else (name, argument)


def _read_number(name: str, takes: str, value: float, state: State | None) -> str | None:
    """The argument for a number; None where a button was let go."""
    if takes == SWITCH or not takes:
        return find_argument(name, float(value > 0), state)
    if name in RANGES:
        return str(round(value)) if name in WHOLE and abs(value) < 1e6 else f"{float(value):.6g}"
    if isinstance(value, float):
        return find_argument(name, value, state)
    choices = find_choices(name, state)
    if not choices:
        return str(int(value)) if name == "reseed" else None
    return choices[value] if 0 <= value < len(choices) else None
