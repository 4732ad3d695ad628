"""The scenes in which `bench.ear` lets clips be heard, and the sounds that must not be danced to.

`PARTY` is the recipe that the training music is spoiled with (`training.synth.augment`), random for each clip.
`OTHER` is a recipe of this file alone, so that what was only learned of the first one shows: a shoebox room by image
sources (Allen and Berkley, *Image method for efficiently simulating small-room acoustics*, 1979), a crowd, a phone's
microphone with automatic gain that clips, a low level, and real codecs before the loudspeaker and after the microphone
- all of them at once, always.
"""

from __future__ import annotations

import hashlib
import inspect
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from training.synth.augment import crowd, degrade, harm, room, speak
from training.synth.voices import find_speakers, read_stretches
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE, Floats

PLAIN, PARTY, OTHER = "as they are", "through a microphone at a party", "at another party, which training never uses"
SPEED_OF_SOUND = 343.0  # m/s
REACH = 9  # reflections a wall, on either side
CODECS = {  # before the loudspeaker: music as it is streamed; after the microphone: a call
    "music": (("libopus", "48k", "ogg"), ("aac", "64k", "adts"), ("libmp3lame", "96k", "mp3")),
    "phone": (("libopus", "24k", "ogg"), ("libopus", "16k", "ogg"), ("libmp3lame", "32k", "mp3")),
}


@dataclass(frozen=True)
class Voices:
    """Speech for crowds and for what must not be danced to: recordings under a folder, each subfolder a speaker or
    several; None: eSpeak NG."""

    folder: Path | None = None

    @property
    def name(self) -> str:
        """Tells one set from another."""
        if self.folder is None:
            return "espeak"
        files = (path for some in find_speakers(self.folder) for path in some)
        listed = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
        return hashlib.sha256(listed.encode()).hexdigest()[:12]

    @cached_property
    def speakers(self) -> list[Floats]:
        """Twelve or more stretches of some ten seconds of speech, float32 at RATE, peak 1."""
        rng = np.random.default_rng(3)
        if self.folder is None:
            return [speak(rng) for _ in range(12)]
        groups = find_speakers(self.folder)
        return read_stretches(groups, max(12, 2 * len(groups)), rng)


# --- the other party -------------------------------------------------------------------------------------------


def shoebox(rng: Generator, near: float, far: float) -> Floats:
    """Impulse response of a rectangular room between two random points that are `near` to `far` metres apart. It begins
    with the direct sound, of height 1."""
    size = rng.uniform((4.0, 3.0, 2.4), (14.0, 9.0, 4.5))
    source, ear = (rng.uniform(0.5, size - 0.5) for _ in range(2))
    for _ in range(50):
        if near <= float(np.linalg.norm(source - ear)) <= far:
            break
        source, ear = (rng.uniform(0.5, size - 0.5) for _ in range(2))
    kept = rng.uniform(0.7, 0.9)  # of the pressure at each reflection
    order = np.arange(-REACH, REACH + 1)
    distances, bounces = [], []
    for axis in range(3):
        # Images at 2nL ± s; the sign says through how many walls the sound came.
        images = np.concatenate([2 * order * size[axis] + source[axis], 2 * order * size[axis] - source[axis]])
        distances.append(images - ear[axis])
        bounces.append(np.concatenate([np.abs(2 * order), np.abs(2 * order - 1)]))
    square = distances[0][:, None, None] ** 2 + distances[1][:, None] ** 2 + distances[2] ** 2
    count = (bounces[0][:, None, None] + bounces[1][:, None] + bounces[2]).ravel()
    away = np.sqrt(square).ravel()
    direct = float(np.linalg.norm(source - ear))
    at = np.round((away - direct) / SPEED_OF_SOUND * RATE).astype(int)
    inside = at < RATE
    response = np.zeros(RATE)
    np.add.at(response, at[inside], (kept**count * direct / np.maximum(away, 0.1))[inside])
    # Walls and air take the treble: the later, the duller.
    dull = np.asarray(lfilter([0.3], [1, -0.7], response))
    share = np.exp(-np.arange(RATE) / (0.12 * RATE))
    return (share * response + (1 - share) * dull).astype(np.float32)


