"""The score of a tune: its plan is drawn once, then each part writes its notes bar by bar."""

from __future__ import annotations

from numpy.random import Generator

from training.synth.bass import write_bass
from training.synth.chords import write_chords, write_melody
from training.synth.drums import draw_groove, write_drums
from training.synth.genres import KITS, MACHINES, PROGRAMS, SCALES, Genre
from training.synth.plan import Bar, Note, Part, Plan, draw_syncopation

COLOURS = {
    "pad": "pad", "anticipate": "pad stabs piano", "eighths": "piano power clean strum", "strum": "strum",
    "stabs": "stabs", "arpeggio": "pluck piano", "piano": "piano", "sixteenths": "clean pluck",
    "skank": "clean organ", "bubble": "organ", "montuno": "piano", "power": "power", "gallop": "power",
    "comp": "piano strum", "quarters": "piano strum organ strings", "organ": "organ", "triplets": "piano organ",
    "waltz": "piano strum accordion", "bossa": "strum piano", "offbeat": "stabs clean accordion organ piano",
}  # fmt: skip


def _pick(rng: Generator, words: str) -> str:
    return str(rng.choice(words.split()))


def _program(rng: Generator, colour: str) -> int:
    return int(rng.choice(PROGRAMS[colour]))


def draw_plan(rng: Generator, style: Genre, meter: int, steps: int) -> Plan:
    """Key, chords, grooves and players of a tune. What is drawn, and in which order, decides every tune of a seed."""
    key = int(rng.integers(0, 12))
    scale = SCALES[rng.integers(len(SCALES))]
    loop = [int(x) for x in rng.choice([0, 3, 4, 5, 1, 2, 6], int(rng.choice([1, 2, 4, 4, 4])),
                                       p=[0.3, 0.18, 0.18, 0.15, 0.09, 0.06, 0.04])]  # fmt: skip
    harmonic = float(rng.choice([1, 1, 1, 2, 0.5]))
    drummed = bool(rng.random() < style.drums)
    kit = _pick(rng, style.kits)
    if kit in MACHINES:
        drums = Part(machine=kit, gain=float(rng.uniform(0.5, 1.3)))
    else:
        drums = Part(program=KITS[kit], gain=float(rng.uniform(0.5, 1.4)))
    grooves = [draw_groove(rng, style, meter, steps) for _ in range(2)]
    bass, chords, lead = _pick(rng, style.bass), _pick(rng, style.chords), _pick(rng, style.lead)
    busy = float(rng.uniform(0.1, 0.9))
    pattern, bass_pattern = draw_syncopation(rng, meter, steps), draw_syncopation(rng, meter, steps)
    dull = bool(rng.random() < 0.25)
    parts = {"drums": drums, **_draw_players(rng, bass, chords, lead)}
    return Plan(rng, style, meter, steps, parts, key, scale, loop, harmonic, drummed, grooves, bass, chords, lead, busy,
                pattern, bass_pattern, dull)  # fmt: skip


def _draw_players(rng: Generator, bass: str, chords: str, lead: str) -> dict[str, Part]:
    """Who plays bass, chords and lead of these kinds."""
    bass_kind = "sub" if bass in ("sub", "wobble", "glide") or rng.random() < 0.1 else "bass"
    machine = {"wobble": "wobble", "glide": "sub"}.get(bass, "sub" if bass == "sub" and rng.random() < 0.7 else "")
    parts = {"bass": Part(_program(rng, bass_kind), machine, float(rng.uniform(0.4, 1.2)))}
    colour = _pick(rng, COLOURS.get(chords, "piano"))
    parts["chords"] = Part(_program(rng, colour), gain=float(rng.uniform(0.3, 1.1)))
    if lead in ("voice", "rap", "growl"):
        parts["lead"] = Part(machine=lead, gain=float(rng.uniform(0.4, 1.6)))
    else:
        parts["lead"] = Part(_program(rng, lead if lead != "none" else "piano"), gain=float(rng.uniform(0.4, 1.3)))
    return parts


def write_notes(plan: Plan, bars: list[Bar]) -> tuple[list[Note], list[tuple[float, float, float]]]:
    """The notes of all bars, and noise sweeps as (from beat, to beat, loudness)."""
    notes: list[Note] = []
    rises: list[tuple[float, float, float]] = []
    start = 0
    for number, bar in enumerate(bars):
        for write in (write_drums, write_bass, write_chords, write_melody):
            notes += write(plan, bar, start, number)
        start += bar.beats
        if "build" in bar.layers and bar.last and plan.rng.random() < 0.7:
            rises.append((max(start - 2 * bar.beats, 0), start, float(plan.rng.uniform(0.1, 0.5))))
    return [n for n in notes if n.beat >= 0], rises
