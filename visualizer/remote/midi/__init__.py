"""MIDI: controls that are learned by a touch, the clock of other machines, and our own for them.

`controls_map.py` knows which control is which command, `midi_in.py` listens, `midi_clock.py` counts ticks and makes
them. The libraries are of the extra `midi`.
"""