def through_codec(samples: Floats, codec: tuple[str, str, str]) -> Floats:
    """The sound encoded and decoded by ffmpeg, as long as before. UserError where ffmpeg fails."""
    name, rate, kind = codec
    with tempfile.TemporaryDirectory() as folder:
        wav, coded, back = (str(Path(folder) / file) for file in ("in.wav", f"coded.{kind}", "out.wav"))
        soundfile.write(wav, samples, RATE, subtype="FLOAT")
        base = ["ffmpeg", "-v", "error", "-y"]
        commands = ([*base, "-i", wav, "-c:a", name, "-b:a", rate, "-f", kind, coded],
                    [*base, "-i", coded, "-ar", str(RATE), "-ac", "1", "-c:a", "pcm_f32le", back])  # fmt: skip
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise UserError(f"ffmpeg failed: {' '.join(done.stderr.split())[-200:]}")
        heard = np.asarray(soundfile.read(back, dtype="float32")[0], np.float32)
    delay = _delay(samples, heard)
    heard = heard[delay:] if delay >= 0 else np.concatenate([np.zeros(-delay, np.float32), heard])
    out = np.zeros(len(samples), np.float32)
    out[: min(len(out), len(heard))] = heard[: len(out)]
    return out


def _delay(before: Floats, after: Floats) -> int:
    """Samples by which a codec delays a sound: where both fit best within a tenth of a second."""
    most = RATE // 10
    a, b = before[: 10 * RATE], after[: 10 * RATE]
    fit = fftconvolve(b, a[::-1])
    middle = len(a) - 1
    return int(np.argmax(fit[middle - most : middle + most + 1])) - most


def at_another_party(samples: Floats, seed: int, voices: Voices) -> Floats:
    """`samples` (n,) as a phone at a crowded party hears them, float32 (n,), beats where they were."""
    rng = np.random.default_rng((seed, 77))
    length = len(samples)
    out = through_codec(samples, CODECS["music"][int(rng.integers(3))])
    out = _tilt(out, rng.uniform(-4, 4), 900)
    out = np.tanh(out / max(float(np.abs(out).max()), 1e-6) * rng.uniform(1.0, 2.5))
    out = fftconvolve(out, shoebox(rng, 1.5, 5.0))[:length]
    talk = _babble(rng, length, voices.speakers)
    music, noisy = _rms(out), _rms(talk)
    out = out / music + talk / noisy * 10 ** (-rng.uniform(0, 6) / 20)
    out = np.asarray(sosfilt(butter(2, rng.uniform(80, 220), "high", fs=RATE, output="sos"), out))
    out = np.asarray(sosfilt(butter(4, rng.uniform(3500, 8000), fs=RATE, output="sos"), out))
    out = _automatic_gain(out, rng.uniform(0.02, 0.06), rng.uniform(0.4, 1.2))
    out = out / _rms(out) * 10 ** (-rng.uniform(8, 13) / 20)
    out = np.clip(out * 10 ** (rng.uniform(3, 8) / 20), -1, 1)
    out = out + rng.standard_normal(length) * 10 ** (-rng.uniform(38, 55) / 20)
    out = np.round(out * 10 ** (-rng.uniform(12, 36) / 20) * 32767) / 32767
    return through_codec(out.astype(np.float32), CODECS["phone"][int(rng.integers(3))])


def _rms(samples: NDArray) -> float:
    return max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6)


def _tilt(samples: NDArray, decibels: float, corner: float) -> NDArray:
    """More treble and less bass by so many decibels each, or the other way round."""
    low = np.asarray(sosfilt(butter(1, corner, fs=RATE, output="sos"), samples))
    return low * 10 ** (-decibels / 20) + (samples - low) * 10 ** (decibels / 20)


