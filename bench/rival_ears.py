"""Beats by another beat tracker, for `bench.ear`; run by an interpreter in which that tracker is installed.

    PYTHON bench/rival_ears.py aubio|BeatNet FILE.wav ...

One line of JSON a file: beats and downbeats in seconds, told (when each beat was known, seconds of sound; null where
the tracker does not say), cpu seconds. Imports nothing of ours: the interpreter may be an old one.
"""

from __future__ import annotations

import json
import sys
import time
import types


def aubio_ear():
    """aubio's tempo, as its own command `aubiotrack` runs it, block by block."""
    import aubio  # pyright: ignore[reportMissingImports]

    hop = 512

    def find(path):
        source = aubio.source(path, 0, hop)
        tempo = aubio.tempo("default", 1024, hop, source.samplerate)
        beats, told, heard, read = [], [], 0, hop
        while read == hop:
            samples, read = source()
            heard += hop
            if tempo(samples):
                beats.append(float(tempo.get_last_s()))
                told.append(heard / source.samplerate)
        return {"beats": beats, "downbeats": None, "told": told}

    return find


def beatnet_ear():
    """BeatNet's network and particle filter, causal, over a file."""
    import collections
    import collections.abc

    import numpy as np

    # What it is built on is older than Python 3.10 and numpy 1.24.
    for name in ("MutableSequence", "Sequence", "Mapping", "MutableMapping", "Iterable"):
        setattr(collections, name, getattr(collections.abc, name))
    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object), ("complex", complex)):
        setattr(np, name, kind)
    sys.modules.setdefault("pyaudio", types.ModuleType("pyaudio"))  # for its microphone, which is not used
    from BeatNet.BeatNet import BeatNet  # pyright: ignore[reportMissingImports]

    def find(path):
        out = BeatNet(1, mode="online", inference_model="PF", plot=[], thread=False).process(path)
        return {
            "beats": [float(row[0]) for row in out],
            "downbeats": [float(row[0]) for row in out if row[1] == 1],
            "told": None,
        }

    return find


RIVALS = {"aubio": aubio_ear, "BeatNet": beatnet_ear}


def main():
    find = RIVALS[sys.argv[1]]()
    for path in sys.argv[2:]:
        begun = time.process_time()
        found = find(path)
        found["cpu"] = time.process_time() - begun
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
