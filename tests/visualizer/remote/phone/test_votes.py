"""The votes of guests: one each, counted at the end of a round, chance where they are even."""

from __future__ import annotations

import random

import pytest

from visualizer.remote.phone.votes import CHOICES, ROUND_BEATS, Votes

LOOKS = tuple(f"look {k}" for k in range(10))
ON = {"look": "look 0", "dance": None}


@pytest.fixture
def votes() -> Votes:
    votes = Votes(random.Random(1))
    assert votes.offer("look", LOOKS, "look 0")
    votes.end_round(1.0, ON)
    return votes


def choices(votes: Votes, kind: str = "look") -> list[str]:
    return [name for name, _ in votes.describe()[kind]]


def test_choices_are_few_and_not_what_is_on(votes: Votes) -> None:
    assert len(set(choices(votes))) == CHOICES
    assert set(choices(votes)) < set(LOOKS[1:])
    before = choices(votes)
    assert not votes.offer("look", LOOKS, "look 5")  # the same looks: the choice stays as it is
    assert choices(votes) == before
    assert votes.offer("look", ("a", "b"), "a")
    assert choices(votes) == ["b"]


def test_each_guest_has_one_vote_and_may_change_it(votes: Votes) -> None:
    first, second = choices(votes)[:2]
    assert votes.vote("ann", "look", first)
    assert votes.vote("bob", "look", first)
    assert votes.vote("ann", "look", second)
    assert votes.describe()["look"][:2] == [[first, 1], [second, 1]]
    for _ in range(5):
        votes.vote("bob", "look", second)
    assert votes.describe()["look"][:2] == [[first, 0], [second, 2]]


@pytest.mark.parametrize(("kind", "name"), [
    ("look", "look 0"), ("look", "nonsense"), ("style", "house"), ("blackout", "on"), ("dance", "basic"), (None, None),
    ("look", ["look 1"]), (["look"], "look 1"), ("look", 7),
])  # fmt: skip
def test_only_what_is_offered_can_be_voted_for(votes: Votes, kind: object, name: object) -> None:
    assert not votes.vote("ann", kind, name)
    assert all(count == 0 for rows in votes.describe().values() for _, count in rows)


def test_the_most_votes_win_where_the_round_ends(votes: Votes) -> None:
    first, second, *_ = choices(votes)
    for guest, name in (("ann", second), ("bob", second), ("cid", first)):
        votes.vote(guest, "look", name)
    assert votes.end_round(ROUND_BEATS - 0.01, ON) == {}
    assert votes.end_round(ROUND_BEATS + 0.01, ON) == {"look": second}
    assert second not in choices(votes)  # it is on now
    assert votes.end_round(ROUND_BEATS + 1, ON) == {}
    assert votes.end_round(2 * ROUND_BEATS, ON) == {}  # no votes, no winner


def test_chance_decides_between_equals() -> None:
    won = set()
    for seed in range(20):
        votes = Votes(random.Random(seed))
        votes.offer("look", ("on", "a", "b"), "on")
        votes.end_round(0.0, {"look": "on"})
        votes.vote("ann", "look", "a")
        votes.vote("bob", "look", "b")
        won.add(votes.end_round(ROUND_BEATS, {"look": "on"})["look"])
    assert won == {"a", "b"}
