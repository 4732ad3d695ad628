"""Lamps over the loopback: what a receiver gets of a show, and that they are off when it ends."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.live_fakes import make_live
from tests.support.needs import needs
from tests.support.phones import PATIENCE, make_state
from visualizer.errors import UserError
from visualizer.outputs.lights import lights as module
from visualizer.outputs.lights.fixtures import Fixture, LightMap
from visualizer.outputs.lights.lights import Lights, open_lights
from visualizer.outputs.lights.senders import ArtNetSender, SacnSender, open_sender
from visualizer.remote.state import Board

LAMP = Fixture("a", 1, 5, ("dimmer", "red", "green", "blue"), "steady", "dancer")
SWATCHES = {"neon": ["#000000", "#ff0000", "#00ff00"]}
RED = [255, 255, 0, 0]


@pytest.fixture(autouse=True)
def extra() -> None:
    needs(importlib.util.find_spec("sacn") and importlib.util.find_spec("stupidArtnet"), "the extra 'lights'")


def show_until(board: Board, happened: Callable[[], object]) -> None:
    """A show in real time, until it has happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        assert board.watched
        board.state = replace(make_state(), look="neon", time=time.perf_counter())
        time.sleep(0.01)


def test_art_net_reaches_a_node_and_ends_dark() -> None:
    node = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    node.bind(("127.0.0.1", 0))
    node.settimeout(PATIENCE)
    lights = LightMap((LAMP,), "artnet", "127.0.0.1")
    sender = open_sender(lights)
    assert isinstance(sender, ArtNetSender)
    for each in sender._nodes.values():
        each.port = node.getsockname()[1]
    board, got = Board(), list[bytes]()

    def receive() -> None:
        while len(packet := node.recv(2048)) > 1:
            got.append(packet)

    receiver = threading.Thread(target=receive)
    receiver.start()
    lamps = Lights(lights, SWATCHES, board, sender)
    show_until(board, lambda: got and list(got[-1][18 + 4 : 18 + 8]) == RED)
    lamps.close()
    assert not board.watched
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"!", node.getsockname())
    receiver.join()
    node.close()
    # Header of ArtDmx (Art-Net 4): name, opcode, version 14, sequence, port, universe, length.
    assert got[-1][:18] == b"Art-Net\0\x00\x50\x00\x0e\x00\x00\x01\x00\x02\x00"
    assert len(got[-1]) == 18 + 512
    assert not any(got[-1][18:])


def test_sacn_reaches_a_receiver_and_ends_dark() -> None:
    import sacn

    receiver = sacn.sACNreceiver(bind_address="127.0.0.1")
    heard: list[tuple[int, ...]] = []
    receiver.register_listener("universe", lambda packet: heard.append(tuple(packet.dmxData)), universe=1)
    receiver.start()
    board, lights = Board(), LightMap((LAMP,), "sacn", "127.0.0.1")
    try:
        sender = open_sender(lights)
        assert isinstance(sender, SacnSender)
        lamps = Lights(lights, SWATCHES, board, sender)
        show_until(board, lambda: heard and list(heard[-1][4:8]) == RED)
        lamps.close()
        end = time.monotonic() + PATIENCE
        while any(heard[-1]):
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        receiver.stop()


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sacn", "stupidArtnet"):
        monkeypatch.setitem(sys.modules, name, None)
    for send in ("sacn", "artnet"):
        with pytest.raises(UserError, match=r"dancing-screen\[lights\]"):
            open_sender(LightMap((LAMP,), send, "127.0.0.1"))


def test_a_network_that_cannot_be_used_ends_no_show(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(lights: LightMap) -> Any:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(module, "open_sender", fail)
    live = make_live()
    with open_lights(LightMap((LAMP,), "sacn"), live, time.perf_counter):
        assert live.toasts.show(0.0) == ("lights: Cannot assign requested address",)
