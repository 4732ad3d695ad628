"""Messages for people, and for how long they are shown."""

from __future__ import annotations

import threading

import pytest

from visualizer.messages import MOST_TOASTS, TOAST_SECONDS, Toasts


def test_a_toast_takes_the_place_of_the_last_of_its_topic() -> None:
    toasts = Toasts()
    for text, topic in (("a", ""), ("10 ms", "time"), ("b", ""), ("20 ms", "time"), ("a", "")):
        toasts(text, topic)
    assert toasts.show(0.0) == ("a", "b", "20 ms", "a")


def test_toasts_come_and_go() -> None:
    toasts = Toasts()
    assert toasts.show(0.0) == ()
    toasts("style: waltz")
    assert toasts.show(1.0) == ("style: waltz",)
    assert toasts.show(1.0 + TOAST_SECONDS - 0.1) == ("style: waltz",)
    assert toasts.show(1.0 + TOAST_SECONDS + 0.1) == ()


def test_only_the_last_few_are_shown() -> None:
    toasts = Toasts()
    for number in range(20):
        toasts(str(number))
    assert toasts.show(0.0) == tuple(map(str, range(20 - MOST_TOASTS, 20)))


def test_in_the_dark_only_answers_are_shown_and_the_rest_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    toasts = Toasts()
    toasts("microphone is gone")
    toasts("black", "black", True)
    assert toasts.show(0.0, dark=True) == ("black",)
    assert sorted(r.getMessage() for r in caplog.records) == [
        "toast, in the dark: microphone is gone", "toast: black",
    ]  # fmt: skip


def test_any_thread_may_say_something_and_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "visualizer")
    toasts = Toasts()
    threads = [threading.Thread(target=lambda k=k: [toasts(f"{k} {n}") for n in range(50)]) for k in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        toasts.show(0.0)
    toasts.log_rest()
    said = {r.getMessage().removeprefix("toast: ") for r in caplog.records}
    assert said == {f"{k} {n}" for k in range(4) for n in range(50)}
