"""Run programs where there is no network but a resolver that writes down what it is asked, and trace what they try.

`run_cut_off` starts this file once more, in a network and a mount namespace of its own (Linux). There it takes up the
loopback device, answers every look-up with 127.0.0.1, so that whatever was asked for is also tried to be reached, and
starts all programs at once, each under strace.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import needs, needs_program
from tests.support.repository import REPOSITORY

PATIENCE = 240  # seconds
# What tells a library that it runs in somebody's continuous integration: some are quiet there, and nowhere else.
QUIETING = (
    "CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "TRAVIS", "JENKINS_URL", "CODEBUILD_BUILD_ID",
    "BUILDKITE", "TEAMCITY_VERSION", "APPVEYOR", "BITBUCKET_BUILD_NUMBER", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
    "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "DO_NOT_TRACK",
)  # fmt: skip
HARMLESS = r'\d+ +(socket\(|(bind|getsockname)\(.*("::1"|"127\.0\.0\.1"))'
# Runs a module with its words, and then stays until it has lived so many seconds: what is sent is sent later.
# The program's own bound on how long it may take to close must not end it before.
LINGERING = """
import runpy, sys, threading, time
from visualizer import leave
leave.CLOSING = 10 * float(sys.argv[1])
end = time.monotonic() + float(sys.argv[1])
sys.argv = sys.argv[2:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as done:
    if done.code:
        raise
threading.Event().wait(max(end - time.monotonic(), 0))
"""


@dataclass(frozen=True)
class Tried:
    """What one program did."""

    code: int  # exit code
    seconds: float  # that it ran
    said: str
    sockets: list[str]  # calls to the kernel that have to do with sockets of the internet, as strace writes them

    @property
    def calls(self) -> list[str]:
        """Those that reach out or can be reached from outside.

        Not those that make a socket and give it an address of this machine: so libraries find out what there is.
        """
        return [call for call in self.sockets if not re.match(HARMLESS, call)]


def lingering(seconds: float, module: str, *words: object) -> list[str]:
    """The command that runs `python -m module words…` and ends no earlier than after `seconds`."""
    return [sys.executable, "-c", LINGERING, str(seconds), module, *map(str, words)]


def run_cut_off(commands: dict[str, list[str]], home: Path) -> tuple[dict[str, Tried], list[str]]:
    """What each of `commands` did, all at the same time and at home in `home`, and the names that were looked up."""
    needs(sys.platform == "linux", "Linux")
    needs_program("strace", "unshare", "mount")
    space = ["unshare", "--net", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
    able = subprocess.run([*space, "strace", "-f", "-qq", "--seccomp-bpf", "true"], capture_output=True, timeout=60)
    needs(able.returncode == 0, f"the right to a network of its own and to trace ({able.stderr.decode()[-200:]!r})")
    env = {name: value for name, value in os.environ.items() if name not in QUIETING and not name.startswith("XDG_")}
    env |= {"HOME": str(home), "PYTHONPATH": str(REPOSITORY), "SDL_VIDEODRIVER": "offscreen"}
    env |= {"PULSE_SERVER": f"unix:{home}/no-such-server"}  # no sound server is started to listen to
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*space, sys.executable, "-m", "tests.support.cut_off", folder],
            input=json.dumps(commands), env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
    return {name: Tried(**tried) for name, tried in found["tried"].items()}, found["asked"]


# --- inside --------------------------------------------------------------------------------------------------------


def _take_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def _lead_look_ups_here(folder: Path) -> None:
    """Every program here asks 127.0.0.1, and no daemon of the machine, which would answer by a socket of its own."""
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        if os.path.exists(path):
            ours = folder / Path(path).name
            ours.write_text(text)
            subprocess.run(["mount", "--bind", ours, os.path.realpath(path)], check=True)


def _answer(server: socket.socket, asked: list[str]) -> None:
    """127.0.0.1 for every name, which goes into `asked` (RFC 1035)."""
    while True:
        query, sender = server.recvfrom(4096)
        at, labels = 12, []
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        asked.append(".".join(labels))
        question = query[12 : at + 5]
        v4 = question[-4:-2] == b"\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if v4 else b""
        head = query[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", int(v4), 0, 0)
        server.sendto(head + question + record, sender)


def _internet(trace: str) -> list[str]:
    """Calls that have to do with sockets of the internet, and not with those inside this machine (UNIX, netlink)."""
    return [line for line in trace.splitlines() if re.search(r"AF_INET|sin6?_port|AF_PACKET", line)]


def _main(folder: Path) -> None:
    import time

    commands: dict[str, list[str]] = json.load(sys.stdin)
    _take_up_loopback()
    _lead_look_ups_here(folder)
    asked: list[str] = []
    tried: dict[str, dict[str, object]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=_answer, args=(server, asked), daemon=True).start()

        def follow(name: str, command: list[str]) -> None:
            trace, began = folder / name, time.monotonic()
            trace.touch()
            tracer = [shutil.which("strace") or "strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=network",
                      "-e", "signal=none", "-o", str(trace), *command]  # fmt: skip
            done = subprocess.run(
                tracer, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", cwd=REPOSITORY,
            )  # fmt: skip
            sockets = _internet(trace.read_text(errors="replace"))
            seconds = time.monotonic() - began
            tried[name] = {"code": done.returncode, "seconds": seconds, "said": done.stdout, "sockets": sockets}

        followers = [threading.Thread(target=follow, args=pair) for pair in commands.items()]
        for follower in followers:
            follower.start()
        for follower in followers:
            follower.join()
        json.dump({"tried": tried, "asked": asked}, sys.stdout)
        sys.stdout.flush()
        os._exit(0)  # the resolver is still listening


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
