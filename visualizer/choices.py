"""What commands have changed for good: the next show begins with it, by the settings file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass
class _Choice:
    """A setting as it was before the first command changed it, as the last one left it, and when that was, s."""

    before: Any
    after: Any
    time: float


class Choices:
    """Settings that commands have changed. `time` is that of the command being done, seconds on the driver's clock."""

    def __init__(self) -> None:
        self.time = -math.inf
        self._choices: dict[str, _Choice] = {}

    def note(self, key: str, before: Any, after: Any) -> None:
        """A command has changed the setting `key`."""
        first = self._choices[key].before if key in self._choices else before
        self._choices[key] = _Choice(first, after, self.time)

    def find_changes(self, until: float = math.inf) -> dict[str, Any]:
        """What differs from the beginning, by the settings' names; None takes a line out of the file.

        `until`: what was changed after that is left out.
        """
        changes = {
            key: choice.after
            for key, choice in self._choices.items()
            if choice.after != choice.before and choice.time <= until
        }
        if "style" in changes:
            changes["dance"] = None  # the one in the file may be of another style
        return changes
