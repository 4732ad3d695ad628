"""How outputs are written on the command line: "camera,ndi" or "camera,pipe:ffmpeg -i - …"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from visualizer.errors import UserError

PLAIN = ("camera", "ndi", "spout", "syphon")
PIPES = ("pipe", "raw-pipe")  # Matroska; frames without any header
NAMES = (*PLAIN, *PIPES)


@dataclass(frozen=True)
class OutputName:
    """One output that was asked for; `where` is what follows the colon, "" for nothing."""

    kind: str
    where: str = ""

    def __str__(self) -> str:
        """Without the address of a stream, which may hold a key."""
        return self.kind if self.kind in PIPES or not self.where else f"{self.kind}:{self.where}"


def split_outputs(text: str) -> tuple[OutputName, ...]:
    """The outputs in a text with commas between them. What follows "pipe:" goes on to the end: commands hold commas.

    UserError for a name that no output has, a pipe to nowhere, and one that is there twice.
    """
    found: list[OutputName] = []
    rest = text.strip()
    while rest:
        kind, colon, after = rest.partition(":")
        if colon and kind.strip() in PIPES:
            found.append(OutputName(kind.strip(), after.strip()))
            break
        word, _, rest = (part.strip() for part in rest.partition(","))
        kind, _, where = word.partition(":")
        found.append(OutputName(kind, where))
    kinds = [each.kind for each in found]
    for each in found:
        if each.kind not in NAMES:
            raise UserError(f"no output is called '{each.kind[:40]}'; there are: {', '.join(NAMES)}")
        if each.kind in PIPES and not each.where:
            raise UserError(
                f"output {each.kind}: say where to, as {each.kind}:COMMAND, {each.kind}:/PATH or {each.kind}:-"
            )
        if each.where and each.kind not in (*PIPES, "camera"):
            raise UserError(f"output {each.kind}: nothing follows its name")
        if kinds.count(each.kind) > 1:
            raise UserError(f"output {each.kind} is there twice")
    if not found:
        raise UserError(f"no output is named; there are: {', '.join(NAMES)}")
    return tuple(found)


class OutputNames:
    """What --output takes."""

    metavar = "NAME[,NAME...]"
    span = f"{', '.join(NAMES)}, several between commas"
    types = (str,)

    def read(self, name: str, given: Any) -> str:
        return str(given)

    def check(self, name: str, value: str) -> str:
        split_outputs(value)
        return value
