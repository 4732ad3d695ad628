"""Pictures are converted on one thread and written on another: in order and bounded, and failures are told."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from visualizer.film import encoder
from visualizer.film.convert import Box
from visualizer.film.encoder import PAINTED, PREPARED, Encoder

SIZE = (8, 8)


class Writer:
    """Notes what it is given. `gate` holds `write` up; the picture of the number `fails` cannot be converted."""

    def __init__(self, fails: int | None = None) -> None:
        self.gate = threading.Event()
        self.fails = fails
        self.prepared: list[int] = []
        self.written: list[tuple[int, int]] = []
        self.threads: set[str] = set()
        self.ended = ""
        self.full = threading.Event()  # as many are converted as may wait

    def prepare(self, pixels: np.ndarray, changed: Box | None) -> int:
        value = int(pixels[0, 0, 0])
        if value == self.fails:
            raise ZeroDivisionError
        self.threads.add(threading.current_thread().name)
        self.prepared.append(value)
        if len(self.prepared) >= PREPARED + 2:
            self.full.set()
        return value

    def write(self, picture: int, number: int) -> None:
        assert self.gate.wait(60)
        self.threads.add(threading.current_thread().name)
        self.written.append((picture, number))

    def close(self, frames: int) -> None:
        self.ended = f"closed after {frames}"

    def leave(self) -> None:
        self.ended = "left"

    def estimate(self, written: int, frames: int) -> int | None:
        return None

    def remove(self) -> None:
        self.ended += ", removed"


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    made = Writer()
    monkeypatch.setattr(encoder, "_writer", lambda *_: made)
    return made


def put_all(film: Encoder, count: int) -> None:
    for k in range(count):
        film.put(np.full((*SIZE, 4), k, np.uint8))


def test_pictures_are_converted_ahead_and_written_in_order(writer: Writer, tmp_path: Path) -> None:
    film = Encoder(tmp_path / "a.mp4", SIZE, 30)
    count = PAINTED + PREPARED + 2  # one is in hand on either side of the second queue, so nobody waits here
    put_all(film, count)
    assert writer.full.wait(60)  # while the first is still being written
    assert not writer.written
    assert len(writer.prepared) <= PREPARED + 2
    writer.gate.set()
    film.finish()
    assert writer.written == [(k, k) for k in range(count)]
    assert writer.ended == f"closed after {count}"
    assert writer.threads == {"converter", "encoder"}


def test_a_picture_that_cannot_be_converted_ends_the_film(writer: Writer, tmp_path: Path) -> None:
    writer.fails = 3
    writer.gate.set()
    film = Encoder(tmp_path / "a.mp4", SIZE, 30)
    with pytest.raises(ZeroDivisionError):
        put_all(film, 1000)
    with pytest.raises(ZeroDivisionError):
        film.finish()
    film.abandon()
    assert writer.written == [(k, k) for k in range(len(writer.written))]
    assert len(writer.written) <= 3
    assert writer.ended == "left, removed"


def test_an_abandoned_film_is_not_closed(writer: Writer, tmp_path: Path) -> None:
    film = Encoder(tmp_path / "a.mp4", SIZE, 30)
    put_all(film, 5)
    writer.gate.set()
    film.abandon()
    assert writer.ended == "left, removed"
