"""A show opens no door: no socket of the network in a default run."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.program import Program


def sockets(pid: int) -> list[str]:
    """Network sockets that a process holds, listening or not: protocol, local address and state, as the kernel says."""
    held = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:  # closed meanwhile
            continue
        if match := re.fullmatch(r"socket:\[(\d+)\]", target):
            held.add(match[1])
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "udplite"):
        table = Path(f"/proc/{pid}/net/{protocol}")
        rows = table.read_text().splitlines()[1:] if table.is_file() else []
        fields = [row.split() for row in rows]
        found += [f"{protocol} {row[1]} {row[3]}" for row in fields if row[9] in held]
    return found


def sockets_of_all(pid: int) -> list[str]:
    """The same of a process and those that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    started = [int(child) for task in children.parents[1].glob("*/children") for child in task.read_text().split()]
    return sockets(pid) + [one for child in started for one in sockets_of_all(child)]


def test_the_kernel_tells_of_sockets() -> None:
    needs(Path("/proc/self/net/tcp").is_file(), "/proc")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert [one for one in sockets(os.getpid()) if one.endswith(f":{port:04X} 0A")]  # 0A: it listens


def test_a_show_has_no_socket() -> None:
    needs(Path("/proc/self/net/tcp").is_file(), "/proc")
    env = {"SDL_VIDEODRIVER": "offscreen"}
    with Program("--audio", "none", "--seconds", "2", "--window", "320x240", env=env) as show:
        show.wait_for("^first frame")
        assert sockets_of_all(show.process.pid) == []
        assert show.end() == 0


def test_a_page_for_phones_is_one_listener_until_the_show_ends(home: dict[str, str]) -> None:
    needs(Path("/proc/self/net/tcp").is_file(), "/proc")
    env = {"SDL_VIDEODRIVER": "offscreen", "XDG_STATE_HOME": home["HOME"], **home}
    words = ["--remote", "--remote-port", "18742", "--audio", "none", "--seconds", "6", "--window", "320x240"]
    with Program(*words, env=env) as show:
        show.wait_for("^phone: http")
        (found,) = [one for one in sockets_of_all(show.process.pid) if one.endswith(" 0A")]
        assert found.startswith("tcp 00000000:")
        port = int(found.split()[1].split(":")[1], 16)
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"404" in line.recv(100)
        assert show.end() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
