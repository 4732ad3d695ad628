"""Legs of one dance under arms of another, on the same beats: dances without a name, of which a style improvises.

A dance that is only ever seen whole is learned whole, and what a network then improvises are copies. Both grammars know
the beat, and the arms do not ask which foot carries the weight, so any two lines of the same style go together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.data.choreography.crotch import rests_before_crotch
from training.data.choreography.dance import Dance, perform

LOOK_STEPS = 8  # steps a beat at which a crossed dance is looked at
RESTS = 0.02  # largest share of steps with a hand that rests before the crotch
TRIES = 6  # partners that are tried for each dance


def cross_dances(dances: tuple[Dance, ...], seed: int) -> list[Dance]:
    """For each dance one with its legs, trunk and bounce and the arms, hands and head of another of its style, where
    one is found whose lines fit: equally long or a multiple, and no hand that rests before the crotch."""
    rng = np.random.default_rng(seed)
    made = []
    for dance in dances:
        others = [d for d in dances if d.style == dance.style and d.name != dance.name and d.arms != dance.arms]
        for i in rng.permutation(len(others))[:TRIES]:
            other = others[i]
            crossed = replace(
                dance, name=f"{dance.name} under {other.name}", arms=other.arms, head=other.head, hands=other.hands,
                ease=other.ease,
            )  # fmt: skip
            if fits(crossed):
                made.append(crossed)
                break
    return made


def fits(dance: Dance) -> bool:
    """Whether a dance can be danced as it is written and shows no hand at rest before the crotch."""
    try:
        joints = perform(dance, steps_per_beat=LOOK_STEPS).positions
    except ValueError:  # lines whose lengths do not divide one another
        return False
    return float(rests_before_crotch(joints, LOOK_STEPS).mean()) <= RESTS
