"""Chords and melody: one function for each kind of accompaniment, and motifs that come back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.synth.plan import Bar, Note, Plan

Hits = list[tuple[float, float, float]]  # beat of the bar, beats, loudness


def _hold(plan: Plan, b: int, number: int) -> Hits:
    return [(0, b, 0.7)] if plan.harmonic >= 1 else [(0, b / 2, 0.7), (b / 2, b / 2, 0.7)]


def _anticipate(plan: Plan, b: int, number: int) -> Hits:
    return [(-plan.off_beat if plan.rng.random() < 0.7 else 0.0, b, 0.85)]  # the chord comes before the bar


def _strum(plan: Plan, b: int, number: int) -> Hits:
    rng, hits = plan.rng, []
    for i in range(b):
        hits += [(i, 0.45, 0.9 if i % 2 == 0 else 0.75), (i + plan.off_beat, 0.4, 0.6)]
    if plan.chords == "strum":
        hits = [h for h in hits if rng.random() < 0.8]
        hits += [(i + 0.75, 0.2, 0.5) for i in range(b) if rng.random() < 0.3 and plan.steps == 4]
    if plan.chords == "power" and plan.busy < 0.4:
        hits = [(at, 0.9, 0.85) for at in plan.pattern if at < b]
    return hits


def _sixteenths(plan: Plan, b: int, number: int) -> Hits:
    rng, steps = plan.rng, plan.steps
    return [
        (i / steps, 0.15, float(rng.uniform(0.3, 0.9)))
        for i in range(b * steps)
        if rng.random() < 0.4 + 0.5 * plan.busy
    ]


def _gallop(plan: Plan, b: int, number: int) -> Hits:
    return [(i + j / 4, 0.2, 0.8) for i in range(b) for j in (0, 2, 3)]


def _skank(plan: Plan, b: int, number: int) -> Hits:
    at = [1.0, 3.0] if plan.chords == "skank" else [i + plan.off_beat for i in range(b)]
    hits = [(a, 0.2, 0.85) for a in at if a < b]
    if plan.chords == "skank" and plan.busy > 0.5:
        hits += [(a + 0.5, 0.15, 0.6) for a in at if a + 0.5 < b]
    return hits


def _bubble(plan: Plan, b: int, number: int) -> Hits:
    return [(i + j, 0.2, 0.7) for i in range(b) for j in (0.5, 0.75)]


def _stabs(plan: Plan, b: int, number: int) -> Hits:
    rng, off = plan.rng, plan.off_beat
    hits: Hits = [(at, float(rng.choice([0.2, 0.4, 0.9])), 0.8) for at in plan.pattern if at < b]
    if plan.chords == "comp":
        hits = [(at, 0.4, 0.7) for at in (0, 1 + off, 2 + off, 3 + off, 1, off) if at < b and rng.random() < 0.33]
    return hits


def _quarters(plan: Plan, b: int, number: int) -> Hits:
    rng = plan.rng
    hits: Hits = [(i, 0.9, 0.8 if i == 0 else 0.6) for i in range(b)]
    if plan.chords == "piano":
        hits = [h for h in hits if h[0] == 0 or rng.random() < 0.7]
        hits += [(i + plan.off_beat, 0.5, 0.55) for i in range(b) if rng.random() < plan.busy]
    return hits


def _triplets(plan: Plan, b: int, number: int) -> Hits:
    return [(i + j / 3, 0.3, 0.8 if j == 0 else 0.55) for i in range(b) for j in range(3)]


def _waltz(plan: Plan, b: int, number: int) -> Hits:
    return [(i, 0.7, 0.65) for i in range(1, b)]


def _bossa(plan: Plan, b: int, number: int) -> Hits:
    return [(at, 0.4, 0.7) for at in ((0, 1, 1.75, 2.5, 3.5) if number % 2 else (0, 0.75, 2, 2.75, 3.5)) if at < b]


KINDS: dict[str, Callable[[Plan, int, int], Hits]] = {
    **dict.fromkeys(("pad", "organ"), _hold),
    "anticipate": _anticipate,
    **dict.fromkeys(("eighths", "strum", "power"), _strum),
    "sixteenths": _sixteenths,
    "gallop": _gallop,
    **dict.fromkeys(("skank", "offbeat"), _skank),
    "bubble": _bubble,
    **dict.fromkeys(("stabs", "comp"), _stabs),
    **dict.fromkeys(("quarters", "piano"), _quarters),
    "triplets": _triplets,
    "waltz": _waltz,
    "bossa": _bossa,
}
BROKEN = ("arpeggio", "montuno")  # chords whose tones come one after the other


def chord_at(plan: Plan, number: int, beat: float = 0.0) -> list[int]:
    """MIDI pitches of the chord in bar `number` at a beat of it."""
    root = plan.root(number, beat)
    base = 48 + plan.key
    if plan.chords in ("power", "gallop"):
        return [base - 12 + plan.degree(root), base - 5 + plan.degree(root), base + plan.degree(root)]
    return [base + plan.degree(root + d) for d in ((0, 2, 4, 6) if plan.busy > 0.6 else (0, 2, 4))]


def write_chords(plan: Plan, bar: Bar, start: int, number: int) -> list[Note]:
    """What the accompaniment plays in bar `number`, which begins at beat `start`."""
    if "chords" not in bar.layers or plan.chords == "none":
        return []
    if plan.chords in BROKEN:
        return _write_broken(plan, bar, start, number)
    notes: list[Note] = []
    apart = 0.012 if plan.chords == "strum" else 0.0  # beats from one string to the next
    for at, length, loud in KINDS[plan.chords](plan, bar.beats, number):
        for k, pitch in enumerate(chord_at(plan, number, max(at, 0.0))):
            louder = float(plan.rng.uniform(0.85, 1.1))
            notes.append(Note(start + at + apart * k, length, "chords", pitch, loud * louder))
    return notes


def _write_broken(plan: Plan, bar: Bar, start: int, number: int) -> list[Note]:
    each = 0.5 if plan.busy < 0.5 else 0.25
    each = 1 / 3 if plan.steps == 3 else each
    tones = [*chord_at(plan, number), chord_at(plan, number)[0] + 12]
    notes: list[Note] = []
    for i in range(round(bar.beats / each)):
        if plan.chords == "montuno" and (i % 8 in (2, 4) or plan.rng.random() < 0.1):
            continue
        pitch = tones[(i * (1 if plan.chords == "arpeggio" else 3)) % len(tones)]
        notes.append(Note(start + i * each, each * 1.2, "chords", pitch + 12, 0.6 + 0.2 * (i % 4 == 0)))
    return notes


def write_melody(plan: Plan, bar: Bar, start: int, number: int) -> list[Note]:
    """What leads in bar `number`, which begins at beat `start`: a motif that comes back on other chords, or a new
    one."""
    rng, b = plan.rng, bar.beats
    if "lead" not in bar.layers or plan.lead == "none" or rng.random() < 0.15:
        return []
    if plan.motif is None or rng.random() < 0.35:
        plan.motif = _draw_motif(plan, b)
    base = 60 + plan.key
    shift = plan.root(number)
    return [
        Note(start + at, length, "lead", base + plan.degree(degree + shift), float(rng.uniform(0.6, 1.0)))
        for at, length, degree in plan.motif
        if at < b
    ]


def _draw_motif(plan: Plan, b: int) -> list[tuple[float, float, int]]:
    rng = plan.rng
    motif: list[tuple[float, float, int]] = []
    at = float(rng.choice([0, 0, 0.5, 1, -0.5, -1, 0.25]))
    degree = int(rng.integers(-2, 6))
    while at < b:
        unit = 1 / plan.steps
        length = unit * float(rng.choice([1, 2, 3, 4, 6, 8], p=[0.2, 0.3, 0.12, 0.2, 0.1, 0.08]))
        if plan.lead == "rap":
            length = unit * float(rng.choice([1, 1, 2, 3]))
        if rng.random() < 0.8:
            motif.append((at, length * 0.95, degree))
        at += length
        degree = int(np.clip(degree + rng.choice([-2, -1, -1, 0, 1, 1, 2, 3]), -4, 10))
    return motif
