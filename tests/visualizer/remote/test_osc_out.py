"""OSC out: what another program hears of the show."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_message import OscMessage

from tests.support.phones import PATIENCE, make_state
from visualizer.remote.osc_out import OscOut, describe_joints, describe_music, make_message
from visualizer.remote.state import Board

STATE = make_state(beat=9.25, look="neon", troupe="2")
JOINTS = np.random.default_rng(1).random((2, 21, 2), dtype=np.float32)
DANCING = replace(STATE, joints=JOINTS, place=np.array([-0.5, 0.5], np.float32))


def read(datagrams: list[bytes]) -> dict[str, list[Any]]:
    messages = [OscMessage(datagram) for datagram in datagrams]
    return {message.address: message.params for message in messages}


def test_beats_and_bars_are_counted_at_the_moment_of_sending() -> None:
    now = read(describe_music(STATE, STATE.time))
    assert (now["/dance/beat"], now["/dance/bar"]) == ([9], [2])
    assert now["/dance/phase"] == pytest.approx([0.25])
    assert now["/dance/tempo"] == [120]
    assert now["/dance/confidence"] == [1]
    assert len(now["/dance/bands"]) == 3
    later = read(describe_music(STATE, STATE.time + 3.5))  # seven beats at 120 BPM
    assert (later["/dance/beat"], later["/dance/bar"]) == ([16], [4])
    before = read(describe_music(STATE, STATE.time - 0.25))  # a picture is drawn before it is seen
    assert before["/dance/beat"] == [8]


def test_each_dancer_has_joints_and_a_place() -> None:
    found = read(describe_joints(DANCING))
    assert found["/dance/dancers"] == [2]
    for k in range(2):
        assert np.reshape(found[f"/dance/joints/{k + 1}"], (21, 2)) == pytest.approx(JOINTS[k])
        assert found[f"/dance/place/{k + 1}"] == pytest.approx([DANCING.place[k]])
    assert describe_joints(STATE) == []  # these dancers have none


def test_a_joint_that_is_no_number_is_sent_as_one() -> None:
    broken = JOINTS.copy()
    broken[0, 0] = np.nan
    assert np.isfinite(read(describe_joints(replace(DANCING, joints=broken)))["/dance/joints/1"]).all()


def test_a_message_is_small_enough_for_any_network() -> None:
    assert max(len(datagram) for datagram in describe_joints(DANCING)) < 1400


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        yield receiver


def test_another_program_dances_along(receiver: socket.socket) -> None:
    board = Board()
    out = OscOut("127.0.0.1", receiver.getsockname()[1], board)
    assert board.watched
    board.state = replace(DANCING, time=time.perf_counter())
    heard: dict[str, list[Any]] = {}
    wanted = {"/dance/beat", "/dance/joints/2", "/dance/look", "/dance/style", "/dance/blackout"}
    while not wanted <= set(heard):
        heard |= read([receiver.recv(2000)])
    assert heard["/dance/look"] == ["neon"]
    assert heard["/dance/troupe"] == [2]
    out.answer("look: Neon")
    while "/dance/answer" not in heard:
        heard |= read([receiver.recv(2000)])
    out.close()
    assert not board.watched


def test_nobody_need_listen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    board = Board()
    out = OscOut("127.0.0.1", port, board)
    for k in range(5):
        board.state = replace(DANCING, beat=float(k))
        time.sleep(0.03)  # more than one turn of the thread
    assert out._thread.is_alive()
    out.close()


def test_numbers_and_words_are_written_as_osc_has_them() -> None:
    assert OscMessage(make_message("x", 1, 0.5, "ä")).params == [1, 0.5, "ä"]
