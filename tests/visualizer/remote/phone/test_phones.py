"""The show's side, with the real process: commands come in, answers and states go out; the show needs none of it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.live_fakes import make_live
from tests.support.phones import GUEST_TOKEN, HOST_TOKEN, PATIENCE, Phone, open_phone
from visualizer.live import LiveShow
from visualizer.remote.phone.phones import MOST_STARTS, Phones
from visualizer.stage.looks import shipped_looks

IN_STEP = 0.1  # seconds within which several phones show the same


class Party:
    """A show that runs in real time on a thread, and its page."""

    def __init__(self, port: int = 0) -> None:
        self.live: LiveShow = make_live()
        self.ports: list[int] = []
        self.heard: list[str] = []
        self._ready = threading.Event()
        self._ended = threading.Event()
        self.phones = Phones(
            {"host": "127.0.0.1", "port": port, "token": HOST_TOKEN, "guest_token": GUEST_TOKEN},
            list(shipped_looks()), self.live.inbox, self.live.board, self._notify, ready=self._found,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _found(self, port: int) -> None:
        self.ports.append(port)
        self._ready.set()

    def _notify(self, text: str, topic: str = "", asked: bool = False, /) -> None:
        self.heard.append(text)
        self._ready.set()

    def _run(self) -> None:
        while not self._ended.wait(1 / 60):
            now = time.perf_counter()
            self.live.handle([], now)
            self.live.draw_frame(now)

    def url(self, token: str = HOST_TOKEN) -> str:
        assert self._ready.wait(PATIENCE)
        return f"ws://127.0.0.1:{self.ports[-1]}/{token}/ws"

    def wait(self) -> None:
        assert self._ready.wait(PATIENCE)
        self._ready.clear()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.phones.close()


@pytest.fixture
def party() -> Iterator[Party]:
    party = Party()
    yield party
    party.close()


async def hear_until(phone: Phone, **wanted: object) -> None:
    while True:
        state = await phone.hear("state")
        if all(state[key] == value for key, value in wanted.items()):
            return


@pytest.mark.slow
def test_a_phone_runs_the_show(party: Party) -> None:
    async def scenario() -> None:
        async with open_phone(party.url()) as phone:
            assert len((await phone.hear("lists"))["looks"]) == len(shipped_looks())
            await phone.send(c="look", a="mirrorball")
            assert (await phone.hear("say"))["text"] == "look: Mirror ball"
            await hear_until(phone, look="mirrorball")
            await phone.send(c="troupe", a="twelve")
            assert "whole number" in (await phone.hear("say"))["text"]
            await phone.send(c="blackout", a="on")
            await hear_until(phone, dark=True)

    asyncio.run(scenario())
    assert party.live.show.look.name == "mirrorball"


@pytest.mark.slow
def test_phones_are_in_step(party: Party) -> None:
    """What one of them asks for is shown by all at once, and beats fall together."""

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            phones = [await stack.enter_async_context(open_phone(party.url())) for _ in range(5)]
            for phone in phones:
                await phone.hear("state")
            await phones[0].send(c="troupe", a="6")

            async def hear(phone: Phone) -> tuple[float, float]:
                while (state := await phone.hear("state"))["troupe"] != 6:
                    pass
                return time.monotonic(), state["beat"] - state["at"] / 60_000 * state["bpm"]

            heard = await asyncio.gather(*(hear(phone) for phone in phones))
        times, beats = zip(*heard, strict=True)
        assert max(times) - min(times) < IN_STEP
        assert (max(beats) - min(beats)) * 60 / 120 < IN_STEP

    asyncio.run(scenario())


@pytest.mark.slow
def test_states_are_made_only_while_a_phone_is_there(party: Party) -> None:
    async def scenario() -> None:
        party.url()
        assert not party.live.board.watched
        async with open_phone(party.url()) as phone:
            await phone.hear("state")
            assert party.live.board.watched
            assert party.phones.hosts == 1
        async with asyncio.timeout(PATIENCE):
            while party.live.board.watched:
                await asyncio.sleep(0.01)
        async with open_phone(party.url(GUEST_TOKEN)) as phone:
            await phone.hear("state")
            assert party.phones.hosts == 0

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="skipped: no signals to kill by")
def test_a_server_that_dies_is_started_again_and_in_the_end_given_up(party: Party) -> None:
    for _ in range(MOST_STARTS - 1):
        party.wait()
        os.kill(party.phones._process.pid, signal.SIGKILL)
    party.wait()
    asyncio.run(hear_one_state(party))
    os.kill(party.phones._process.pid, signal.SIGKILL)
    party.wait()
    assert party.heard == ["the phone page has ended; the show goes on"]
    assert len(party.ports) == MOST_STARTS


async def hear_one_state(party: Party) -> None:
    async with open_phone(f"ws://127.0.0.1:{party.ports[-1]}/{HOST_TOKEN}/ws") as phone:
        await phone.hear("lists")
        await phone.hear("state")


@pytest.mark.slow
def test_the_process_ends_with_the_show() -> None:
    party = Party()
    party.wait()
    process = party.phones._process
    assert process.poll() is None
    party.close()
    assert process.poll() == 0
    assert party.heard == []


@pytest.mark.slow
def test_an_address_that_is_not_ours_is_said() -> None:
    live, said = make_live(), []
    failed = threading.Event()

    def notify(text: str, topic: str = "", asked: bool = False, /) -> None:
        said.append(text)
        failed.set()

    plan = {"host": "192.0.2.1", "port": 0, "token": HOST_TOKEN, "guest_token": GUEST_TOKEN}
    phones = Phones(plan, [], live.inbox, live.board, notify)
    assert failed.wait(PATIENCE)
    phones.close()
    assert len(said) == 1
    assert said[0].startswith("no phone page: ")
