"""A `Notify` for tests: it keeps what it is told."""

from __future__ import annotations


class Said(list[str]):
    """What was said, oldest first. `take` empties it; topics are kept beside the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.topics: list[str] = []

    def __call__(self, text: str, topic: str = "", asked: bool = False, /) -> None:
        self.topics.append(topic)
        self.append(text)

    def take(self) -> list[str]:
        """What was said since the last call."""
        count = len(self)  # another thread may be adding to it
        said = self[:count]
        del self[:count], self.topics[:count]
        return said
