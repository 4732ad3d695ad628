"""All dances, a file for each family of styles."""

from training.data.choreography.repertoire import (
    battle,
    birthday,
    club,
    emote,
    folk,
    groove,
    pop,
    shuffle,
    street,
    swing,
    world,
)

DANCES = (
    *club.DANCES, *pop.DANCES, *street.DANCES, *shuffle.DANCES, *swing.DANCES, *world.DANCES, *emote.DANCES,
    *groove.DANCES, *battle.DANCES, *folk.DANCES, *birthday.DANCES,
)  # fmt: skip