def _babble(rng: Generator, length: int, speakers: Sequence[Floats]) -> NDArray:
    """Twenty to fifty talkers near and far, in two places of a room, and laughter-like bursts of their loudness."""
    places = [shoebox(rng, 0.5, 4.0) for _ in range(2)]
    out = np.zeros(length)
    for place in places:
        dry = np.zeros(length)
        for _ in range(int(rng.integers(10, 25))):
            voice = speakers[int(rng.integers(len(speakers)))]
            dry += np.take(voice, np.arange(length) + int(rng.integers(len(voice))), mode="wrap") / rng.uniform(0.7, 4)
        out += fftconvolve(dry, place)[:length]
    swell = np.interp(np.arange(length), np.linspace(0, length, 12), 10 ** (rng.uniform(-3, 3, 12) / 20))
    return out * swell


def _automatic_gain(samples: NDArray, attack: float, release: float) -> NDArray:
    """Gain that falls at once and comes back slowly, block by block of 10 ms."""
    block = RATE // 100
    levels = np.sqrt(np.mean(np.square(samples[: len(samples) // block * block].reshape(-1, block)), axis=1)) + 1e-4
    follow, now = np.empty(len(levels)), float(levels[0])
    for i, level in enumerate(levels.tolist()):
        now += (level - now) * (0.01 / attack if level > now else 0.01 / release)
        follow[i] = now
    gain = np.interp(np.arange(len(samples)), np.arange(len(levels)) * block, follow**-0.8)
    return samples * gain


def at_a_party(samples: Floats, seed: int, voices: Voices) -> Floats:
    """`samples` (n,) spoiled as the training music is, always alike."""
    rng = np.random.default_rng(seed)
    return degrade(samples, harm(rng), rng, voices.speakers)


SCENES: dict[str, Callable[[Floats, int, Voices], Floats]] = {
    PLAIN: lambda samples, seed, voices: samples,
    PARTY: at_a_party,
    OTHER: at_another_party,
}


def recipe_version(scene: str) -> str:
    """Changes with the code that a scene is made by."""
    if scene == PLAIN:
        return ""
    parts = (degrade, harm, crowd, room) if scene == PARTY else (
        shoebox, through_codec, _delay, at_another_party, _tilt, _babble, _automatic_gain,
    )  # fmt: skip
    return hashlib.sha256("\n".join(map(inspect.getsource, parts)).encode()).hexdigest()


# --- without music ---------------------------------------------------------------------------------------------


def beatless(voices: Voices, seconds: float) -> dict[str, Floats]:
    """Sounds that must not be danced to, by name, of the given length each."""
    rng, length, speakers = np.random.default_rng(7), int(seconds * RATE), voices.speakers
    sounds = {"silence": np.zeros(length, np.float32)}
    sounds["hiss"] = (rng.standard_normal(length) * 1e-3).astype(np.float32)

    def talk(count: int) -> Floats:
        out = np.zeros(length, np.float32)
        for _ in range(count):
            order = rng.permutation(len(speakers))
            out += np.resize(np.roll(np.concatenate([speakers[k] for k in order]), int(rng.integers(RATE))), length)
        return out * np.float32(0.3 / np.sqrt(count))

    for name, count in (("1 voice", 1), ("1 voice b", 1), ("3 voices", 3), ("babble", 16)):
        sounds[name] = talk(count)
    for name in ("1 voice", "3 voices"):
        far = fftconvolve(sounds[name], shoebox(rng, 1.5, 5.0))[:length]
        sounds[f"{name}, room"] = (far / np.abs(far).max() * 0.4).astype(np.float32)
    far = fftconvolve(talk(1), room(rng, 0.8, 0.0))[:length]
    sounds["1 voice, hall"] = (far / np.abs(far).max() * 0.2).astype(np.float32)
    for k in range(3):
        sounds[f"crowd {k + 1}"] = 0.1 * crowd(rng, length, speakers)
    hits = (rng.random(length) < 2.5 / RATE) * rng.uniform(0.2, 1.0, length)
    click = rng.standard_normal(240) * np.exp(-np.arange(240) / 40)
    sounds["clicks"] = (0.5 * fftconvolve(hits, click)[:length] + 1e-4 * rng.standard_normal(length)).astype(np.float32)
    return sounds
