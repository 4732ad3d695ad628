"""Which dances may be spliced."""

from __future__ import annotations

import numpy as np

from training.data.choreography import DANCES
from training.data.dataset import Motion, written_motions
from training.data.motion.skeleton import BONES, LENGTHS
from training.data.splice_sources import SHORTEST, find_phase, gather_motion_sources
from training.data.splices import LETTERS_PER_PHRASE


def test_a_phrase_begins_where_its_letter_has_number_zero() -> None:
    for beats in range(8):
        assert (2 * beats + find_phase(beats)) % LETTERS_PER_PHRASE == 0


def test_dances_without_a_beat_and_dances_that_are_held_out_stay_away() -> None:
    (written, *_) = written_motions(DANCES[:1], 0)
    long = np.tile(written.positions, (SHORTEST, 1, 1))[: SHORTEST * 8]
    kept = Motion("kept", "s", long, long[:, 0, 0], True, False, True, "", "", phrase=3)
    held = Motion("held", "s", long, long[:, 0, 0], True, True, True, "", "")
    untimed = Motion("untimed", "s", long, long[:, 0, 0], False, False, True, "", "")
    short = Motion("short", "s", long[:-8], long[:, 0, 0], True, False, True, "", "")
    found = gather_motion_sources([written, kept, held, untimed, short])
    assert [(s.name, s.loops, s.phase) for s in found] == [(written.dance, True, 0), ("kept", False, 10)]
    lengths = np.linalg.norm(np.diff(found[0].positions[:, BONES], axis=2)[:, :, 0], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(LENGTHS, (len(lengths), 1)), atol=1e-5)
