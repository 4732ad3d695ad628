"""Bass lines: one function for each kind, all of a bar at a time as (beat of the bar, beats, MIDI pitch)."""

from __future__ import annotations

from collections.abc import Callable

from training.synth.plan import Bar, Note, Plan

Line = list[tuple[float, float, int]]


def _base(plan: Plan) -> int:
    return 28 + (plan.key + 8) % 12


def _root(plan: Plan, number: int, at: float = 0.0) -> int:
    return _base(plan) + plan.degree(plan.root(number, at))


def _play_roots(plan: Plan, bar: Bar, number: int) -> Line:
    b = bar.beats
    out: Line = [(0, b, _root(plan, number))]
    if plan.rng.random() < 0.4:
        out = [(0, b / 2, _root(plan, number)), (b / 2, b / 2, _root(plan, number, b / 2))] if b % 2 == 0 else out
    return out


def _play_eighths(plan: Plan, bar: Bar, number: int) -> Line:
    return [
        note
        for i in range(bar.beats)
        for note in ((i, 0.45, _root(plan, number, i)), (i + plan.off_beat, 0.45, _root(plan, number, i)))
    ]


def _play_octaves(plan: Plan, bar: Bar, number: int) -> Line:
    return [
        note
        for i in range(bar.beats)
        for note in ((i, 0.4, _root(plan, number, i)), (i + plan.off_beat, 0.4, _root(plan, number, i) + 12))
    ]


def _play_offbeat(plan: Plan, bar: Bar, number: int) -> Line:
    return [(i + plan.off_beat, 0.4, _root(plan, number, i)) for i in range(bar.beats)]


def _play_sixteenths(plan: Plan, bar: Bar, number: int) -> Line:
    steps = plan.steps
    return [(i + j / steps, 0.9 / steps, _root(plan, number, i)) for i in range(bar.beats) for j in range(steps)]


def _play_gallop(plan: Plan, bar: Bar, number: int) -> Line:
    quarters = (0, 2, 3) if plan.bass == "gallop" else (1, 2, 3)
    return [(i + j / 4, 0.2, _root(plan, number, i)) for i in range(bar.beats) for j in quarters]


def _play_kick(plan: Plan, bar: Bar, number: int) -> Line:
    steps = plan.steps
    signs = plan.grooves[0].get("K", "x...")
    offset = (number * plan.meter * steps) % len(signs)
    return [
        (i / steps, 0.4, _root(plan, number, i / steps))
        for i in range(bar.beats * steps)
        if signs[(offset + i) % len(signs)] != "."
    ]


def _play_wander(plan: Plan, bar: Bar, number: int) -> Line:
    rng, b = plan.rng, bar.beats
    out: Line = []
    for at in plan.bass_pattern:
        if at < b:
            out.append((at, 0.4, _root(plan, number, at) + int(rng.choice([0, 0, 0, 7, 12, -5, 10]))))
    if plan.bass == "slap":
        out += [(i + 0.75, 0.1, _root(plan, number, i) + 12) for i in range(b) if rng.random() < 0.3]
    if plan.bass == "dub" and out and out[0][0] == 0 and rng.random() < 0.5:
        out = out[1:]  # the one is left out
    return out


def _play_walking(plan: Plan, bar: Bar, number: int) -> Line:
    rng, base = plan.rng, _base(plan)
    out: Line = []
    now = plan.root(number)
    for i in range(bar.beats):
        out.append((i, 0.9, base + plan.degree(now)))
        now += int(rng.choice([-1, 1, 1, 2, -2]))
        if rng.random() < 0.08:
            out.append((i + plan.off_beat, 0.3, base + plan.degree(now)))
    return out


def _play_boogie(plan: Plan, bar: Bar, number: int) -> Line:
    out: Line = []
    for i in range(bar.beats):
        pitch = _root(plan, number, i) + (0, 4, 7, 9)[i % 4]
        out += [(i, 0.5, pitch), (i + plan.off_beat, 0.3, pitch)]
    return out


def _play_tumbao(plan: Plan, bar: Bar, number: int) -> Line:
    following = _base(plan) + plan.degree(plan.root(number + 1))
    out: Line = [(1.5, 1.4, _root(plan, number) + 7), (3.0, 1.4, following)]
    if plan.rng.random() < 0.15:
        out = [(0.0, 1.4, _root(plan, number)), *out]
    return out


def _play_tumbao_in_halves(plan: Plan, bar: Bar, number: int) -> Line:
    return [(at, 0.7, _root(plan, number, at) + 7 * (i % 2)) for i, at in enumerate((0.75, 1.5, 2.75, 3.5))]


def _play_bossa(plan: Plan, bar: Bar, number: int) -> Line:
    root = _root(plan, number)
    return [(0, 1.4, root), (1.5, 0.4, root + 7), (2, 1.4, root + 7), (3.5, 0.4, root)]


def _play_oom(plan: Plan, bar: Bar, number: int) -> Line:
    b = bar.beats
    return [(i, 0.8, _root(plan, number, i) + (7 if i % 4 == 2 else 0)) for i in range(0, b, 2 if b % 2 == 0 else 3)]


KINDS: dict[str, Callable[[Plan, Bar, int], Line]] = {
    **dict.fromkeys(("roots", "glide", "wobble"), _play_roots),
    "eighths": _play_eighths,
    "octaves": _play_octaves,
    "offbeat": _play_offbeat,
    "sixteenths": _play_sixteenths,
    **dict.fromkeys(("gallop", "pedal"), _play_gallop),
    "kick": _play_kick,
    **dict.fromkeys(("wander", "slap", "dub", "sub"), _play_wander),
    "walking": _play_walking,
    "boogie": _play_boogie,
    "tumbao": _play_tumbao,
    "tumbao2": _play_tumbao_in_halves,
    "bossa": _play_bossa,
    "oom": _play_oom,
}


def write_bass(plan: Plan, bar: Bar, start: int, number: int) -> list[Note]:
    """What the bass plays in bar `number`, which begins at beat `start`."""
    if "bass" not in bar.layers or plan.bass == "none":
        return []
    return [
        Note(start + at, length, "bass", int(pitch), float(plan.rng.uniform(0.65, 0.95)))
        for at, length, pitch in KINDS[plan.bass](plan, bar, number)
        if at < bar.beats
    ]
