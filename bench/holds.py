"""How long the thread that hears keeps all others waiting.

    python -m bench.holds [--seconds 20]

Another thread, in the place of the one that draws, sleeps a thousandth of a second at a time and notes by how much it
wakes too late: while the ear is made, which is done once, and then while noise is heard at the pace at which sound
comes. A second line of each is of the same thread alone: what this machine and its other programs do to it.
"""

from __future__ import annotations

import argparse
import threading
import time

import numpy as np
import onnxruntime  # noqa: F401 the show has it by the time that the ear is made
import pygame  # noqa: F401 the same

NAP = 0.001  # seconds
BLOCK = 0.015  # seconds of sound that are heard at a time, as by the show


class Waits:
    """Wakes up and notes how late that was, until it is told to stop."""

    def __init__(self) -> None:
        self.late: list[float] = []  # seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            begun = time.perf_counter()
            time.sleep(NAP)
            self.late.append(time.perf_counter() - begun - NAP)

    def tell(self, name: str) -> None:
        """Stop, and print how late it was."""
        self._over.set()
        self._thread.join()
        late = 1000 * np.array(self.late)
        print(
            f"{name:34s} worst {late.max():5.1f} ms, 99% {np.percentile(late, 99):4.1f}, median {np.median(late):4.2f}"
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of sound that is heard")
    seconds = parser.parse_args().seconds

    waits, begun = Waits(), time.perf_counter()
    import sounddevice  # noqa: F401 as the thread that hears does, all of it late
    import soxr

    from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model
    from visualizer.music.analysis.features import RATE
    from visualizer.music.analysis.genre import GenreClassifier

    pipeline, genre = BeatPipeline(find_model()), GenreClassifier()
    resample = soxr.ResampleStream(2 * RATE, RATE, 1, "float32", "MQ").resample_chunk
    made = time.perf_counter() - begun
    waits.tell(f"while the ear is made, {made:.2f} s")

    draw, waits = np.random.default_rng(0), Waits()
    due = time.perf_counter()
    for _ in range(round(seconds / BLOCK)):
        heard = pipeline.push(resample(0.1 * draw.standard_normal(round(2 * RATE * BLOCK), np.float32)))
        if heard is not None:
            genre.push(pipeline.heard_rows, heard.beat, heard.bpm, heard.steady)
        due += BLOCK
        time.sleep(max(due - time.perf_counter(), 0.0))
    waits.tell(f"while {seconds:.0f} s are heard")

    for name, span in (("alone, as long as it was made", made), ("alone, as long as it was heard", seconds)):
        waits = Waits()
        time.sleep(span)
        waits.tell(name)


if __name__ == "__main__":
    main()
