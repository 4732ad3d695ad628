"""All dances, a file for each family of styles."""

from training.data.choreography.repertoire import club, emote, pop, shuffle, street, swing, world

DANCES = (
    *club.DANCES, *pop.DANCES, *street.DANCES, *shuffle.DANCES, *swing.DANCES, *world.DANCES, *emote.DANCES,
)  # fmt: skip
