"""The server against phones that are programs: those who play by the rules, and those who do not."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tests.support.phones import (
    GUEST_TOKEN,
    HOST_TOKEN,
    PATIENCE,
    Served,
    lists_of,
    make_state,
    open_phone,
    serve_phones,
    state_of,
)
from visualizer.remote.phone import server
from visualizer.remote.phone.server import (
    CLIENT_BURST,
    COMMAND_BURST,
    LONGEST_ARGUMENT,
    LONGEST_MESSAGE,
    MOST_OF_ONE_ADDRESS,
    OVER_LIMIT,
    WRONG,
    open_server,
)
from visualizer.remote.phone.votes import ROUND_BEATS

TOO_BIG = 1009


def show_on(served: Served, **commands: str) -> None:
    state = make_state(10.0, **commands)
    served.phones.hear_show(lists_of(state))
    served.phones.hear_show(state_of(state))


async def fetch(port: int, text: str) -> str:
    """What comes back to a request that is written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    async with asyncio.timeout(PATIENCE):
        answer = (await reader.read()).decode()
    writer.close()
    return answer


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_phone_sees_the_show_and_sends_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as phone:
            assert (await phone.hear("hello"))["host"] is True
            show_on(served, troupe="4", look="neon")
            assert (await phone.hear("lists"))["styles"] == ["salsa", "waltz", "techno"]
            shown = await phone.hear("state")
            assert (shown["troupe"], shown["look"]) == (4, "neon")
            await phone.send(c="troupe", a="7")
            await phone.send(c="blackout")
            await until(lambda: len(served.commands) == 2)
            assert served.commands == [("troupe", "7"), ("blackout", "")]
            served.phones.hear_show({"t": "say", "to": served.told[-1]["from"], "text": "black"})
            assert (await phone.hear("say"))["text"] == "black"

    asyncio.run(scenario())


def test_who_comes_late_is_told_all_that_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            show_on(served)
            async with open_phone(served.url()) as phone:
                assert await phone.hear("lists")
                assert (await phone.hear("state"))["style"] == "salsa"

    asyncio.run(scenario())


def test_an_answer_goes_to_the_phone_that_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, AsyncExitStack() as stack:
            one, two = [await stack.enter_async_context(open_phone(served.url())) for _ in range(2)]
            await one.send(c="reseed")
            await until(lambda: served.commands)
            served.phones.hear_show({"t": "say", "to": served.told[-1]["from"], "text": "for one"})
            served.phones.hear_show(state_of(make_state()))
            assert (await one.hear("say"))["text"] == "for one"
            kinds = []
            while "state" not in kinds:
                kinds.append(json.loads(await two.socket.recv())["t"])
            assert "say" not in kinds

    asyncio.run(scenario())


