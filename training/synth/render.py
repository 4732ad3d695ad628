"""Plays the tunes that train the ear: FluidSynth with a General MIDI soundfont, and drums, basses and voices made here.

Mono float32 at the ear's rate. Everything starts when the score says: no sound is moved.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import mido
import numpy as np
import soxr
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from training.synth.compose import Sound, Tune
from training.synth.genres import VOICES
from training.synth.plan import Part
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE, Floats

SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),  # Debian's fluid-soundfont-gm, MIT
    Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3"),  # Debian's musescore-general-soundfont-small, MIT
)
SYNTH_RATE = 48_000  # FluidSynth does not filter what it resamples downwards: cymbals would fold
DRUM_CHANNEL = 9
CHANNELS = {"bass": 0, "chords": 1, "lead": 2, "bridge": 3}
FORMANTS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (490, 1350, 1690),
)


def play(tune: Tune, seed: int, soundfont: Path = SOUNDFONTS[0]) -> Floats:
    """The tune as float32 mono (n,) at RATE, peak at most 1. UserError where FluidSynth or the soundfont is missing."""
    rng = np.random.default_rng((seed, 21))
    length = int((tune.seconds + 0.5) * RATE)
    band = _soundfont_parts(tune, rng, soundfont, length)
    drums = np.zeros(length, np.float32)
    for name, part in tune.parts.items():
        sounds = [s for s in tune.sounds if s.part == name]
        if not part.machine or not sounds:
            continue
        if name == "drums":
            drums += _machine_drums(sounds, part, rng, length)
        elif part.machine in ("sub", "wobble"):
            band += _synth_bass(
                sounds, part, rng, length, np.median(np.diff(tune.beats)) if len(tune.beats) > 1 else 0.5
            )
        else:
            band += _voice(sounds, part, rng, length)
    if tune.pump and drums.any():
        band *= _ducking(tune, length, rng)
    mix = band + drums
    for start, stop, loud in tune.rises:
        _add(mix, start, _riser(stop - start, loud, rng))
    mix += rng.standard_normal(length).astype(np.float32) * np.float32(10 ** rng.uniform(-5.5, -3))
    peak = float(np.abs(mix).max())
    if peak > 0:
        mix = np.tanh(mix / peak * tune.drive) / np.tanh(tune.drive)  # the master's limiter
    return (0.9 * mix).astype(np.float32)


def check_synthesiser(soundfonts: tuple[Path, ...] = SOUNDFONTS) -> None:
    """UserError with what to install, where something that `play` needs is missing."""
    if shutil.which("fluidsynth") is None:
        raise UserError("fluidsynth is missing: it plays the ear's training music (apt install fluidsynth)")
    for path in soundfonts:
        if not path.is_file():
            raise UserError(
                f"{path}: no such soundfont (apt install fluid-soundfont-gm musescore-general-soundfont-small)"
            )


def _add(mix: Floats, time: float, sound: NDArray) -> None:
    start = round(time * RATE)
    stop = min(start + len(sound), len(mix))
    if 0 <= start < stop:
        mix[start:stop] += sound[: stop - start]


# --- the soundfont ---------------------------------------------------------------------------------------------


def _soundfont_parts(tune: Tune, rng: Generator, soundfont: Path, length: int) -> Floats:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])  # a tick is a millisecond
    events: list[tuple[int, int, mido.Message]] = []
    for name, part in tune.parts.items():
        if part.machine:
            continue
        channel = DRUM_CHANNEL if name == "drums" else CHANNELS[name]
        volume = int(np.clip(90 * part.gain, 10, 127))
        track.append(mido.Message("program_change", channel=channel, program=part.program))
        track.append(mido.Message("control_change", channel=channel, control=7, value=volume))
        for sound in tune.sounds:
            if sound.part == name:
                start, stop = round(sound.time * 1000), round((sound.time + sound.seconds) * 1000)
                velocity = int(np.clip(127 * sound.loud, 1, 127))
                on = mido.Message("note_on", channel=channel, note=sound.pitch, velocity=velocity)
                events += [(start, 1, on), (stop, 0, mido.Message("note_off", channel=channel, note=sound.pitch))]
    if not events:
        return np.zeros(length, np.float32)
    now = 0
    for time, _, message in sorted(events, key=lambda e: (e[0], e[1])):
        track.append(message.copy(time=time - now))
        now = time
    with tempfile.TemporaryDirectory() as folder:
        score, sound_file = Path(folder) / "tune.mid", Path(folder) / "tune.raw"
        mido.MidiFile(ticks_per_beat=1000, tracks=[track]).save(score)
        room = ["-R", "1", "-C", "0"] if rng.random() < 0.4 else ["-R", "0", "-C", "0"]
        command = [
            "fluidsynth", "-ni", *room, "-g", "0.4", "-r", str(SYNTH_RATE), "-o", "synth.dynamic-sample-loading=1",
            "-T", "raw", "-O", "s16", "-F", str(sound_file), str(soundfont), str(score),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not sound_file.exists():
            raise UserError(f"fluidsynth failed: {' '.join((done.stderr or done.stdout).split())[-200:]}")
        stereo = np.fromfile(sound_file, np.int16).reshape(-1, 2)
    mono = soxr.resample(stereo.astype(np.float32).mean(axis=1) / 32768, SYNTH_RATE, RATE, quality="MQ")
    out = np.zeros(length, np.float32)
    out[: min(length, len(mono))] = mono[:length]
    return out


# --- drums -----------------------------------------------------------------------------------------------------


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def _high(noise: NDArray, cut: float) -> NDArray:
    return np.asarray(sosfilt(butter(2, cut, "high", fs=RATE, output="sos"), noise))


def _band(noise: NDArray, low: float, high: float) -> NDArray:
    return np.asarray(sosfilt(butter(1, (low, min(high, RATE * 0.49)), "band", fs=RATE, output="sos"), noise))


def drum(key: int, machine: str, rng: Generator) -> Floats:
    """One stroke of a synthesised drum, of random colour. `key` as in VOICES, `machine` one of MACHINES."""
    voice = {v: k for k, v in VOICES.items()}.get(key, "T")
    if voice == "K":
        low, high, fall, decay = {
            "808": (rng.uniform(40, 58), rng.uniform(80, 180), 0.02, rng.uniform(0.12, 0.5)),
            "909": (rng.uniform(45, 60), rng.uniform(180, 350), 0.02, rng.uniform(0.06, 0.16)),
        }.get(machine, (rng.uniform(45, 80), rng.uniform(100, 500), 0.015, rng.uniform(0.03, 0.12)))
        t = _time(decay * 5)
        tone = np.sin(2 * np.pi * (low * t + (high - low) * fall * (1 - np.exp(-t / fall)))) * np.exp(-t / decay)
        click = rng.standard_normal(len(t)) * np.exp(-t / 0.002) * rng.uniform(0, 0.3)
        return (np.tanh((tone + click) * rng.uniform(1, 3)) * np.minimum(t / 0.0015, 1)).astype(np.float32)
    if voice in "SR":
        decay = rng.uniform(0.04, 0.14) if voice == "S" else 0.015
        t = _time(decay * 6)
        pitch = rng.uniform(160, 240) if voice == "S" else rng.uniform(800, 1700)
        body = np.sin(2 * np.pi * pitch * t) * np.exp(-t / (decay * 0.6))
        return (
            0.5 * body + 0.5 * _high(rng.standard_normal(len(t)), rng.uniform(600, 2500)) * np.exp(-t / decay)
        ).astype(np.float32)
    if voice == "P":
        decay = rng.uniform(0.05, 0.16)
        t = _time(decay * 5)
        bursts = sum(np.where(t >= d, np.exp(-(t - d) / 0.006), 0) for d in (0, 0.009, 0.019))
        return (_band(rng.standard_normal(len(t)), 700, 3500) * (0.6 * bursts + np.exp(-t / decay))).astype(np.float32)
    if voice in "HOFCZMGag":
        decay = {"H": 0.025, "F": 0.025, "O": 0.16, "C": 0.3, "Z": 0.7, "M": 0.06, "G": 0.03}.get(
            voice, 0.06
        ) * rng.uniform(0.6, 1.6)
        t = _time(decay * 5)
        metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in rng.uniform(2000, 9000, 5)) / 5
        mix = rng.uniform(0, 0.8)
        sound = _high((1 - mix) * rng.standard_normal(len(t)) + mix * metal, rng.uniform(4000, 8000)) * np.exp(
            -t / decay
        )
        if voice in "GM":
            sound = sound * np.minimum(t / 0.008, 1)
        return (0.45 * sound).astype(np.float32)
    # everything else is struck skin, wood or metal of some pitch
    pitch = {"T": 110, "t": 190, "f": 75, "q": 210, "Q": 330, "U": 420, "B": 560, "W": 560, "V": 2400, "A": 900}.get(
        voice, 130
    )
    pitch = pitch * rng.uniform(0.8, 1.25)
    decay = {"V": 0.02, "B": 0.1, "W": 0.1, "A": 0.12}.get(voice, 0.12) * rng.uniform(0.6, 1.5)
    t = _time(decay * 5)
    tone = np.sin(2 * np.pi * pitch * (t + 0.02 * (1 - np.exp(-t / 0.02))))
    if voice in "BWA":
        tone = 0.5 * np.sign(tone) + 0.5 * np.sign(np.sin(2 * np.pi * pitch * 1.48 * t))
    return (0.6 * tone * np.exp(-t / decay)).astype(np.float32)


def _machine_drums(sounds: list[Sound], part: Part, rng: Generator, length: int) -> Floats:
    mix = np.zeros(length, np.float32)
    kit: dict[int, Floats] = {}
    balance: dict[int, float] = {}
    for sound in sounds:
        if sound.pitch not in kit:
            kit[sound.pitch] = drum(sound.pitch, part.machine, rng)
            balance[sound.pitch] = float(10 ** rng.uniform(-0.35, 0.1))
        _add(mix, sound.time, kit[sound.pitch] * np.float32(0.5 * sound.loud * part.gain * balance[sound.pitch]))
    return mix


def _ducking(tune: Tune, length: int, rng: Generator) -> Floats:
    """Gain that falls at each kick and comes back within a beat."""
    gain = np.ones(length, np.float32)
    back = rng.uniform(0.08, 0.3)
    shape = (1 - tune.pump * np.exp(-_time(back * 5) / back)).astype(np.float32)
    for sound in tune.sounds:
        if sound.part == "drums" and sound.pitch == VOICES["K"]:
            start = max(0, round(sound.time * RATE))  # a human drummer may be early for the first beat
            stop = min(start + len(shape), length)
            if start < stop:
                gain[start:stop] = np.minimum(gain[start:stop], shape[: stop - start])
    return gain


def _riser(seconds: float, loud: float, rng: Generator) -> Floats:
    t = _time(max(seconds, 0.1))
    rise = (t / t[-1]) ** 2
    noise = rng.standard_normal(len(t))
    return (loud * rise * ((1 - rise) * _band(noise, 300, 2000) + rise * _high(noise, 2000))).astype(np.float32)


# --- basses and voices -----------------------------------------------------------------------------------------


def _synth_bass(sounds: list[Sound], part: Part, rng: Generator, length: int, beat: float) -> Floats:
    mix = np.zeros(length, np.float32)
    glide = rng.uniform(0, 0.06)
    before = 0.0
    drive = rng.uniform(1, 4)
    for sound in sounds:
        t = _time(min(sound.seconds, 3.0) + 0.05)
        wanted = 440 * 2 ** ((sound.pitch + 12 * (part.machine == "wobble") - 69) / 12)
        pitch = wanted + (before - wanted) * np.exp(-t / max(glide, 1e-4)) if before else np.full(len(t), wanted)
        before = wanted
        phase = np.cumsum(pitch) / RATE
        if part.machine == "sub":
            wave = np.tanh(drive * np.sin(2 * np.pi * phase))
        else:
            rate = float(rng.choice([1, 2, 3, 4, 1.5])) / beat
            wah = 0.5 + 0.5 * np.sin(2 * np.pi * rate * (sound.time + t))
            saw = 2 * (phase % 1) - 1
            dark, bright = lfilter([0.03], [1, -0.97], saw), lfilter([0.3], [1, -0.7], saw)
            wave = (1 - wah) * dark + wah * bright
        envelope = np.minimum(t / 0.005, 1) * np.minimum((t[-1] - t) / 0.03, 1)
        _add(mix, sound.time, (0.35 * part.gain * sound.loud * wave * envelope).astype(np.float32))
    return mix


def _resonate(source: NDArray, formants: tuple[float, ...], widths: tuple[float, ...]) -> NDArray:
    """Parallel two-pole resonators, as in a formant synthesiser (Klatt, 1980)."""
    out = np.zeros(len(source))
    for k, (pitch, width) in enumerate(zip(formants, widths, strict=True)):
        radius = np.exp(-np.pi * width / RATE)
        angle = 2 * np.pi * pitch / RATE
        out += lfilter([(1 - radius) * (0.6**k)], [1, -2 * radius * np.cos(angle), radius**2], source)
    return out


def _voice(sounds: list[Sound], part: Part, rng: Generator, length: int) -> Floats:
    """A singer, a rapper or a growler: glides into the notes, consonants before them, vibrato."""
    mix = np.zeros(length, np.float32)
    size = rng.uniform(0.85, 1.25)
    octave = float(rng.choice([0, -12])) if part.machine == "voice" else -24.0
    before = 0.0
    attack = rng.uniform(0.015, 0.08)
    for sound in sounds:
        t = _time(sound.seconds + 0.04)
        wanted = 440 * 2 ** ((sound.pitch + octave - 69) / 12)
        if part.machine == "rap":
            wanted = rng.uniform(90, 180) * np.exp(-t * rng.uniform(-1, 2.5))
        pitch = wanted + (before - wanted) * np.exp(-t / 0.04) if before else wanted + np.zeros(len(t))
        before = float(pitch[-1])
        pitch = pitch * (1 + 0.012 * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t) * np.minimum(t / 0.3, 1))
        phase = np.cumsum(pitch) / RATE
        source = 2 * (phase % 1) - 1 + 0.05 * rng.standard_normal(len(t))
        if part.machine == "growl":
            source = np.tanh(3 * source) * (0.5 + rng.random(len(t))) + rng.standard_normal(len(t))
        vowel = tuple(f * size for f in FORMANTS[rng.integers(len(FORMANTS))])
        sung = _resonate(source, vowel, (80, 100, 140))
        sung = sung / (np.abs(sung).max() + 1e-9)
        envelope = np.minimum(t / attack, 1) * np.minimum((t[-1] - t) / 0.04, 1)
        if part.machine == "rap":
            envelope = envelope * np.exp(-t / 0.15)
        loud = 0.3 * part.gain * sound.loud
        _add(mix, sound.time, (loud * sung * envelope).astype(np.float32))
        if rng.random() < (0.8 if part.machine == "rap" else 0.5):  # s, t, k
            seconds = rng.uniform(0.02, 0.09)
            hiss = _band(rng.standard_normal(int(seconds * RATE)), rng.uniform(1500, 4000), 9000)
            hiss *= np.hanning(len(hiss))
            _add(mix, max(sound.time - seconds * 0.7, 0), (loud * rng.uniform(0.1, 0.6) * hiss).astype(np.float32))
    return mix
