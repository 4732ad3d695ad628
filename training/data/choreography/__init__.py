"""Dances written as code: key poses in musical time over a small grammar.

    from training.data.choreography import DANCES, perform
    performance = perform(DANCES[0], energy=0.8, seed=3)

The notation is explained in notation.py (rhythm), feet.py (steps) and poses.py (arms, trunk, head, hands); the dances
themselves are in repertoire/, a file for each family of styles.
"""

from __future__ import annotations

from training.data.choreography.dance import Dance, Performance, perform
from training.data.choreography.repertoire import DANCES

__all__ = ["DANCES", "Dance", "Performance", "perform"]
