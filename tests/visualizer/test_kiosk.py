"""A show that is left to itself: started again, with nothing on the keyboard that ends it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pygame
import pytest

from tests.support.live_fakes import FakeTime, FakeWindow, make_live
from visualizer import kiosk
from visualizer.commands import run_command
from visualizer.kiosk import STEADY_SECONDS, WAITS, fit_to_kiosk, keep_running
from visualizer.options import Settings


class FakeShow:
    """A process that ends with a code after so many seconds, or is interrupted."""

    def __init__(self, code: int, seconds: float, time: FakeTime, interrupted: bool = False) -> None:
        self.code, self.seconds, self.time, self.interrupted = code, seconds, time, interrupted
        self.told: list[str] = []

    def wait(self, timeout: float | None = None) -> int:
        if timeout is not None:
            raise subprocess.TimeoutExpired("visualizer", timeout)
        self.time.now += self.seconds
        if self.interrupted and not self.told:
            raise KeyboardInterrupt
        return self.code

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")


def watch(*shows: tuple[int, float]) -> tuple[int, list[float], list[list[str]]]:
    """The code, the waits and the words that shows were started with."""
    time, waits, started = FakeTime(), list[float](), list[list[str]]()
    coming = [FakeShow(code, seconds, time) for code, seconds in shows]

    def start(words: list[str]) -> Any:
        started.append(words)
        return coming.pop(0)

    code = keep_running(["--kiosk", "--look", "neon"], start=start, clock=time, sleep=waits.append)
    assert not coming
    return code, waits, started


def test_it_is_started_again_after_longer_and_longer_waits() -> None:
    code, waits, started = watch((1, 3), (-11, 3), (2, 0.1), *[(1, 1)] * 6, (1, STEADY_SECONDS), (1, 1), (0, 5))
    assert code == 0
    assert waits == [*WAITS, *[WAITS[-1]] * 3, WAITS[0], WAITS[1]]
    assert started == [["--kiosk", "--look", "neon"]] * 12


@pytest.mark.parametrize("code", [0, 130, 143])
def test_a_show_that_was_told_to_end_is_not_started_again(code: int) -> None:
    assert watch((code, 1))[:2] == (code, [])


def test_a_signal_ends_the_show_too() -> None:
    show = FakeShow(0, 1, FakeTime(), interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        keep_running([], start=lambda words: show)  # type: ignore[arg-type,return-value]
    assert show.told == ["terminate", "kill"]


def test_the_show_knows_that_it_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(kiosk.subprocess, "Popen", lambda command, **more: asked.update(command=command, **more))
    kiosk.start_show(["--kiosk"])
    assert asked["command"] == [sys.executable, "-m", "visualizer", "--kiosk"]
    assert not kiosk.is_watched()
    monkeypatch.setenv(kiosk.WATCHED, asked["env"][kiosk.WATCHED])
    assert kiosk.is_watched()


def test_full_screen_and_nothing_is_remembered() -> None:
    fitted = fit_to_kiosk(Settings(window=(640, 480), from_file=frozenset({"window"})))
    assert (fitted.window, fitted.remember) == (None, False)
    assert fit_to_kiosk(Settings(window=(640, 480), from_cli=frozenset({"window"}))).window == (640, 480)


def test_no_key_and_no_window_manager_ends_it() -> None:
    live = make_live()
    live.kiosk = True
    window = live.window
    assert isinstance(window, FakeWindow)
    for k in range(4):
        live.handle([pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE)], 100 + k / 10)
    live.handle([pygame.event.Event(pygame.QUIT)], 101.0)
    live.handle([pygame.event.Event(pygame.KEYDOWN, key=pygame.K_f)], 101.0)
    live.handle([pygame.event.Event(pygame.MOUSEMOTION, rel=(4, 4))], 101.0)
    assert live.running
    assert not window.fullscreen
    assert window.pointer == []
    assert live.toasts.show(101.0) == ()
    live.toggle_help()
    run_command(live.show, "quit", 102.0)
    assert not live.help
    run_command(live.show, "next look", 103.0)  # all else is as ever
    assert live.toasts.show(103.0)
