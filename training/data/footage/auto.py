"""Which way of finding the figure fits a video: each that is there looks at the same pictures, and is scored.

A good mask holds one figure, whole, in most of the pictures; its size is steady, for a dancer does not grow; and others
see the same. The network that sees people knows best where a person is, the screens know best where the outline runs:
`key` and `shadow` are preferred where they agree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.eyes import open_eyes, own_method
from training.data.footage.figure import KEPT, NO_FIGURE, TWO, Figure
from training.data.footage.masks import NO_NETWORK, Wish
from training.data.footage.video import Picture
from visualizer.errors import UserError

TRIED = ("key", "shadow", "still", "person")
SHARP = ("key", "shadow")  # their outline is sharper than the network's
WORTH = 0.25  # least share of pictures with one whole figure
AGREE = 0.85  # IoU with the network's masks from which a sharp method sees the same figure
CLOSE = 0.05  # share of the pictures that a sharp method may miss more of than the network
STEADY = 0.35  # spread of the logarithm of the area, of a figure whose area counts half
SIDE = 160  # lines of the masks that are compared
TWO_SEEN = 2  # pictures with two people from which two are looked for


@dataclass(frozen=True)
class Trial:
    """How one method did: in how many of `looked` pictures it saw one `whole` figure, and in how many anybody; how
    `steady` the area is and how well others agree, 0 to 1; `pairs`: pictures in which it saw two people."""

    method: str
    whole: int
    seen: int
    looked: int
    steady: float
    agrees: float
    pairs: int = 0

    @property
    def score(self) -> float:
        return self.whole / max(1, self.looked) * self.steady * (0.4 + 0.6 * self.agrees)


def _small(figure: Figure, picture: Picture) -> NDArray[np.bool_]:
    """The figure in the whole picture, `SIDE` lines high."""
    whole = np.zeros(picture.shape[:2], np.uint8)
    left, top, wide, high = figure.box
    whole[top : top + high, left : left + wide] = figure.mask
    width = max(1, round(SIDE * picture.shape[1] / picture.shape[0]))
    return cv2.resize(whole, (width, SIDE), interpolation=cv2.INTER_AREA) > 127


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def try_methods(looks: Sequence[Picture], wish: Wish, where: Path) -> list[Trial]:
    """Each method of `TRIED` that is there and can work, on the same pictures."""
    masks: dict[str, list[NDArray[np.bool_] | None]] = {}
    seen: dict[str, int] = {}
    pairs = 0
    for name in TRIED:
        if name == "person" and wish.bundle is None:
            continue
        mine = replace(wish, method=name, people=2, bundle=wish.bundle if name == "person" else None)
        try:
            eyes = open_eyes(mine, own_method(mine, looks, where), where, follow=False)
        except UserError:  # no screen of one colour, too few pictures: another method's video
            masks[name], seen[name] = [None] * len(looks), 0
            continue
        masks[name], seen[name] = [], 0
        for picture in looks:
            sights = eyes.see(picture, 0.0)
            best = max(sights, key=lambda s: s.figure.box[3] if s.figure else 0)
            good = best.verdict == KEPT or (name == "person" and best.verdict == TWO)
            masks[name].append(_small(best.figure, picture) if good and best.figure else None)
            seen[name] += best.verdict != NO_FIGURE
            pairs += len(sights) == 2
        eyes.close()
    return [_judge(name, masks, seen[name], pairs if name == "person" else 0) for name in masks]


def _judge(name: str, masks: dict[str, list[NDArray[np.bool_] | None]], seen: int, pairs: int) -> Trial:
    mine = masks[name]
    areas = np.array([m.sum() for m in mine if m is not None], np.float64)
    spread = float(np.std(np.log(areas))) if len(areas) > 1 else 0.0
    # Others are asked in the pictures in which they see somebody; where the network is, it alone.
    others = ["person"] if name != "person" and "person" in masks else [n for n in masks if n != name]
    agreed = []
    for other in others:
        both = [(a, b) for a, b in zip(mine, masks[other], strict=True) if a is not None and b is not None]
        if both:
            agreed.append(float(np.mean([_overlap(a, b) for a, b in both])))
    if name == "person":
        agreed.append(1.0)  # its masks were compared with its landmarks already
    steady = float(1 / (1 + (spread / STEADY) ** 2))
    return Trial(name, len(areas), seen, len(mine), steady, max(agreed, default=0.5), pairs)


def choose_method(looks: Sequence[Picture], wish: Wish, where: Path) -> tuple[Wish, str]:
    """The wish with the method that does best on these pictures, and a line that says why. UserError where none sees
    anybody."""
    trials = try_methods(looks, wish, where)
    person = next((t for t in trials if t.method == "person"), None)
    best = max(trials, key=lambda t: t.score)
    sharp = [t for t in trials if t.method in SHARP and t.whole and person is not None and t.agrees >= AGREE
             and t.whole >= person.whole - CLOSE * t.looked]  # fmt: skip
    if sharp:
        best = max(sharp, key=lambda t: t.score)
    if best.whole < WORTH * best.looked:  # who sees most tells best what is wrong: two dancers, or one cut off
        best = max(trials, key=lambda t: t.seen)
    if best.seen < WORTH * best.looked:
        hint = "another --method, or --crop?" if person is not None else NO_NETWORK
        told = ", ".join(f"{t.seen} by {t.method}" for t in trials)
        raise UserError(f"{where}: no dancer to be seen in {best.looked} pictures (figures in {told}); {hint}")
    two = person is not None and (wish.who != "largest" or person.pairs >= TWO_SEEN)
    if two and person is not None:  # the others see one figure, whoever it is
        best = person
    others = ", ".join(f"{t.method} {t.whole}" for t in trials if t is not best)
    why = f"method {best.method}: one whole figure in {best.whole} of {best.looked} pictures ({others})"
    if two:
        why += "; it tells people apart"
    elif best in sharp:
        why += f", as the network sees it (IoU {best.agrees:.2f}), with a sharper outline"
    elif person is None:
        why += "; the network that sees people is not there"
    return replace(wish, method=best.method, people=2 if two else 1), why


def settle(looks: Sequence[Picture], wish: Wish, where: Path) -> tuple[Wish, str]:
    """A wish whose method is known: chosen where it is auto. With the line that says what was chosen, or ""."""
    if wish.who != "largest" and wish.bundle is None:
        raise UserError(f"{where}: --who needs the network that sees people; {NO_NETWORK}")
    if wish.method == "auto":
        return choose_method(looks, wish, where)
    if wish.method == "person" and wish.bundle is not None:
        return replace(wish, people=2 if wish.who != "largest" else _people(looks, wish, where)), ""
    own_method(wish, looks, where)  # what cannot work is reported now, not after hours
    return wish, ""


def _people(looks: Sequence[Picture], wish: Wish, where: Path) -> int:
    """How many people are to be looked for: two where two are seen in some of the pictures."""
    eyes = open_eyes(replace(wish, people=2), None, where, follow=False)
    pairs = sum(len(eyes.see(picture, 0.0)) == 2 for picture in looks)
    eyes.close()
    return 2 if pairs >= TWO_SEEN else 1
