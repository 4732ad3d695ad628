"""How dances are written down: text to timed tokens.

    "a b c d"        one token a beat
    "[a b] c"        a and b share the first beat; brackets nest, and three tokens make triplets
    "(a b)2 c"       the round bracket twice
    "."              nothing new: the last pose is kept until it is time to leave for the next one
    "2: a b c d"     two tokens a beat ("0.5: a b": two beats each)

A token may be several things at once, joined by "+", and may end in its easing: ~ ! / = (see ease.py).
The form is borrowed from the mini-notation of TidalCycles (McLean, 2014), which writes rhythms in the same way.
"""

from __future__ import annotations

import re

_LEX = re.compile(r"\[|\]|\(|\)\d*|[^\s\[\]()]+")
EASES = "~!/="


def parse(text: str) -> tuple[list[tuple[float, str]], float]:
    """Timed tokens [(beats from the start, token)] and the length in beats. ValueError: brackets do not match."""
    per_beat = 1.0
    if match := re.match(r"\s*(\d*\.?\d+):", text):
        per_beat = float(match.group(1))
        text = text[match.end() :]
    tree, rest = _sequence(_LEX.findall(text), "")
    if rest:
        raise ValueError(f"unmatched bracket in {text!r}")
    events: list[tuple[float, str]] = []
    _lay_out(tree, 0.0, 1.0 / per_beat, events)
    return events, len(tree) / per_beat


def _sequence(lexemes: list[str], closing: str) -> tuple[list, list[str]]:
    out: list = []
    while lexemes:
        head, lexemes = lexemes[0], lexemes[1:]
        if head == "[":
            inner, lexemes = _sequence(lexemes, "]")
            out.append(inner)
        elif head == "(":
            inner, lexemes = _sequence(lexemes, ")")
            times = inner.pop()
            out.extend(inner * times)
        elif head == "]" or head.startswith(")"):
            if closing != head[0]:
                raise ValueError(f"unexpected {head!r}")
            if closing == ")":
                out.append(int(head[1:] or 1))
            return out, lexemes
        else:
            out.append(head)
    if closing:
        raise ValueError(f"missing {closing!r}")
    return out, lexemes


def _lay_out(tree: list, start: float, slot: float, events: list[tuple[float, str]]) -> None:
    for i, item in enumerate(tree):
        at = start + i * slot
        if isinstance(item, list):
            _lay_out(item, at, slot / len(item), events)
        elif item != ".":
            events.append((at, item))


def split_ease(token: str, default: str) -> tuple[str, str]:
    """A token without its easing, and the easing."""
    if len(token) > 1 and token[-1] in EASES:
        return token[:-1], token[-1]
    return token, default


def flip_legs(token: str, turned: int = 0) -> str:
    """The mirror image of a token of the legs, for a dancer who has spun round `turned` times before."""
    parts = []
    for part in token.split("+"):
        if part[0] in "LR":
            part = {"L": "R", "R": "L"}[part[0]] + part[1:]
        elif part[0] == "@":
            left, depth = re.match(r"@(-?[\d.]+)(.*)", part).groups()  # type: ignore[union-attr]
            part = f"@{-float(left):g}{depth}"
        elif part[0] == "^":
            angle, ease = split_ease(part[1:], "")
            part = f"^{360 * turned - float(angle):g}{ease}"
        parts.append(part)
    return "+".join(parts)


def flip_body(token: str) -> str:
    """The mirror image of a token of trunk or head: names that end in L and R change places."""
    body, ease = split_ease(token, "")
    parts = []
    for part in body.split("+"):
        name, star, amount = part.partition("*")
        if name[-1] in "LR":
            name = name[:-1] + {"L": "R", "R": "L"}[name[-1]]
        parts.append(name + star + amount)
    return "+".join(parts) + ease


def flip_arms(token: str) -> str:
    """The mirror image of a token of the arms: "left|right" becomes "right|left"."""
    body, ease = split_ease(token, "")
    left, bar, right = body.partition("|")
    return (right + bar + left if bar else left) + ease
