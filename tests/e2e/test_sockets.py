"""A show opens no door: no socket of the network in a default run."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

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
        assert sockets(show.process.pid) == []
        assert show.end() == 0
