"""How many true pictures of figures a core draws a second: `python -m bench.figures`."""

from __future__ import annotations

import time

import numpy as np

from training.data.choreography import DANCES, perform
from training.data.figures import draw_truths, load_people
from visualizer.dancer.sway import trace_sway

BODIES = 48


def main() -> None:
    """Print a line for each figure: bodies a second of processor time, on one core."""
    performance = perform(DANCES[2], 0.9)
    sway = trace_sway(performance.positions, 1 / 32, loop=True)
    chosen = np.linspace(0, len(sway) - 1, BODIES).astype(int)
    bodies, hands = performance.positions[chosen], performance.hands[chosen].reshape(BODIES, 4)
    people = load_people()
    draw_truths(people[0], bodies[:1], bodies[:1, 0, 0], sway[:1], hands[:1])  # compiles
    spent = []
    for figure in people:
        begin = time.thread_time()
        draw_truths(figure, bodies, bodies[:, 0, 0], sway[chosen], hands)
        spent.append((time.thread_time() - begin) / BODIES)
        print(f"{figure.name:12} {1 / spent[-1]:6.1f} bodies/s")
    print(f"{'all':12} {1 / np.mean(spent):6.1f} bodies/s")


if __name__ == "__main__":
    main()
