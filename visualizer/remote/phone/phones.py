"""The show's side of the phones: it starts the process that serves them, tells it of states, and sends its commands on.

Two threads of its own do that. The thread that draws is asked for nothing but what it does for any remote.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from visualizer.messages import Notify
from visualizer.remote.controls import REMOTE_COMMANDS
from visualizer.remote.inbox import Inbox, Sent
from visualizer.remote.phone import describe
from visualizer.remote.state import Board
from visualizer.stage.looks import Look
from visualizer.support.log import aside

log = logging.getLogger("visualizer")

LOOK_SECONDS = 0.04  # between two looks at the state: phones are in step within a tenth of a second
IDLE_SECONDS = 0.1  # the same where no phone is there
MUSIC_SECONDS = 0.25  # between two messages on tempo and loudness, where nothing else has changed
BODIES_SECONDS = 0.08
LEAVE_SECONDS = 2.0  # that the process has for its end
MOST_ANSWERS = 64  # that wait
LONGEST_LINE = 1 << 16  # characters of a line from the process
MOST_STARTS = 4  # of a process that ends by itself, in one show
_ROOT = Path(__file__).resolve().parents[3]
WATCHER = "phones"


class Phones:
    """The phones of one show. `ready` is called, from another thread, with the port that the page is on."""

    def __init__(
        self, plan: dict[str, Any], looks: list[Look], inbox: Inbox, board: Board, notify: Notify, *,
        ready: Callable[[int], None] = lambda port: None, clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        """Seven parameters, for each is a part that tests replace. `plan`: host, port and tokens, for the process."""
        self._plan = {"t": "plan", **plan, "commands": list(REMOTE_COMMANDS)}
        self._swatches = describe.find_swatches(looks)
        self._inbox, self._board, self._notify, self._ready, self._clock = inbox, board, notify, ready, clock
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_ANSWERS)
        self._hosts = self._watching = self._starts = 0
        self._welcome = False  # a phone has come that knows nothing yet
        self._ended = False
        self._process = self._start()
        self._threads = [threading.Thread(target=run, name="phones", daemon=True) for run in (self._read, self._write)]
        for thread in self._threads:
            thread.start()

    @property
    def hosts(self) -> int:
        """Pages of the host that are open now."""
        return self._hosts

    def close(self) -> None:
        """Take the page from the network."""
        self._ended = True
        self._board.watch(WATCHER, False)
        with suppress(queue.Full):
            self._answers.put_nowait(None)
        self._threads[1].join(LEAVE_SECONDS)
        process = self._process
        with suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._threads[0].join(LEAVE_SECONDS)

    def _start(self) -> subprocess.Popen[str]:
        self._starts += 1
        process = subprocess.Popen(
            [sys.executable, "-m", "visualizer.remote.phone.server"], cwd=_ROOT, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"}, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
        _write_line(process, self._plan)
        return process

    # --- from the process

    def _read(self) -> None:
        """Take what the process says until the show ends; start it again where it ends before."""
        while True:
            process = self._process
            assert process.stdout is not None
            while line := process.stdout.readline(LONGEST_LINE):
                with suppress(ValueError):
                    self._hear(json.loads(line))
            process.wait()
            self._hosts = self._watching = 0
            self._board.watch(WATCHER, False)
            if self._ended or self._starts >= MOST_STARTS:
                break
            log.info("the phone page ended with %d and is started again", process.returncode)
            self._process = self._start()
        if not self._ended:
            self._notify("the phone page has ended; the show goes on", "phones")

    def _hear(self, message: dict[str, Any]) -> None:
        if "c" in message:
            client = int(message["from"])
            sent = Sent(message["c"], message["a"], f"phone {client}" if client else "guests",
                        lambda text: self._answer(client, text), self._clock() - message["age"] / 1000)  # fmt: skip
            if not self._inbox.send(sent):
                self._answer(client, "too many at once: try again")
        elif "watch" in message:
            self._welcome = self._welcome or message["watch"] > self._watching
            self._watching, self._hosts = message["watch"], message["hosts"]
            self._board.watch(WATCHER, self._watching > 0)
        elif "ready" in message:
            self._ready(message["ready"])
        elif "broke" in message:
            aside.info("the phone page: %s", message["broke"])
        elif "failed" in message:
            self._ended = True
            self._notify(f"no phone page: {message['failed']}", "phones", True)

    def _answer(self, client: int, text: str) -> None:
        """Called by the thread that draws: it waits for nothing."""
        if client:
            with suppress(queue.Full):
                self._answers.put_nowait({"t": "say", "to": client, "text": text})

    # --- to the process

    def _write(self) -> None:
        """Tell the process what is new until the show ends."""
        said, choices = {}, None
        music_due = bodies_due = 0.0
        while not self._ended:
            answer = self._next_answer()
            if answer:
                self._tell(answer)
            state, now = self._board.state, self._clock()
            if state is None or not self._watching:
                continue
            if self._welcome:
                self._welcome, said, choices = False, {}, None
            if (found := describe.describe_choices(state)) != choices:
                choices = found
                self._tell(describe.describe_lists(state, self._swatches))
            shown = describe.describe_show(state)
            if shown != said or now >= music_due:
                said, music_due = shown, now + MUSIC_SECONDS
                self._tell({"t": "state", **shown, **describe.describe_music(state, now)})
            if self._hosts and now >= bodies_due:
                bodies_due = now + BODIES_SECONDS
                if bodies := describe.describe_bodies(state):
                    self._tell(bodies)

    def _next_answer(self) -> dict[str, Any] | None:
        """The next answer if one comes before it is time to look at the state again."""
        try:
            return self._answers.get(timeout=LOOK_SECONDS if self._watching else IDLE_SECONDS)
        except queue.Empty:
            return None

    def _tell(self, message: dict[str, Any]) -> None:
        _write_line(self._process, message)


def _write_line(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    """One line for the process; nothing if it is gone."""
    assert process.stdin is not None
    with suppress(OSError, ValueError):
        process.stdin.write(json.dumps(message, separators=(",", ":")) + "\n")
        process.stdin.flush()
