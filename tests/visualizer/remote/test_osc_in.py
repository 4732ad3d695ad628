"""OSC in: messages of other programs, and datagrams that are none."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from tests.support.phones import PATIENCE, make_state
from tests.support.show_fakes import STYLES
from visualizer.remote.inbox import Inbox, Sent
from visualizer.remote.osc_in import LARGEST, MOST_MESSAGES, OscIn, read_commands, split_packet
from visualizer.remote.state import Board
from visualizer.stage.looks import shipped_looks

STATE = make_state()
LOOKS = [look.name for look in shipped_looks()]


def message(address: str, *values: object) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)  # type: ignore[arg-type]
    return builder.build().dgram


def bundle(*parts: bytes) -> bytes:
    return b"#bundle\0" + bytes(7) + b"\1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@pytest.mark.parametrize(("data", "commands"), [
    (message("/dance/style", "house"), [("style", "house")]),
    (message("/dance/next_look"), [("next look", "")]),
    (message("/dance/next-look", None), [("next look", "")]),
    (b"/dance/reseed\0\0\0,I\0\0", [("reseed", "")]),  # a bang of OSC 1.1
    (message("/dance/reseed", float("inf")), [("reseed", "")]),  # a bang as some programs send it
    (message("/dance/reseed", 1.0), [("reseed", "")]),  # a button is pressed
    (message("/dance/reseed", 0.0), []),  # and let go
    (message("/dance/tap_tempo", True), [("tap tempo", "")]),
    (message("/dance/blackout", True), [("blackout", "on")]),
    (message("/dance/blackout", 0), [("blackout", "off")]),
    (message("/dance/blackout"), [("blackout", "")]),
    (message("/dance/blackout", "off"), [("blackout", "off")]),
    (message("/dance/troupe", 4), [("troupe", "4")]),
    (message("/dance/troupe", 3.6), [("troupe", "4")]),
    (message("/dance/temperature", 1.25), [("temperature", "1.25")]),
    (message("/dance/style", 1), [("style", STYLES[1])]),
    (message("/dance/look", 1.0), [("look", LOOKS[-1])]),  # a fader
    (message("/dance/look", 99), []),
    (message("/dance/quit"), []),
    (message("/dance/juggle"), []),
    (message("/style", "house"), []),
    (message("/dance/style", "a", "b"), []),
    (message("/dance/style", float("nan")), []),
    (message("/dance/style", b"blob"), []),
    (message("/dance/*"), []),
    (bundle(message("/dance/lock", True), message("/dance/look", "neon")), [("lock", "on"), ("look", "neon")]),
    (bundle(bundle(message("/dance/auto", False)), message("/no")), [("auto", "off")]),
    (bundle(*[message("/dance/reseed")] * 100), [("reseed", "")] * MOST_MESSAGES),
])  # fmt: skip
def test_messages_are_commands(data: bytes, commands: list[tuple[str, str]]) -> None:
    assert read_commands(data, STATE) == commands


def test_a_bundle_of_another_program_is_read() -> None:
    builder = OscBundleBuilder(IMMEDIATELY)  # type: ignore[arg-type]
    inner = OscMessageBuilder("/dance/troupe")
    inner.add_arg(7)
    builder.add_content(inner.build())  # type: ignore[arg-type]
    assert read_commands(builder.build().dgram, STATE) == [("troupe", "7")]


HEAD = b"#bundle\0" + bytes(8)


@pytest.mark.parametrize("data", [
    b"", b"\0", b"/", b"/dance/reseed", b"/dance/style\0\0\0\0,s\0\0", b"/dance/style\0\0\0\0,i\0\0\0", b"#bundle\0",
    HEAD + b"\xff\xff\xff\xfc" + message("/dance/reseed"), HEAD + b"\0\0\0\0" * 9, HEAD + b"\x7f\xff\xff\xff",
    HEAD + b"\0\0\0\5abcde", message("/dance/reseed") + bytes(LARGEST), b"/dance/style\0\0\0\0,Q\0\0",
    b"/dance/style\0\0\0\0,[[[[[[[\0\0\0", b"/dance/style\0\0\0\0,s\0\0\xff\xfe\0\0",
])  # fmt: skip
def test_what_is_no_osc_says_nothing(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert [each for each in read_commands(data, STATE) if each != ("reseed", "")] == []
    assert caplog.records == []  # python-osc would write a line for each


def test_bundles_in_bundles_have_an_end() -> None:
    data = message("/dance/reseed")
    for _ in range(50):
        data = bundle(data)
    assert list(split_packet(data)) == []


def test_chance_makes_no_error(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(5)
    good = [message("/dance/style", "house"), bundle(message("/dance/troupe", 4), message("/dance/lock", True))]
    for _ in range(3000):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        read_commands(bytes(data[: chance.randrange(len(data) + 1)]), STATE)
    assert caplog.records == []


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def heard(inbox: Inbox) -> Iterator[OscIn]:
    board = Board()
    heard = OscIn("127.0.0.1", 0, inbox, board)
    board.state = STATE
    assert board.watched
    yield heard
    heard.close()
    assert not board.watched


def take_until(inbox: Inbox, enough: int) -> list[Sent]:
    taken, until = [], time.monotonic() + PATIENCE
    while len(taken) < enough:
        assert time.monotonic() < until, taken
        taken += inbox.take()
        time.sleep(0.002)
    return taken


def test_another_program_is_heard(heard: OscIn, inbox: Inbox) -> None:
    client = SimpleUDPClient("127.0.0.1", heard.port)
    client.send_message("/dance/style", "waltz")
    client.send_message("/dance/blackout", True)
    assert [(each.name, each.argument) for each in take_until(inbox, 2)] == [("style", "waltz"), ("blackout", "on")]


def test_a_flood_leaves_room_and_ends(heard: OscIn, inbox: Inbox) -> None:
    """What a show cannot do is thrown away; what comes after the flood is heard."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(20_000):
        client.sendto(message("/dance/reseed"), ("127.0.0.1", heard.port))
    client.close()
    until = time.monotonic() + PATIENCE
    while not any(each.name == "blackout" for each in inbox.take()):
        assert time.monotonic() < until
        SimpleUDPClient("127.0.0.1", heard.port).send_message("/dance/blackout", [])
        time.sleep(0.05)


def test_a_port_that_is_taken_is_an_error(heard: OscIn, inbox: Inbox) -> None:
    with pytest.raises(OSError, match="in use"):
        OscIn("127.0.0.1", heard.port, inbox, Board())
