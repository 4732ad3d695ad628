"""Lamps in a show: a thread of its own looks at the state, 40 times a second, and sends what the lamps are to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from visualizer.outputs.lights.fixtures import LightMap
from visualizer.outputs.lights.levels import Lamps
from visualizer.outputs.lights.senders import LightSender, open_sender
from visualizer.remote.state import Board

if TYPE_CHECKING:
    from visualizer.live import LiveShow

log = logging.getLogger("visualizer")

RATE = 40.0  # DMX carries 44 universes a second
WATCHER = "lights"


class Lights:
    """The lamps of one show, until they are closed; then they are off."""

    def __init__(
        self, lights: LightMap, swatches: Mapping[str, Sequence[str]], board: Board, sender: LightSender, *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        self._map, self._lamps = lights, Lamps(lights, swatches)
        self._board, self._sender, self._clock = board, sender, clock
        self._ended = threading.Event()
        board.watch(WATCHER)
        self._thread = threading.Thread(target=self._run, name="lights", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Turn the lamps off."""
        self._board.watch(WATCHER, False)
        self._ended.set()
        self._thread.join()
        for _ in range(3):  # a datagram may be lost
            self._sender.send({universe: bytes(512) for universe in self._map.universes})
        self._sender.close()

    def _run(self) -> None:
        while not self._ended.wait(1 / RATE):
            if (state := self._board.state) is not None:
                self._sender.send(self._lamps.step(state, self._clock()))


@contextmanager
def open_lights(lights: LightMap, live: LiveShow, clock: Callable[[], float]) -> Iterator[None]:
    """The lamps follow the show in here. Where the network cannot be used that is said, and the show goes on."""
    from visualizer.remote.phone.describe import find_swatches

    try:
        sender = open_sender(lights)
    except OSError as error:
        live.toasts(f"lights: {error.strerror or error}", "lights", True)
        yield
        return
    followed = Lights(lights, find_swatches(list(live.show.looks)), live.board, sender, clock=clock)
    log.info("%d lamps by %s", len(lights.fixtures), lights.send)
    try:
        yield
    finally:
        followed.close()
