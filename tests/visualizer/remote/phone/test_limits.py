"""Buckets: so many at once, so many a second, each address by itself."""

from __future__ import annotations

from visualizer.remote.phone.limits import MOST_KEYS, Bucket, Buckets


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = Bucket(rate=2.0, burst=3.0, left=3.0, at=0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]  # it holds no more than a burst


def test_addresses_do_not_share_a_bucket() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    assert buckets.take("a", 0.0)
    assert not buckets.take("a", 0.0)
    assert buckets.take("b", 0.0)


def test_no_more_addresses_are_remembered_than_there_is_room_for() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)
    for k in range(3 * MOST_KEYS):
        assert buckets.take(str(k), k / 1e6)
    assert len(buckets._buckets) <= MOST_KEYS
    assert not buckets.take(str(3 * MOST_KEYS - 1), 0.003)  # the latest is still known
