"""What the processes of `map_parallel` do in its tests: they must find it under the same name as the test."""

from __future__ import annotations


def double(number: int) -> int:
    return 2 * number
