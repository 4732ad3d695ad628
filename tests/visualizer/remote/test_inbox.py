"""Commands from other threads: in their order, bounded as a whole and for each sender."""

from __future__ import annotations

import threading

from visualizer.remote.inbox import LONGEST_ARGUMENT, MOST, MOST_A_FRAME, MOST_OF_ONE, Inbox, Sent


def test_commands_come_out_in_their_order_a_few_at_a_time() -> None:
    inbox = Inbox()
    assert inbox.take() == []
    sent = [Sent("troupe", str(k)) for k in range(MOST_A_FRAME + 3)]
    assert all(inbox.send(each) for each in sent)
    assert inbox.take() == sent[:MOST_A_FRAME]
    assert inbox.take() == sent[MOST_A_FRAME:]
    assert inbox.take() == []


def test_one_who_floods_takes_no_room_from_others() -> None:
    inbox = Inbox()
    taken = [inbox.send(Sent("reseed", sender="flood")) for _ in range(MOST_OF_ONE + 5)]
    assert taken == [True] * MOST_OF_ONE + [False] * 5
    assert inbox.send(Sent("blackout", sender="other"))
    inbox.take()
    assert inbox.send(Sent("reseed", sender="flood"))  # there is room again


def test_all_together_have_a_bound_too() -> None:
    inbox = Inbox()
    taken = sum(inbox.send(Sent("reseed", sender=f"sender {k}")) for k in range(2 * MOST))
    assert taken == MOST


def test_a_long_argument_is_refused() -> None:
    inbox = Inbox()
    assert inbox.send(Sent("look", "x" * LONGEST_ARGUMENT))
    assert not inbox.send(Sent("look", "x" * (LONGEST_ARGUMENT + 1)))
    assert len(inbox.take()) == 1


def test_many_threads_send_and_nothing_is_lost_or_doubled() -> None:
    inbox, taken = Inbox(), []
    accepted: list[int] = []

    def send(first: int) -> None:
        for k in range(first, first + 200):
            if inbox.send(Sent("reseed", str(k), sender=f"sender {first}")):
                accepted.append(k)

    threads = [threading.Thread(target=send, args=(1000 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += inbox.take()
    while more := inbox.take():
        taken += more
    assert sorted(int(sent.argument) for sent in taken) == sorted(accepted)
    assert len(accepted) >= 4 * MOST_OF_ONE
