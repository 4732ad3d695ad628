"""How much one client may ask for: a bucket that fills steadily and is emptied by asking."""

from __future__ import annotations

from dataclasses import dataclass

MOST_KEYS = 1000  # addresses that are remembered


@dataclass
class Bucket:
    """`burst` at once, and `rate` a second from then on."""

    rate: float
    burst: float
    left: float
    at: float  # seconds, of the latest question

    def take(self, now: float) -> bool:
        """Whether one more is within the limit at `now`, seconds; if so it counts."""
        self.left = min(self.left + (now - self.at) * self.rate, self.burst)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Buckets:
    """One bucket for each address."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: str, now: float) -> bool:
        """As of `Bucket`, of the one of `key`."""
        if key not in self._buckets and len(self._buckets) >= MOST_KEYS:
            self._forget(now)
        return self._buckets.setdefault(key, Bucket(self._rate, self._burst, self._burst, now)).take(now)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again; if there are none, the oldest half."""
        full = self._burst / self._rate
        kept = {key: each for key, each in self._buckets.items() if now - each.at < full}
        if len(kept) >= MOST_KEYS:
            kept = dict(sorted(kept.items(), key=lambda pair: pair[1].at)[len(kept) // 2 :])
        self._buckets = kept
