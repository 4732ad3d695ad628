"""Signals ask for the end, and are handed back as they were."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from visualizer.stop import SIGNALS, Stopped, asked_to_stop


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_taken_in_and_the_second_ends_it_at_once(number: int) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with asked_to_stop() as stop:
        assert (stop.signal, stop.name) == (0, "")
        send(number)
        assert (stop.signal, stop.name) == (number, signal.Signals(number).name)
        with pytest.raises(Stopped) as ended:
            send(signal.SIGTERM)
        assert ended.value.code == 143
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert stop.signal == number
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_who_has_nothing_to_put_away_is_ended_by_the_first() -> None:
    with asked_to_stop(patient=False):
        with asked_to_stop() as stop:
            send(signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    with asked_to_stop(patient=False), pytest.raises(Stopped):
        send(signal.SIGTERM)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up here")
def test_what_nohup_has_started_goes_on_without_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asked_to_stop() as stop:
            send(signal.SIGHUP)
            assert stop.signal == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_on_another_thread_no_signal_is_touched() -> None:
    seen = []

    def film() -> None:
        with asked_to_stop() as stop:
            seen.append((stop.signal, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=film)
    thread.start()
    thread.join()
    assert seen == [(0, signal.getsignal(signal.SIGTERM))]
