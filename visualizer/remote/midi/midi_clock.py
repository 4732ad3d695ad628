"""The clock of MIDI: 24 ticks a beat, from other machines and for them."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from visualizer.remote.state import Board, State

TICKS = 24  # a beat
BEATS_PER_BAR = 4
FITTED = 48  # ticks that the tempo is read from
GAP = 0.5  # seconds without a tick after which the count begins anew
SLOWEST, FASTEST = 30.0, 300.0  # BPM that are believed
WATCHER = "MIDI clock"
WAIT = 0.2  # seconds between two looks where there is nothing to send
LATE = 2 * TICKS  # ticks behind which they are left out


@dataclass(frozen=True)
class Beat:
    """A beat of another machine: when it fell, seconds, its tempo, and how many came before since Start; None where
    no Start was heard, so that it may as well be no beat."""

    time: float
    bpm: float
    count: int | None


class ClockIn:
    """Ticks in, beats out."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=FITTED)
        self._ticks = 0  # since Start, or since the first
        self._started = False

    def start(self) -> None:
        """The next tick is the first of a bar."""
        self._ticks, self._started = 0, True

    def stop(self) -> None:
        """No ticks count until the next start."""
        self._started = False
        self._times.clear()

    def tick(self, now: float) -> Beat | None:
        """A tick at `now`, seconds: the beat that it is, if it is one and the tempo is known."""
        if self._times and not 0 < now - self._times[-1] < GAP:
            self._times.clear()
            self._started = self._started and self._ticks == 0
        self._times.append(now)
        number, self._ticks = self._ticks, self._ticks + 1
        if number % TICKS or len(self._times) < TICKS:
            return None
        time_now, seconds = self._fit()
        bpm = 60 / (TICKS * seconds)
        if not SLOWEST <= bpm <= FASTEST:
            return None
        return Beat(time_now, bpm, number // TICKS if self._started else None)

    def _fit(self) -> tuple[float, float]:
        """When the latest tick was and how long one takes, seconds, by the line through all that are kept."""
        count = len(self._times)
        middle, mean = (count - 1) / 2, sum(self._times) / count
        spread = sum((k - middle) ** 2 for k in range(count))
        seconds = sum((k - middle) * (at - mean) for k, at in enumerate(self._times)) / spread
        return mean + (count - 1 - middle) * seconds, seconds


class ClockOut:
    """Ticks of the danced beat for other machines, until it is closed. `send` is given the kind of each message."""

    def __init__(
        self, send: Callable[[str], None], board: Board, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:  # fmt: skip
        self._send, self._board, self._clock = send, board, clock
        self._ended = threading.Event()
        board.watch(WATCHER)
        self._thread = threading.Thread(target=self._run, name="MIDI clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop ticking, and say so."""
        self._board.watch(WATCHER, False)
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        sent: int | None = None  # the latest tick
        while not self._ended.is_set():
            state = self._board.state
            if state is None:
                self._ended.wait(WAIT)
                continue
            due = find_ticks(state, self._clock(), sent)
            for number in due:
                if sent is None and number % (TICKS * BEATS_PER_BAR):
                    continue  # the first is that of a bar
                self._send("clock" if sent is not None else "start")
                if sent is None:
                    self._send("clock")
                sent = number
            self._ended.wait(find_wait(state, self._clock()))
        if sent is not None:
            self._send("stop")


def find_ticks(state: State, now: float, sent: int | None) -> range:
    """The ticks that are due at `now`, seconds, after the `sent` one. Where musical time leaps ahead by more than LATE
    ticks, whole bars of them are left out; it never runs back."""
    latest = math.floor(TICKS * _beat(state, now))
    if sent is None:
        return range(latest, latest + 1)
    first = sent + 1
    if latest - sent > LATE:
        bar = TICKS * BEATS_PER_BAR
        first = latest - (latest - sent) % bar if (latest - sent) % bar <= LATE else latest
    return range(first, latest + 1)


def find_wait(state: State, now: float) -> float:
    """Seconds until the next tick."""
    ticks = TICKS * _beat(state, now)
    return min(max((math.floor(ticks) + 1 - ticks) * 60 / (TICKS * state.bpm), 0.0005), WAIT)


def _beat(state: State, now: float) -> float:
    return state.beat + (now - state.time) * state.bpm / 60
