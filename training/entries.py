"""What a pack tells the planner of its dances, out of their takes: how each stands at each beat of a phrase, and where
hands rest before the crotch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.choreography.crotch import before_crotch, rests_before_crotch
from training.data.dances import LETTERS_PER_BEAT, LETTERS_PER_PHRASE, Dance
from training.models.pose_basis import PoseBasis
from visualizer.dancer.entries import PLACES, describe_entries
from visualizer.dancer.pack import FRAME_METRES, STEPS_PER_BEAT, STEPS_PER_LETTER

LEAST = 5e-4  # share of a dance's steps that is told
MOST_OF = 0.5  # of the steps of a letter's move with a hand there, from which on the letter is told


def find_entries(takes: list[Dance], count: int) -> str | None:
    """How each of `count` named dances stands at each beat, as `pack.json` has it: in the take of its middle energy.
    None where there is none, or a dance has no take. In one that is shorter than a phrase the nearest beat counts."""
    before, now, way = [], [], []
    for number in range(count):
        own = [t for t in takes if t.dance == number and t.front and len(t.letters) > 1]
        if not own:
            return None
        whole = [t for t in own if len(t.letters) > LETTERS_PER_PHRASE] or [max(own, key=lambda t: len(t.letters))]
        take = sorted(whole, key=lambda t: float(t.energy.mean()))[len(whole) // 2]
        at = np.array([_find_step(take, beat * LETTERS_PER_BEAT) for beat in range(PLACES)])
        before.append(take.latent[at - 1])
        now.append(take.latent[at])
        way.append(take.travel[at] * FRAME_METRES / STEPS_PER_BEAT)
    return describe_entries(np.stack(before), np.stack(now), np.stack(way)) if count else None


def _find_step(take: Dance, place: int) -> int:
    """The last step of a take before a letter that begins when `place` letters of a phrase have passed."""

    def gap(letter: int) -> int:
        far = (take.place(letter) - place) % LETTERS_PER_PHRASE
        return min(far, LETTERS_PER_PHRASE - far)

    return min(range(1, min(len(take.letters), LETTERS_PER_PHRASE + 1)), key=gap) * STEPS_PER_LETTER - 1


def describe_planning(
    dances: list[dict[str, Any]], takes: list[Dance], moves: NDArray[np.float32], basis: PoseBasis
) -> dict[str, Any]:
    """All that is told here, as keys of `pack.json`. "dances" are the `dances` given, with "crotch" for those in which
    a hand is there at all. `moves` (K, 8, D): the mean move of each letter."""
    shares = share_before_crotch(takes, basis, len(dances))
    told = [{**d, "crotch": round(s, 3)} if s >= LEAST else d for d, s in zip(dances, shares, strict=True)]
    entries = find_entries(takes, len(dances))
    known = {} if entries is None else {"entries": entries}
    return {"dances": told, "crotch_letters": letters_before_crotch(moves, basis), **known}


def share_before_crotch(takes: list[Dance], basis: PoseBasis, count: int) -> list[float]:
    """Share of the steps of each of `count` named dances with a hand that rests before the crotch in the picture."""
    shares: list[list[float]] = [[] for _ in range(count)]
    for take in takes:
        if take.dance >= 0 and take.front:
            shares[take.dance].append(
                float(rests_before_crotch(basis.joints(take.latent), STEPS_PER_BEAT).any(axis=1).mean())
            )
    return [float(np.mean(each)) if each else 0.0 for each in shares]


def letters_before_crotch(moves: NDArray[np.float32], basis: PoseBasis) -> list[int]:
    """Letters of mean moves (K, 8, D) with which a hand is before the crotch most of the time."""
    joints = basis.joints(moves.reshape(-1, moves.shape[-1]))
    share = before_crotch(joints).reshape(*moves.shape[:2], 2).mean(axis=1)
    return np.flatnonzero((share >= MOST_OF).any(axis=1)).tolist()
