"""OSC out: what is danced, for other programs to dance along. Beats and bars are counted, and the counts are said again
and again, so that a datagram that is lost is no beat that is missed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from pythonosc.osc_message_builder import OscMessageBuilder

from visualizer.remote.state import Board, State

PREFIX = "/dance/"
RATE = 50.0  # looks a second at the state
JOINTS_SECONDS = 1 / 30
NAMES_SECONDS = 2.0  # after which names are said again to those who came late
MOST_DANCERS = 9
JOINTS = 21
WATCHER = "OSC out"


class OscOut:
    """A sender to `host` and `port`, until it is closed. OSError for a host that there is not."""

    def __init__(
        self, host: str, port: int, board: Board, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:  # fmt: skip
        family, _, _, _, self._target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._board, self._clock = board, clock
        self._ended = threading.Event()
        board.watch(WATCHER)
        self._thread = threading.Thread(target=self._write, name="OSC out", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        self._board.watch(WATCHER, False)
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def answer(self, text: str) -> None:
        """What the show said to a command."""
        self._send(make_message("answer", text))

    def _write(self) -> None:
        before: State | None = None
        names: tuple[Any, ...] = ()
        joints_due = names_due = 0.0
        while not self._ended.wait(1 / RATE):
            state, now = self._board.state, self._clock()
            if state is None or state is before:
                continue
            before = state
            for datagram in describe_music(state, now):
                self._send(datagram)
            if now >= joints_due:
                joints_due = now + JOINTS_SECONDS
                for datagram in describe_joints(state):
                    self._send(datagram)
            if (said := find_names(state)) != names or now >= names_due:
                names, names_due = said, now + NAMES_SECONDS
                for name, value in said:
                    self._send(make_message(name, value))

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._target)
        except OSError:  # nobody is there, or the network has no room: the next one comes soon
            return


def make_message(name: str, *values: Any) -> bytes:
    """One OSC message; numbers with a fraction have 32 bits."""
    builder = OscMessageBuilder(PREFIX + name)
    for value in values:
        builder.add_arg(value, "f" if isinstance(value, float) else None)
    return builder.build().dgram


def describe_music(state: State, now: float) -> list[bytes]:
    """Beat, bar and tempo as they are seen at `now`, seconds, and what is heard."""
    beat = state.beat + (now - state.time) * state.bpm / 60
    count = int(beat // 1)
    return [
        make_message("beat", count), make_message("bar", count // 4), make_message("phase", float(beat - count)),
        make_message("tempo", float(state.bpm)), make_message("confidence", float(state.confidence)),
        make_message("energy", float(state.energy)), make_message("loudness", float(state.loudness)),
        make_message("bands", float(state.bass), float(state.mid), float(state.treble)),
    ]  # fmt: skip


def find_names(state: State) -> tuple[tuple[str, Any], ...]:
    """What is on, by name."""
    return (
        ("style", state.style), ("dance", state.dance or ""), ("look", state.look), ("figure", state.figure),
        ("sync", state.sync), ("troupe", state.troupe), ("blackout", int(state.dark)), ("lock", int(state.locked)),
    )  # fmt: skip


def describe_joints(state: State) -> list[bytes]:
    """`joints/1` and so on: 42 numbers each, x and y of 21 joints in frame widths, right and down; `place/1`: where
    each dancer stands, frame widths from the middle. The numbers are written by numpy, a hundred times as fast."""
    if state.joints is None or state.joints.shape[1:] != (JOINTS, 2):
        return []
    count = min(len(state.joints), MOST_DANCERS)
    found = [make_message("dancers", count)]
    for k in range(count):
        found.append(_joints_head(k + 1) + np.nan_to_num(state.joints[k]).astype(">f4").tobytes())
        found.append(make_message(f"place/{k + 1}", float(state.place[k])))
    return found


@lru_cache(maxsize=MOST_DANCERS)
def _joints_head(number: int) -> bytes:
    """The message of a dancer's joints up to its numbers."""
    return make_message(f"joints/{number}", *[0.0] * (2 * JOINTS))[: -8 * JOINTS]
