"""What can be spliced: dances in musical time with a beat, on our bones, that training may see."""

from __future__ import annotations

from training.data.dataset import Motion, Take
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.splices import AFTER, LETTERS_PER_PHRASE, Source
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

SHORTEST = 2 * AFTER // STEPS_PER_LETTER  # letters


def find_phase(phrase: int) -> int:
    """Letters of a phrase that have passed when a dance begins whose first phrase begins after `phrase` beats."""
    return -phrase * (STEPS_PER_BEAT // STEPS_PER_LETTER) % LETTERS_PER_PHRASE


def gather_motion_sources(motions: list[Motion]) -> list[Source]:
    """Sources out of motions in memory."""
    made = [
        Source(m.dance or m.clip, m.style, fit_skeleton(m.positions).positions, find_phase(m.phrase), not m.captured)
        for m in motions
        if m.timed and not m.held_out
    ]
    return [s for s in made if s.loops or s.letters >= SHORTEST]


def gather_take_sources(takes: list[Take]) -> list[Source]:
    """Sources out of a data set: of each dance the take that has the body in space."""
    made = [
        Source(t.dance or t.clip, t.style, fit_skeleton(t.read("positions")).positions, find_phase(t.phrase),
               not t.captured)
        for t in takes
        if t.timed and not t.held_out and "positions" in t.group
    ]  # fmt: skip
    return [s for s in made if s.loops or s.letters >= SHORTEST]
