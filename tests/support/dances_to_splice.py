"""A few written dances as sources of splices."""

from __future__ import annotations

from training.data.choreography import DANCES, perform
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.splices import Source
from visualizer.dancer.pack import STEPS_PER_BEAT


def make_sources(count: int = 5) -> list[Source]:
    """The first dances of the repertoire, two takes of each in two styles."""
    sources = []
    for number, dance in enumerate(DANCES[:count]):
        for take in range(2):
            done = perform(dance, energy=0.4 + 0.3 * take, steps_per_beat=STEPS_PER_BEAT, seed=take)
            positions = fit_skeleton(done.positions).positions
            sources.append(Source(dance.name, f"style {number % 2}", positions, 0, loops=True))
    return sources