def test_a_tap_says_when_the_finger_fell(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as phone:
            await phone.send(ping=12.5)
            pong = await phone.hear("pong")
            assert pong["ping"] == 12.5
            for at in (pong["now"] - 80, pong["now"] - 1e9, pong["now"] + 1e9, None, True, "soon"):
                await phone.send(c="tap tempo", at=at)
            await until(lambda: len(served.commands) == 6)
            ages = [message["age"] for message in served.told if "c" in message]
            assert 80 <= ages[0] < 1000
            assert ages[1:] == [1000, 0, 0, 0, 0]  # nobody taps in the past, or in the future

    asyncio.run(scenario())


@pytest.mark.parametrize("token", ["wrong", "", HOST_TOKEN[:-1], HOST_TOKEN + "h", "%68" * 16])
def test_a_wrong_token_opens_nothing(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            with pytest.raises(InvalidStatus) as refused:
                await connect(served.url(token))
            assert refused.value.response.status_code == 404
            answer = await fetch(served.port, f"GET /{token}/ HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer.startswith("HTTP/1.1 404")
            assert "Server" not in answer
            assert served.told == []

    asyncio.run(scenario())


@pytest.mark.parametrize("text", [
    "POST / HTTP/1.1\r\nHost: x\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/1.1\r\n" + 300 * "A: b\r\n" + "\r\n",
    "GET /" + 20_000 * "a" + " HTTP/1.1\r\n\r\n", "\0\1\2\3\r\n\r\n",
])  # fmt: skip
def test_what_is_no_request_of_a_page_is_dropped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as phone:
            try:
                answer = await fetch(served.port, text)
            except ConnectionError:
                answer = ""
            assert "200" not in answer.split("\r\n")[0]
            show_on(served)
            assert await phone.hear("state")  # the others notice nothing

    asyncio.run(scenario())


@pytest.mark.parametrize(("message", "code"), [
    ('{"c": "quit"}', OVER_LIMIT), ('{"c": "juggle"}', OVER_LIMIT), ('{"c": 7}', OVER_LIMIT), ("{}", OVER_LIMIT),
    ('{"c": "look", "a": 7}', OVER_LIMIT), ("nonsense", WRONG), ("[1, 2]", WRONG), ("null", WRONG),
    ("[" * 3000, WRONG), (json.dumps({"c": "look", "a": "x" * (LONGEST_ARGUMENT + 1)}), OVER_LIMIT),
    ("x" * (LONGEST_MESSAGE + 1), TOO_BIG), (b"\xff\xfe", WRONG),
])  # fmt: skip
def test_what_the_page_never_sends_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, message: str | bytes, code: int
) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as good:
            async with open_phone(served.url()) as bad:
                await bad.socket.send(message)
                assert await bad.find_end() == code
            assert served.commands == []
            await good.send(c="reseed")
            await until(lambda: served.commands)  # the others notice nothing

    asyncio.run(scenario())


def test_a_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as good:
            async with open_phone(served.url()) as flood:
                for _ in range(20 * int(CLIENT_BURST)):
                    try:
                        await flood.send(c="reseed")
                    except Exception:  # noqa: BLE001 - it is closed by then
                        break
                assert await flood.find_end() == OVER_LIMIT
            passed = len(served.commands)
            assert CLIENT_BURST <= passed < 2 * CLIENT_BURST
            await good.send(c="blackout")
            await until(lambda: ("blackout", "") in served.commands)

    asyncio.run(scenario())


def test_all_together_may_not_ask_for_more_than_a_show_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, AsyncExitStack() as stack:
            phones = [await stack.enter_async_context(open_phone(served.url())) for _ in range(8)]
            each = int(CLIENT_BURST) - 2
            started = time.monotonic()
            for _ in range(each):
                for phone in phones:
                    await phone.send(c="reseed")
            for phone in phones:
                await phone.send(ping=1)
                await phone.hear("pong")  # all that was sent before was read
            seconds = time.monotonic() - started
            assert COMMAND_BURST <= len(served.commands) <= COMMAND_BURST + server.COMMAND_RATE * seconds + 1

    asyncio.run(scenario())


def test_a_guest_may_vote_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            show_on(served)
            async with open_phone(served.url(GUEST_TOKEN)) as guest, open_phone(served.url()) as host:
                assert (await guest.hear("hello"))["host"] is False
                rows = (await guest.hear("votes"))["look"]
                await guest.send(vote="look", name=rows[0][0])
                voted = (await guest.hear("votes"))["look"]
                assert voted[0] == [rows[0][0], 1]
                await guest.send(vote="blackout", name="on")  # nothing of the kind is voted for
                await guest.send(vote={"a": 1}, name=None)
                served.phones.hear_show({"t": "bodies", "joints": [], "place": []})
                await host.hear("bodies")
                await guest.send(c="reseed")
                assert await guest.find_end() == OVER_LIMIT
                assert served.commands == []

    asyncio.run(scenario())


def test_what_most_guests_want_is_danced_when_the_round_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url(GUEST_TOKEN)) as guest:
            state = make_state()
            served.phones.hear_show(lists_of(state))
            served.phones.hear_show({**state_of(state), "beat": ROUND_BEATS - 20.0})
            served.phones.count_votes()
            while not (names := (await guest.hear("votes"))["look"]):
                pass
            await guest.send(vote="look", name=names[1][0])
            await until(lambda: served.phones._votes.describe()["look"][1][1])
            served.phones.count_votes()
            assert served.commands == []
            served.phones.hear_show({**state_of(state), "beat": ROUND_BEATS + 0.5})
            served.phones.count_votes()
            assert served.commands == [("look", names[1][0])]
            assert (await guest.hear("won"))["name"] == names[1][0]
            again = served.phones._votes.describe()["look"][0][0]
            await guest.send(vote="look", name=again)
            await until(lambda: served.phones._votes.describe()["look"][0][1])
            served.phones.hear_show({**state_of(state), "beat": 2 * ROUND_BEATS + 0.5, "locked": True})
            served.phones.count_votes()
            assert len(served.commands) == 1  # what is locked does not change by votes either

    asyncio.run(scenario())


def test_fifty_phones_are_served_and_who_is_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, AsyncExitStack() as stack:
            phones = [await stack.enter_async_context(open_phone(served.url())) for _ in range(50)]
            show_on(served, troupe="9")
            for phone in phones:
                assert (await phone.hear("state"))["troupe"] == 9
            for _ in range(MOST_OF_ONE_ADDRESS - 50):
                await stack.enter_async_context(open_phone(served.url()))
            with pytest.raises((ConnectionError, EOFError, InvalidHandshake)):
                await connect(served.url())
            await phones[0].socket.close()
            await until(lambda: served.told[-1]["watch"] == MOST_OF_ONE_ADDRESS - 1)
            await stack.enter_async_context(open_phone(served.url()))  # there is room again

    asyncio.run(scenario())


async def connect_by_hand(served: Served) -> socket.socket:
    """A phone that takes in little and answers nothing by itself."""
    phone = socket.socket()
    phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    phone.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(phone, ("127.0.0.1", served.port))
    await loop.sock_sendall(phone, (
        f"GET /{HOST_TOKEN}/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode())  # fmt: skip
    return phone


def test_a_huge_message_is_refused_by_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            loop, phone = asyncio.get_running_loop(), await connect_by_hand(served)
            await until(lambda: served.told and served.told[-1]["watch"] == 1)
            await loop.sock_sendall(phone, b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
            heard = b""
            async with asyncio.timeout(PATIENCE):
                while part := await loop.sock_recv(phone, 65536):
                    heard += part
            assert TOO_BIG.to_bytes(2, "big") in heard
            phone.close()

    asyncio.run(scenario())


def test_who_does_not_keep_up_is_dropped_and_the_others_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served, open_phone(served.url()) as good:
            slow = await connect_by_hand(served)
            await until(lambda: served.told and served.told[-1]["watch"] == 2)
            sent = 0
            while served.told[-1]["watch"] == 2:
                served.phones.hear_show({"t": "say", "to": None, "text": "x" * 50_000, "number": sent})
                assert (await good.hear("say"))["number"] == sent
                sent += 1
                assert sent < 1000
            slow.close()

    asyncio.run(scenario())


def test_who_connects_and_says_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "OPENING_SECONDS", 0.2)

    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(b"GET / HT")
            async with asyncio.timeout(PATIENCE):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serve_phones(monkeypatch) as served:
            listening, port = await open_server(served.phones, served.phones._pages, "127.0.0.1", served.port)
            async with listening:
                assert served.port < port < served.port + server.TRIES

    asyncio.run(scenario())
