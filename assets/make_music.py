"""The program's own music: sixteen bars at 120 BPM, made of sines and noise. Writes own_music.ogg beside itself.

    python assets/make_music.py

Beat 0 is sample 0 and the end runs into the beginning: every tail and the reverb are wrapped around (circular
convolution), so it loops without a seam. The same samples on every run.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000
BPM = 120
BARS = 16
BEAT = RATE * 60 // BPM  # samples
LENGTH = BARS * 4 * BEAT
Signal = NDArray[np.float64]

# D minor, four bars: Dm9, B flat maj7, F add9, C6. MIDI numbers; bass note, then the chord.
CHORDS = ((38, (53, 57, 60, 64)), (34, (53, 57, 58, 62)), (41, (55, 57, 60, 65)), (36, (52, 55, 57, 64)))
# The tune, in sixteenths of its four bars: (start, length, note).
TUNE = ((0, 3, 69), (3, 3, 72), (6, 4, 74), (12, 2, 72), (14, 2, 69), (16, 3, 70), (19, 3, 69), (22, 6, 65),
        (32, 3, 72), (35, 3, 69), (38, 4, 67), (44, 2, 65), (46, 2, 67), (48, 6, 64), (56, 4, 67),
        (60, 4, 64))  # fmt: skip


def hertz(note: float) -> float:
    return 440 * 2 ** ((note - 69) / 12)


def seconds(length: float) -> Signal:
    return np.arange(int(length * RATE)) / RATE


def fade(length: float, attack: float, decay: float) -> Signal:
    """Rise over `attack` seconds, fall with time constant `decay`, back to zero at the end (no clicks)."""
    t = seconds(length)
    return np.minimum(t / attack, 1) * np.exp(-t / decay) * np.minimum((length - t) / 0.005, 1)


def tone(note: float, length: float, bright: float, attack: float, decay: float) -> Signal:
    """Saw of sines up to about `bright` Hz, so nothing folds back."""
    t = seconds(length)
    base = hertz(note)
    wave = np.zeros_like(t)
    for k in range(1, max(int(3 * bright / base), 1) + 1):
        wave += np.sin(2 * np.pi * base * k * t) / k / (1 + (base * k / bright) ** 2)
    return wave * fade(length, attack, decay)


def kick() -> Signal:
    t = seconds(0.3)
    phase = 2 * np.pi * (46 * t + 110 * 0.028 * (1 - np.exp(-t / 0.028)))
    return np.sin(phase) * fade(0.3, 0.001, 0.09)


def noise(rng: np.random.Generator, length: float, low: float, high: float, decay: float) -> Signal:
    raw = np.fft.rfft(rng.standard_normal(int(length * RATE)))
    bins = np.fft.rfftfreq(int(length * RATE), 1 / RATE)
    raw *= (bins > low) & (bins < high)
    wave = np.fft.irfft(raw, int(length * RATE)) * fade(length, 0.0008, decay)
    return wave / np.abs(wave).max()


def compose() -> Signal:
    """Float64 (LENGTH, 2), peak 0.89."""
    rng = np.random.default_rng(7)
    drums, chords, wet, duck = np.zeros((LENGTH, 2)), np.zeros((LENGTH, 2)), np.zeros((LENGTH, 2)), np.ones(LENGTH)

    def put(bus: Signal, wave: Signal, beat: float, gain: float, pan: float = 0.0, room: float = 0.0) -> None:
        where = (np.arange(len(wave)) + round(beat * BEAT)) % LENGTH
        both = wave[:, None] * gain * np.array([np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4)])
        bus[where] += both
        wet[where] += both * room

    for bar in range(BARS):
        root, notes = CHORDS[bar % 4]
        part = bar // 4  # the piece opens up: groove, hats and plucks, tune, everything
        for sixteenth in range(16):
            beat = bar * 4 + sixteenth / 4
            if sixteenth in (2, 3, 6, 7, 10, 11, 14, 15) and (sixteenth % 2 == 0 or part % 2):
                octave = 12 if sixteenth in (7, 14) else 0
                put(chords, tone(root + octave, 0.24, 420, 0.004, 0.16), beat, 0.34)
            if part >= 1 and sixteenth % 2 == (bar % 2):
                note = notes[(sixteenth * 3 + bar) % 4] + 12
                put(chords, tone(note, 0.35, 1500, 0.003, 0.09), beat, 0.075, np.sin(sixteenth), 0.5)
        for i, note in enumerate(notes):
            for at, length in ((0.0, 1.4), (1.5, 0.9), (2.5, 1.4)):  # a pushed rhythm against the four to the floor
                for detune in (-0.06, 0.05):
                    put(
                        chords,
                        tone(note + detune, length * 0.5, 900, 0.012, 0.5),
                        bar * 4 + at,
                        0.042,
                        i / 2 - 0.75,
                        0.35,
                    )
    for repeat in (2, 3):
        for start, length, note in TUNE:
            put(chords, tone(note, length / 8 + 0.2, 1900, 0.01, 0.25), repeat * 16 + start / 4, 0.10, 0.15, 0.6)
    for beat in range(BARS * 4):
        last_bar = beat >= BARS * 4 - 4
        if not (last_bar and beat % 4 >= 2):  # a breath before it starts over
            put(drums, kick(), beat, 0.85)
            dip = 0.65 * np.exp(-seconds(0.4) / 0.11) * np.minimum((0.4 - seconds(0.4)) / 0.05, 1)
            duck[(np.arange(len(dip)) + beat * BEAT) % LENGTH] -= dip
        if beat % 2:
            put(drums, noise(rng, 0.25, 900, 7000, 0.05), beat, 0.26, 0.1, 0.3)
        if beat >= 16:
            put(drums, noise(rng, 0.12, 7000, 16000, 0.035), beat + 0.5, 0.15, -0.2)
        if beat >= 32:
            for quarter in (0.25, 0.75):
                put(drums, noise(rng, 0.06, 8000, 16000, 0.015), beat + quarter, 0.06, 0.35)
    for k, at in enumerate((2.0, 2.5, 3.0, 3.25, 3.5, 3.75)):  # fill
        put(drums, noise(rng, 0.2, 500, 6000, 0.045), BARS * 4 - 4 + at, 0.14 + 0.02 * k, 0.1, 0.3)

    tail = rng.standard_normal((LENGTH, 2)) * np.exp(-np.arange(LENGTH) / RATE / 0.35)[:, None]
    tail *= 0.35 / np.sqrt((tail**2).sum(axis=0))
    echo = np.fft.irfft(np.fft.rfft(wet, axis=0) * np.fft.rfft(tail, axis=0), LENGTH, axis=0)
    mix = drums + (chords + echo) * duck[:, None]
    mix = np.tanh(mix)
    return 0.89 * mix / np.abs(mix).max()


def write(path: Path, music: Signal) -> None:
    """Opus in Ogg: the smallest of the free formats that every FFmpeg build reads."""
    with av.open(str(path), "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=RATE)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        stream.bit_rate = 56_000
        frame = av.AudioFrame.from_ndarray(music.astype(np.float32).reshape(1, -1), format="flt", layout="stereo")
        frame.rate = RATE
        fifo = av.AudioFifo()
        fifo.write(frame)
        for piece in fifo.read_many(960, partial=True):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    target = Path(__file__).with_name("own_music.ogg")
    write(target, compose())
    print(f"{target}: {LENGTH / RATE:.0f} s, {target.stat().st_size / 1000:.0f} kB")
