"""Degrades music as a party does before a microphone hears it, and makes sounds without music.

Loudspeaker, room, crowd, hum, the microphone's own sound, its automatic gain, clipping: all at once, each drawn at
random. The direct sound keeps its time, so the beats stay where they were.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, iirpeak, lfilter, sosfilt

from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE, Floats

TONGUES = ("en-us", "en-gb", "de", "fr-fr", "es", "it", "pt-br", "nl", "sv", "pl", "tr", "hi", "sw", "id")
SYLLABLES = tuple(c + v for c in (*"bdfgklmnprstvz", "sh", "ch") for v in (*"aeiou", "ai", "ou"))


# --- speech and crowds -----------------------------------------------------------------------------------------


def check_speaker() -> None:
    """UserError where eSpeak NG, which speaks the crowd, is missing."""
    if shutil.which("espeak-ng") is None:
        raise UserError("espeak-ng is missing: it speaks for the crowd in the ear's training (apt install espeak-ng)")


def speak(rng: Generator) -> Floats:
    """Some ten seconds of one speaker's nonsense, float32 mono at RATE, by eSpeak NG."""
    words = ["".join(rng.choice(SYLLABLES, int(rng.integers(1, 4)))) for _ in range(int(rng.integers(20, 40)))]
    text = "".join(word + str(rng.choice([" ", " ", " ", ", ", ". ", "! ", "? "])) for word in words)
    voice = f"{rng.choice(TONGUES)}+{rng.choice(['m', 'f'])}{rng.integers(1, 5)}"
    command = [
        "espeak-ng", "-v", voice, "-s", str(rng.integers(110, 240)), "-p", str(rng.integers(15, 85)), "-a", "150", text,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        done = subprocess.run([*command, "-w", str(path)], capture_output=True, text=True, check=False)
        if done.returncode or not path.exists():
            raise UserError(f"espeak-ng failed: {' '.join((done.stderr or done.stdout).split())[-200:]}")
        samples, rate = soundfile.read(path, dtype="float32")
    samples = soxr.resample(samples, rate, RATE)
    return (samples / max(float(np.abs(samples).max()), 1e-6)).astype(np.float32)


def _loop(sound: Floats, length: int, rng: Generator) -> Floats:
    """`length` samples of a sound that goes round, from a random place."""
    return np.take(sound, np.arange(length) + int(rng.integers(len(sound))), mode="wrap")


def shouts(rng: Generator, length: int, a_second: float) -> Floats:
    """Woos, whistles, claps and glasses at random moments."""
    out = np.zeros(length, np.float32)
    for _ in range(rng.poisson(a_second * length / RATE)):
        kind = rng.random()
        seconds = rng.uniform(0.3, 1.5) if kind < 0.6 else 0.08
        t = np.arange(int(seconds * RATE)) / RATE
        if kind < 0.45:  # a woo: a noisy voice on one vowel
            pitch = rng.uniform(180, 600) * (1 + rng.uniform(-0.3, 0.5) * t / seconds)
            source = 2 * ((np.cumsum(pitch) / RATE) % 1) - 1 + 0.6 * rng.standard_normal(len(t))
            sound = _resonance(source, rng.uniform(350, 900)) + 0.5 * _resonance(source, rng.uniform(900, 2500))
            sound = sound / (np.abs(sound).max() + 1e-9) * np.hanning(len(t))
        elif kind < 0.6:  # a whistle
            pitch = rng.uniform(1200, 3500) * (1 + rng.uniform(-0.3, 0.3) * np.sin(np.pi * t / seconds))
            sound = 0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.hanning(len(t))
        elif kind < 0.85:  # a clap
            sound = _resonance(rng.standard_normal(len(t)), rng.uniform(800, 2500)) * np.exp(-t / 0.012)
            sound = sound / (np.abs(sound).max() + 1e-9)
        else:  # glasses
            sound = 0.5 * np.sin(2 * np.pi * rng.uniform(2500, 7000) * t) * np.exp(-t / 0.03)
        start = int(rng.integers(max(length - len(t), 1)))
        stop = min(start + len(t), length)
        out[start:stop] += (rng.uniform(0.2, 1.0) * sound[: stop - start]).astype(np.float32)
    return out


def _resonance(source: NDArray, pitch: float) -> NDArray:
    b, a = iirpeak(pitch, 6, fs=RATE)
    return np.asarray(lfilter(b, a, source))


def crowd(rng: Generator, length: int, speakers: Sequence[Floats]) -> Floats:
    """Talking and shouting, root mean square 1. `speakers` are recordings of `speak`; a crowd of one is speech."""
    talkers = int(rng.choice([1, 2, 4, 8, 16, 30]))
    out = np.zeros(length, np.float32)
    for _ in range(talkers):
        voice = _loop(speakers[int(rng.integers(len(speakers)))], length, rng)
        out += voice * np.float32(10 ** rng.uniform(-0.7, 0))
    out /= np.float32(np.sqrt(talkers))
    if rng.random() < 0.6:
        out += np.float32(10 ** rng.uniform(-0.8, 0.3)) * shouts(rng, length, float(rng.uniform(0.1, 3)))
    if rng.random() < 0.2:  # applause
        t = np.arange(2400) / RATE
        clap = (_resonance(rng.standard_normal(2400), 1500) * np.exp(-t / 0.01)).astype(np.float32)
        hits = (rng.random(length) < rng.uniform(20, 200) / RATE) * rng.random(length)
        out += np.float32(10 ** rng.uniform(-0.5, 0.5)) * fftconvolve(hits, clap)[:length].astype(np.float32)
    return out / max(_level(out), 1e-6)


def noise(rng: Generator, length: int) -> Floats:
    """Hiss of some colour, hum of the mains, an engine; root mean square 1."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    pitch = np.fft.rfftfreq(length, 1 / RATE)
    out = np.fft.irfft(spectrum / np.maximum(pitch, 20) ** rng.uniform(0, 1.2), length)
    out = out / (_level(out) + 1e-12)
    if rng.random() < 0.5:
        out = out + rng.uniform(0.1, 2) * hum(rng, length)
    return (out / _level(out)).astype(np.float32)


def hum(rng: Generator, length: int) -> Floats:
    """The mains, 50 or 60 Hz and its multiples, root mean square 1."""
    t = np.arange(length) / RATE
    base = float(rng.choice([50, 60]))
    out = sum(10 ** rng.uniform(-2, 0) * np.sin(2 * np.pi * (base * k * t + rng.random())) for k in range(1, 9))
    return np.asarray(out / _level(np.asarray(out)), np.float32)


def clicks(rng: Generator, length: int) -> Floats:
    """Steps, keys, dishes, a door: a few kinds of knocks at times of no tempo, root mean square 1."""
    out = np.zeros(length)
    for _ in range(int(rng.integers(1, 4))):
        t = np.arange(int(rng.uniform(0.01, 0.12) * RATE)) / RATE
        knock = _resonance(rng.standard_normal(len(t)), rng.uniform(150, 6000)) * np.exp(-5 * t / t[-1])
        if rng.random() < 0.5:
            knock = knock + 0.3 * rng.standard_normal(len(t)) * np.exp(-t / 0.003)
        # From quite random to a slow typist: gaps of a gamma distribution whose spread is .4 of its mean or more.
        shape = float(rng.uniform(0.8, 6))
        apart = rng.gamma(shape, 1 / (shape * rng.uniform(0.4, 7)), int(8 * length / RATE) + 8)
        at = (np.cumsum(apart) * RATE).astype(int)
        hits = np.zeros(length)
        hits[at[at < length]] = rng.uniform(0.2, 1.0, int((at < length).sum()))
        out += fftconvolve(hits, knock)[:length] * 10 ** rng.uniform(-0.7, 0)
    return (out / max(_level(out), 1e-6)).astype(np.float32)


def without_music(rng: Generator, seconds: float, speakers: Sequence[Floats]) -> Floats:
    """Speech, a crowd, knocks, noise or silence, float32 at RATE: what must not be danced to."""
    length = int(seconds * RATE)
    kind = rng.random()
    if kind < 0.2:  # one to three who talk
        out = np.zeros(length, np.float32)
        for _ in range(int(rng.choice([1, 1, 2, 3]))):
            out += _loop(speakers[int(rng.integers(len(speakers)))], length, rng) * np.float32(rng.uniform(0.4, 1))
    elif kind < 0.5:
        out = crowd(rng, length, speakers)
    elif kind < 0.58:
        out = shouts(rng, length, float(rng.uniform(0.3, 6)))
    elif kind < 0.72:
        out = clicks(rng, length)
    elif kind < 0.84:
        out = noise(rng, length)
    elif kind < 0.9:
        return (rng.standard_normal(length) * 10 ** rng.uniform(-6, -3)).astype(np.float32)
    elif kind < 0.95:  # one long chord or tone: an orchestra tunes, a machine whines
        t = np.arange(length) / RATE
        out = sum(np.sin(2 * np.pi * rng.uniform(60, 2000) * t) for _ in range(int(rng.integers(1, 6))))
        out = out + 0.05 * rng.standard_normal(length)
    else:
        return np.zeros(length, np.float32)
    if rng.random() < 0.6:
        out = out + 10 ** rng.uniform(-2.5, -0.3) * noise(rng, length) * _level(out)
    return (0.2 * out / max(_level(out), 1e-6)).astype(np.float32)


# --- what happens to the sound ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Harm:
    """How badly each thing is done, all drawn by `harm`. Decibels unless said otherwise; None: not done."""

    mp3: float | None = None  # Hz above which nothing is left
    squash: float = 0.0  # of the loudspeaker's compressor, 0..1
    drive: float | None = None  # into the loudspeaker's soft limit
    echo: float | None = None  # seconds until the room is 60 dB quieter
    direct: float = 10.0  # direct sound over reverberation
    crowd: float | None = None  # music over crowd
    noise: float | None = None  # music over noise
    hum: float | None = None  # music over hum
    low: float | None = None  # Hz, microphone's lower end
    high: float | None = None  # Hz, microphone's upper end
    peaks: int = 0  # resonances of the microphone's case
    agc: bool = False  # automatic gain
    clip: float | None = None  # how far the converter is overdriven
    gain: float = 0.0


def harm(rng: Generator, badly: float = 1.0) -> Harm:
    """Draw how a party harms music; `badly` 0..1 is how much of it at once."""

    def maybe(chance: float, low: float, high: float) -> float | None:
        return float(rng.uniform(low, high)) if rng.random() < chance * badly else None

    return Harm(
        mp3=maybe(0.3, 5000, 11_000),
        squash=maybe(0.4, 0.2, 0.9) or 0.0,
        drive=maybe(0.3, 1.0, 12.0),
        echo=maybe(0.75, 0.15, 1.4),
        direct=float(rng.uniform(-5, 15)),
        crowd=maybe(0.55, -3, 25),
        noise=maybe(0.6, 3, 40),
        hum=maybe(0.15, 5, 30),
        low=maybe(0.6, 50, 350),
        high=maybe(0.6, 2800, 10_500),
        peaks=int(rng.integers(0, 4)) if rng.random() < badly else 0,
        agc=bool(rng.random() < 0.25 * badly),
        clip=maybe(0.2, 1.0, 12.0),
        gain=float(rng.uniform(-40, 0)),
    )


def harm_at_once(rng: Generator) -> Harm:
    """Draw a party at its worst: room, crowd, a phone's microphone with automatic gain, clipping and a low level, all
    of them together."""
    return replace(
        harm(rng),
        echo=float(rng.uniform(0.3, 1.3)),
        direct=float(rng.uniform(-8, 4)),
        crowd=float(rng.uniform(0, 7)),
        noise=float(rng.uniform(12, 35)),
        low=float(rng.uniform(60, 350)),
        high=float(rng.uniform(2800, 9000)),
        agc=bool(rng.random() < 0.8),
        clip=float(rng.uniform(1, 10)) if rng.random() < 0.8 else None,
        gain=float(rng.uniform(-48, -12)),
    )


def room(rng: Generator, echo: float, direct: float) -> Floats:
    """Impulse response: the direct sound first, a few early echoes, noise that falls by 60 dB in `echo` seconds.

    `direct` is the level of the direct sound over all that follows, dB. Treble dies sooner than bass, as in real rooms.
    """
    length = int(min(echo * 1.2, 1.5) * RATE)
    t = np.arange(length) / RATE
    tail = rng.standard_normal(length) * 10 ** (-3 * t / echo)
    dull = np.asarray(lfilter([0.35], [1, -0.65], tail))
    tail = tail * np.exp(-t / (0.3 * echo)) + 1.5 * dull
    tail[: int(rng.uniform(0.004, 0.02) * RATE)] = 0
    for _ in range(int(rng.integers(2, 8))):
        at = int(rng.uniform(0.002, 0.05) * RATE)
        if at < length:
            tail[at] += rng.uniform(-1, 1) * 3
    tail *= 10 ** (-direct / 20) / max(float(np.sqrt((tail**2).sum())), 1e-9)
    tail[0] = 1.0
    return tail.astype(np.float32)


def _level(samples: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _follow(samples: Floats, seconds: float) -> NDArray:
    """Level over time: the square smoothed by a one-pole filter, which looks at the past only."""
    share = 1 - np.exp(-1 / (seconds * RATE))
    return np.sqrt(np.asarray(lfilter([share], [1, share - 1], np.square(samples, dtype=np.float64))) + 1e-10)


def degrade(samples: Floats, how: Harm, rng: Generator, speakers: Sequence[Floats]) -> Floats:
    """`samples` (n,) as a microphone at a party hears them, float32 (n,), in -1..1, beats where they were."""
    out: NDArray = np.asarray(samples, np.float32)
    length = len(out)
    if how.mp3:
        out = np.asarray(sosfilt(butter(6, how.mp3, fs=RATE, output="sos"), out))
    if how.squash:
        out = out / np.maximum(_follow(out, rng.uniform(0.01, 0.15)), 1e-3) ** how.squash
    if how.drive:
        out = np.tanh(out / max(float(np.abs(out).max()), 1e-6) * 10 ** (how.drive / 20))
    if how.echo:
        out = fftconvolve(out, room(rng, how.echo, how.direct))[:length]
    level = max(_level(out), 1e-6)
    out = out / level
    if how.crowd is not None:
        out = out + 10 ** (-how.crowd / 20) * crowd(rng, length, speakers)
    if how.noise is not None:
        out = out + 10 ** (-how.noise / 20) * noise(rng, length)
    if how.hum is not None:
        out = out + 10 ** (-how.hum / 20) * hum(rng, length)
    if how.low:
        out = np.asarray(sosfilt(butter(int(rng.integers(1, 3)), how.low, "high", fs=RATE, output="sos"), out))
    if how.high:
        out = np.asarray(sosfilt(butter(int(rng.integers(1, 4)), how.high, fs=RATE, output="sos"), out))
    for _ in range(how.peaks):
        b, a = iirpeak(rng.uniform(200, 6000), rng.uniform(1, 6), fs=RATE)
        out = out + rng.uniform(-0.7, 1.5) * np.asarray(lfilter(b, a, out))
    if how.agc:
        out = out / (_follow(out, rng.uniform(0.3, 2.0)) + 0.05 * _level(out))
    out = out / max(float(np.abs(out).max()), 1e-6)
    if how.clip:
        out = np.clip(out * 10 ** (how.clip / 20), -1, 1)
    out = out * 10 ** (how.gain / 20)
    return np.round(out * 32767).astype(np.float32) / np.float32(32767)  # 16 bits, as most converters give
