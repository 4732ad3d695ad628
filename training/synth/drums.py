"""Drums: grooves of a genre, changed a little or drawn from nothing, and what is played of them in each bar."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from training.synth.genres import CRASH, LOUDNESS, VOICES, Genre
from training.synth.plan import Bar, Note, Plan


def draw_groove(rng: Generator, style: Genre, meter: int, steps: int) -> dict[str, str]:
    """Voice -> pattern; out of the genre's, changed a little, or drawn from nothing."""
    if not style.grooves or (rng.random() < 0.12 and style.weight < 2.9):
        groove = make_up_groove(rng, meter, steps)
    else:
        words = str(style.grooves[rng.integers(len(style.grooves))]).split()
        groove = dict(zip(words[::2], words[1::2], strict=True))
    if rng.random() < 0.35 and "K" in groove:  # a kick of this tune's own
        signs = list(groove["K"])
        for _ in range(int(rng.integers(1, 4))):
            i = int(rng.integers(len(signs)))
            signs[i] = "x" if signs[i] == "." else (signs[i] if i == 0 and rng.random() < 0.7 else ".")
        groove["K"] = "".join(signs)
    if rng.random() < 0.15:  # the hats go elsewhere
        for a, b in (("H", "C"), ("C", "H")):
            if a in groove and b not in groove:
                groove[b] = groove.pop(a)
                break
    if rng.random() < 0.12 and len(groove) > 1:
        del groove[str(rng.choice(list(groove)))]
    return groove


def make_up_groove(rng: Generator, meter: int, steps: int) -> dict[str, str]:
    """A groove of no genre: a kick, a snare, hats and up to two more voices."""
    length = steps * meter
    kick, snare = _make_up_kick(rng, meter, steps), _make_up_snare(rng, meter, steps)
    straight = steps == 4
    hats = (
        "x" * length,
        ("x" + "." * (steps - 1)) * meter,
        "x." * (length // 2) if straight else "x.x" * meter,
        "..x." * meter if straight else "..x" * meter,
        "xo" * (length // 2 + 1),
    )[int(rng.integers(5))][:length]
    groove = {
        "K": kick,
        str(rng.choice(["S", "S", "P", "R"])): snare,
        str(rng.choice(["H", "H", "C", "G", "O", "M"])): hats,
    }
    for voice in rng.choice(list("QqUWATtVBf"), int(rng.integers(0, 3)), replace=False):
        groove[str(voice)] = "".join("x" if rng.random() < 0.22 else "." for _ in range(length))
    return groove


def _make_up_kick(rng: Generator, meter: int, steps: int) -> str:
    length = steps * meter
    beat = np.arange(length) % steps == 0
    bars = int(rng.choice([1, 1, 2]))
    even = np.where(np.arange(length) % 2 == 0, 0.25, 0.1)
    chance = np.where(np.arange(length) == 0, 0.92, np.where(beat, 0.35, even))
    kick = "".join("x" if rng.random() < p else "." for _ in range(bars) for p in chance)
    if rng.random() < 0.25:
        kick = ("x" + "." * (steps - 1)) * meter
    return kick


def _make_up_snare(rng: Generator, meter: int, steps: int) -> str:
    length = steps * meter
    snare = ["."] * length
    for i in range(meter):
        if (i % 2 == 1) if meter != 3 else (i > 0):
            snare[i * steps] = "X"
    if rng.random() < 0.2:  # half time
        snare = ["."] * length
        snare[(meter // 2) * steps] = "X"
    for i in range(length):
        if snare[i] == "." and rng.random() < 0.08:
            snare[i] = str(rng.choice(["o", "x", "?", "-"]))
    return "".join(snare)


def write_drums(plan: Plan, bar: Bar, start: int, number: int) -> list[Note]:
    """What the drummer plays in bar `number`, which begins at beat `start`."""
    rng = plan.rng
    if not plan.drummed or "drums" not in bar.layers:
        return _write_without_groove(plan, bar, start)
    groove = plan.grooves[0] if bar.section % 3 or rng.random() < 0.5 else plan.grooves[1]
    fill_from = float(bar.beats)
    if bar.last and rng.random() < 0.6 and not plan.dull:
        fill_from = bar.beats - float(rng.choice([0.5, 1, 1, 2, 4]))
    notes = _write_groove(plan, groove, bar, start, number, fill_from)
    if not plan.dull:
        for _ in range(rng.poisson(0.5)):  # ghosts and slips
            at = rng.integers(bar.beats * plan.steps) / plan.steps
            key = int(rng.choice([36, 38, 38, 42, 46]))
            notes.append(Note(start + at, 0.2, "drums", key, float(rng.uniform(0.2, 0.6))))
    if fill_from < bar.beats:
        notes += _write_fill(plan, bar, start, fill_from)
    if bar.first and number and rng.random() < 0.6:
        notes.append(Note(start, 0.5, "drums", CRASH, 0.9))
    return notes


def _write_without_groove(plan: Plan, bar: Bar, start: int) -> list[Note]:
    """Hats alone, or a roll that builds up."""
    notes: list[Note] = []
    if plan.drummed and "hats" in bar.layers:
        for i in range(bar.beats * 2):
            notes.append(Note(start + i / 2, 0.2, "drums", VOICES["H"], 0.6 + 0.2 * (i % 2)))
    if "build" in bar.layers and plan.drummed:
        each = 2 if not bar.last else 4
        for i in range(bar.beats * each):
            notes.append(Note(start + i / each, 0.2, "drums", VOICES["S"], 0.4 + 0.5 * i / (bar.beats * each)))
    return notes


def _write_groove(
    plan: Plan, groove: dict[str, str], bar: Bar, start: int, number: int, fill_from: float
) -> list[Note]:
    rng, steps = plan.rng, plan.steps
    notes: list[Note] = []
    for voice, signs in groove.items():
        if voice in "QqUWAaGMVBg" and "perc" not in bar.layers:
            continue
        offset = (number * plan.meter * steps) % len(signs)
        for i in range(bar.beats * steps):
            sign = signs[(offset + i) % len(signs)]
            if sign == "." or (i / steps >= max(fill_from, 0) and voice not in "F"):
                continue
            if (sign == "?" and rng.random() < 0.5) or (sign == "-" and rng.random() < 0.6):
                continue
            if not plan.dull and rng.random() < 0.025:
                continue
            key = VOICES[sign if sign in VOICES else voice]  # an O among the H is an open hat
            notes.append(Note(start + i / steps, 0.2, "drums", key, LOUDNESS.get(sign, 0.72)))
    return notes


def _write_fill(plan: Plan, bar: Bar, start: int, fill_from: float) -> list[Note]:
    """A fill from a beat of the bar to its end, down the toms or on the snare."""
    rng, steps = plan.rng, plan.steps
    notes: list[Note] = []
    density = rng.uniform(0.4, 1.0)
    keys = [38, 38, 50, 48, 45, 43, 41] if rng.random() < 0.7 else [38]
    at = max(fill_from, 0.0)
    grid = float(rng.choice([1 / steps, 1 / steps, 0.5 / steps * 2, 1 / 3]))
    while at < bar.beats - 1e-6:
        if rng.random() < density:
            k = min(int((at - fill_from) / max(bar.beats - fill_from, 0.1) * len(keys)), len(keys) - 1)
            notes.append(Note(start + at, 0.2, "drums", keys[k], float(rng.uniform(0.5, 1))))
        at += grid
    return notes
