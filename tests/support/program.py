"""Start the real program and follow what it says, line by line; nothing here waits by the clock."""

from __future__ import annotations

import io
import mmap
import os
import queue
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pygame
from numpy.typing import NDArray

PATIENCE = 60.0  # seconds after which something that should have happened counts as failed


class Program:
    """`visualizer` in a process of its own."""

    def __init__(
        self, *words: str, env: dict[str, str] | None = None, cwd: Path | None = None,
        command: Sequence[str] = (sys.executable, "-m", "visualizer"),
    ) -> None:  # fmt: skip
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        # From another folder it must still find the package: a checkout is not always installed.
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path, **(env or {})},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The next line that matches; AssertionError with all that was said if there is none."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"no '{pattern}' within {PATIENCE:g} s, only:\n" + "\n".join(self.said)) from None
            if line is None:
                raise AssertionError(f"ended without '{pattern}':\n" + "\n".join(self.said))
            self.said.append(line)
            if match := re.search(pattern, line):
                return match

    def end(self) -> int:
        """Exit code, once it ended by itself."""
        code = self.process.wait(PATIENCE)
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.said.append(line)
        return code

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Screen:
    """An X server of our own, with a screen that only exists in memory."""

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset",
             "-fbdir", self._folder.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        assert self._server.stdout is not None
        self.name = ":" + self._server.stdout.readline().strip()  # written once the server is ready

    def memory(self) -> NDArray[np.uint8]:
        """(height, width, 4) as the server has it now, blue first, and changes; no copy, so reading takes no time."""
        with (Path(self._folder.name) / "Xvfb_screen0").open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = struct.unpack(">25I", memory[:100])  # XWDFileHeader of X11/XWDFile.h
        size, width, height, bits, stride, colours = (header[i] for i in (0, 4, 5, 11, 12, 19))
        assert bits == 32
        pixels = np.frombuffer(memory, np.uint8, stride * height, size + 12 * colours)
        return pixels.reshape(height, stride // 4, 4)[:, :width]

    @property
    def env(self) -> dict[str, str]:
        """For programs that shall open there."""
        return {"DISPLAY": self.name, "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": "", "XDG_SESSION_TYPE": "x11"}

    def grab(self) -> NDArray[np.uint8]:
        """(height, width, 3) of the whole screen, taken by ImageMagick from outside the program."""
        done = subprocess.run(
            ["import", "-silent", "-window", "root", "png:-"],
            env={**os.environ, "DISPLAY": self.name},
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        surface = pygame.image.load(io.BytesIO(done.stdout), "shot.png")
        return pygame.surfarray.array3d(surface).transpose(1, 0, 2)

    def grab_until(self, accept) -> NDArray[np.uint8]:
        """The first grabbed picture that `accept` takes; AssertionError after a minute."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if accept(shot := self.grab()):
                return shot
        raise AssertionError("the screen never showed what was waited for")

    def press(self, key: str) -> None:
        """A real key event, by the XTEST extension."""
        subprocess.run(["xdotool", "key", key], env={**os.environ, "DISPLAY": self.name}, check=True, timeout=PATIENCE)

    def die(self) -> None:
        """As a server that crashes."""
        self._server.kill()
        self._server.wait()

    def close(self) -> None:
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()


class TwoHeads(Screen):
    """An X server of our own with up to two displays side by side, which can be plugged in and out as it runs.

    It is a VNC server; whoever looks on may tell it what displays there are (SetDesktopSize, in the community's
    version of the RFB protocol), and to programs that is as if somebody had pulled a plug.
    """

    LEFT, RIGHT = (0, 0, 1280, 720), (1280, 0, 800, 600)  # x, y, width, height

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._socket = str(Path(self._folder.name) / "socket")
        self._server = subprocess.Popen(
            ["Xvnc", "-displayfd", "1", "-geometry", "1280x720", "-SecurityTypes", "None", "-rfbport", "-1",
             "-rfbunixpath", self._socket, "-nolisten", "tcp", "-noreset"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        assert self._server.stdout is not None
        self.name = ":" + self._server.stdout.readline().strip()
        self.plug(self.LEFT, self.RIGHT)

    def plug(self, *displays: tuple[int, int, int, int]) -> None:
        """From now on there are these displays and no others."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(self._socket)

            def read(n: int) -> bytes:
                data = b""
                while len(data) < n:
                    part = line.recv(n - len(data))
                    assert part, "the VNC server hung up"
                    data += part
                return data

            read(12)
            line.sendall(b"RFB 003.008\n")
            read(read(1)[0])
            line.sendall(b"\1")  # security: none
            assert read(4) == bytes(4)
            line.sendall(b"\1")  # others may look on
            read(20)
            read(struct.unpack(">I", read(4))[0])
            line.sendall(struct.pack(">BBHii", 2, 0, 2, 0, -308))  # raw pixels, ExtendedDesktopSize
            width, height = (max(d[i] + d[i + 2] for d in displays) for i in (0, 1))
            message = struct.pack(">BBHHBB", 251, 0, width, height, len(displays), 0)
            message += b"".join(struct.pack(">IHHHHI", k + 1, *d, 0) for k, d in enumerate(displays))
            line.sendall(message)
            while True:  # until the server says how it went, which it does in an update that was asked for
                line.sendall(struct.pack(">BBHHHH", 3, 1, 0, 0, 1, 1))
                assert read(2)[0] == 0
                for _ in range(struct.unpack(">H", read(2))[0]):
                    x, y, wide, high, encoding = struct.unpack(">HHHHi", read(12))
                    if encoding == 0:
                        read(wide * high * 4)
                        continue
                    assert encoding == -308
                    read(3 + 16 * read(1)[0])
                    if x == 1:  # in answer to us
                        assert y == 0, f"the VNC server refuses these displays ({y})"
                        return

    def point(self, x: int, y: int) -> None:
        """Move the pointer; keys go to the window below it."""
        environment = {**os.environ, "DISPLAY": self.name}
        subprocess.run(["xdotool", "mousemove", str(x), str(y)], env=environment, check=True, timeout=PATIENCE)


class Watch:
    """How bright the screen is, in a coarse grid, as often as it can be looked at, and when that was."""

    def __init__(self, pixels: NDArray[np.uint8], cell: int = 8) -> None:
        """`pixels` as of Screen.memory, or a part of it. Looks on until `end`."""
        self.times: list[float] = []  # time.monotonic
        self.grids: list[NDArray[np.float64]] = []
        rows, columns = pixels.shape[0] // cell, pixels.shape[1] // cell
        cells = pixels[: rows * cell, : columns * cell, :3].reshape(rows, cell, columns, cell, 3)
        assert np.shares_memory(cells, pixels)
        self._look = lambda: cells.mean(axis=(1, 3, 4))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.004):  # four looks a frame
            self.grids.append(self._look())
            self.times.append(time.monotonic())

    def end(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (n,) and brightness 0..255 (n, rows, columns)."""
        self._stop.set()
        self._thread.join()
        return np.array(self.times), np.array(self.grids)
