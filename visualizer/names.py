"""Names as people type them: capitals, spaces, dashes and underscores make no difference."""

from __future__ import annotations

import re
from collections.abc import Iterable


def find_name(typed: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is meant: as it is written, else the only one that differs in nothing that counts."""
    there = list(names)
    if typed in there:
        return typed
    meant = [name for name in there if bare(name) == bare(typed)]
    return meant[0] if len(meant) == 1 and bare(typed) else None


def bare(name: str) -> str:
    """What of a name counts."""
    return re.sub(r"[\s_-]+", "", name.casefold())
