"""Universes on their way to the lamps, by libraries that know the protocols. UDP alone; nothing is received."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from visualizer.errors import ExtraMissing
from visualizer.outputs.lights.fixtures import SIZE, LightMap

SACN_RATE = 40  # looks a second of its own thread at what has changed


class LightSender(Protocol):
    """A way to the lamps."""

    def send(self, frames: Mapping[int, bytes | bytearray]) -> None: ...  # 512 channels of each universe
    def close(self) -> None: ...


def open_sender(lights: LightMap) -> LightSender:
    """UserError without the extra, OSError where the network cannot be used."""
    return SacnSender(lights) if lights.send == "sacn" else ArtNetSender(lights)


class ArtNetSender:
    """Art-Net to one node, or to a network's broadcast address."""

    def __init__(self, lights: LightMap) -> None:
        try:
            from stupidArtnet import StupidArtnet
        except ImportError:
            raise ExtraMissing("lights need", "lights") from None
        self._nodes = {
            universe: StupidArtnet(lights.to, universe, SIZE, broadcast=True) for universe in lights.universes
        }

    def send(self, frames: Mapping[int, bytes | bytearray]) -> None:
        for universe, channels in frames.items():
            node = self._nodes[universe]
            with suppress(OSError):  # its own `show` would print that nobody is there
                node.socket_client.sendto(bytes(node.packet_header) + bytes(channels), (node.target_ip, node.port))

    def close(self) -> None:
        for node in self._nodes.values():
            node.close()


class SacnSender:
    """sACN (ANSI E1.31) to one node, or to all by multicast."""

    def __init__(self, lights: LightMap) -> None:
        try:
            import sacn
        except ImportError:
            raise ExtraMissing("lights need", "lights") from None
        self._sender = sacn.sACNsender(
            bind_port=0, source_name="The Dancing Screen", fps=SACN_RATE, universeDiscovery=False
        )
        self._outputs = {universe: self._open(universe, lights.to) for universe in lights.universes}
        self._sender.start()

    def _open(self, universe: int, to: str) -> Any:
        self._sender.activate_output(universe)
        output: Any = self._sender[universe]
        output.multicast = not to
        if to:
            output.destination = to
        return output

    def send(self, frames: Mapping[int, bytes | bytearray]) -> None:
        for universe, channels in frames.items():
            self._outputs[universe].dmx_data = tuple(channels)

    def close(self) -> None:
        time.sleep(2 / SACN_RATE)  # until what was sent last has left
        for universe in self._outputs:
            self._sender.deactivate_output(universe)
        self._sender.stop()
