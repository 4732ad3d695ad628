"""Rows of what is measured of a pack that dances by itself: an hour of auto mode, each dance by its name, and shows
through music that rises and falls, beside real takes and controls. Definitions: *_metrics.py and two_sample.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluate import body_metrics as bm
from training.evaluate import metrics as mt
from training.evaluate.auto_mode import ORDER, compose_evening, dance_evening_by_itself
from training.evaluate.change_metrics import beat_after, find_changes, share_recognised
from training.evaluate.copy_metrics import distance_of_takes, share_of_copies
from training.evaluate.material import Material
from training.evaluate.metrics import BPM, PHRASE
from training.evaluate.music_metrics import energy_correlation, response_lag, section_speeds
from training.evaluate.real import Real, bodies_of
from training.evaluate.style_classifier import StyleClassifier
from training.evaluate.tables import Row
from visualizer.dancer.pack import STEPS_PER_BEAT

Dances = Sequence[NDArray[np.float32]]


def near(ours: float, real: float, share: float = 0.15) -> bool:
    """Whether ours is within that share of real."""
    return abs(ours / real - 1) <= share if real else False


# --- bodies


def measure_bodies(material: Material) -> list[Row]:
    """Limbs, feet, accents and hands."""
    axes = material.axes
    auto = [material.auto.danced.body(axes)]
    first = list(beat_after(auto[0], material.changes, 1))
    real = bodies_of(material.mix, axes)
    steady = material.steady()
    rows = [
        *_rows_of_limbs(auto, steady, first, real),
        *_rows_of_feet(auto, steady, first, real),
        *_rows_of_accents(material),
    ]
    times, share = bm.hands_before_crotch(auto)
    real_times, real_share = bm.hands_before_crotch(bodies_of(material.seen, axes))
    return [
        *rows,
        Row("hand before the crotch, times an hour, auto (real: training data)", "≤ 5", times, real_times, None,
            times <= 5),
        Row("  share of steps", "", share, real_share),
    ]  # fmt: skip


def _rows_of_limbs(auto: Dances, steady: Dances, first: Dances, real: Dances) -> list[Row]:
    rows = []
    for by in (0.1, 0.25):
        held = bm.share_too_long(real, by)
        title = f"limb > {by:.0%} too long, share of steps, auto"
        for name, bodies in ((title, auto), ("  steady", steady), ("  first beat after a change", first)):
            if bodies:
                share = bm.share_too_long(bodies, by)
                rows.append(Row(name, "0", share, held, None, share == 0))
    ours_longest, longest = (max(float(bm.limb_stretch(b).max()) for b in bodies) for bodies in (auto, real))
    return [*rows, Row("the longest limb, times its length, auto", "", ours_longest, longest)]


def _rows_of_feet(auto: Dances, steady: Dances, first: Dances, real: Dances) -> list[Row]:
    rows = []
    held = mt.foot_skating(real)
    for name, bodies, goal in (("foot skating, cm/s, auto", auto, 4.5), ("  steady", steady, 4.0),
                               ("  first beat after a change", first, 6.0)):  # fmt: skip
        if bodies:
            found = mt.foot_skating(bodies)
            rows.append(Row(name, f"≤ {goal:g}", found, held, None, found <= goal))
    ratio, real_ratio = (bm.foot_skate_ratio(bodies) for bodies in (auto, real))
    return [*rows, Row("foot-skate ratio, auto (not comparable with papers)", "", ratio, real_ratio)]


def _rows_of_accents(material: Material) -> list[Row]:
    """Each dance beside real takes of the same dances: captured ones those that they were learned from, written ones
    new ones."""
    rows = []
    takes = {"captured": [t for t in material.seen if t.captured], "written": material.even_takes}
    for name, metric in (("chest jerk, m/s³", bm.chest_jerk), ("peak acceleration over mean", bm.peak_acceleration),
                         ("top vertical pelvis speed, m/s", bm.bounce)):  # fmt: skip
        for kind, real in takes.items():
            ours = material.steady(kind == "captured")
            if not ours or not real:
                continue
            found, held = metric(ours), metric(bodies_of(real, material.axes))
            rows.append(Row(f"{name}, {kind} dances", "within 15% of real", found, held, None, near(found, held)))
    return rows


# --- music

STEADY_ENERGY = 0.5  # what a show hears that is given no music to answer


def measure_music(material: Material) -> list[Row]:
    """How shows answer the energy of their music, beside the music of another show and a show that hears none."""
    studio, seed, effort = material.studio, material.seed, material.effort
    seeds = range(seed, seed + effort.shows)
    music = [compose_evening(effort.show_minutes, s) for s in seeds]
    shows = [dance_evening_by_itself(studio, m, s) for m, s in zip(music, seeds, strict=True)]
    deaf = [dance_evening_by_itself(studio, m, s, lambda _: STEADY_ENERGY) for m, s in zip(music, seeds, strict=True)]
    speeds, unheard = ([_speed(e.danced.body(material.axes)) for e in some] for some in (shows, deaf))
    levels = [m.level for m in music]
    answer = [energy_correlation(s, v) for s, v in zip(speeds, levels, strict=True)]
    wrong = [energy_correlation(s, v) for i, s in enumerate(speeds) for k, v in enumerate(levels) if i != k]
    none = [energy_correlation(s, v) for s, v in zip(unheard, levels, strict=True)]
    r = float(np.median(answer))
    name = f"speed against the music's energy, r, median of {len(shows)} shows of {effort.show_minutes:g} minutes"
    rows = [Row(name, "≥ 0.6", r, None, None, r >= 0.6),
            Row("  the least and the best of them", "", f"{min(answer):.2f} to {max(answer):.2f}")]  # fmt: skip
    if wrong:
        rows.append(Row("  control: the music of another show", "about 0", float(np.median(wrong))))
    lag = response_lag(speeds, levels)
    rows += [
        Row("  control: a show that hears no change", "about 0", float(np.median(none))),
        Row("response lag, beats", "", "no answer" if lag is None else lag),
    ]
    sections = section_speeds(np.concatenate(speeds), np.concatenate([m.section for m in music]), ORDER)
    real = _real_speeds(material)
    for kind, level, goal in (("drop", 0.9, "≥ 1.3"), ("break", 0.15, "≤ 0.6")):
        if kind in sections and "groove" in sections:
            ratio = sections[kind] / sections["groove"]
            met = ratio >= 1.3 if kind == "drop" else ratio <= 0.6
            title = f"speed in the {kind} over the groove (real: takes at energy {level:g} over 0.5)"
            rows.append(Row(title, goal, ratio, real.get(level), None, met))
    return rows


def _speed(body: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean joint speed of each step, (S, 21, A) -> (S,) metres a second."""
    speed = mt.joint_speeds(body)
    return np.concatenate([speed, speed[-1:]])


def _real_speeds(material: Material) -> dict[float, float]:
    """Mean joint speed of new takes at each energy over that at 0.5."""
    by_level: dict[float, list[NDArray[np.float32]]] = {}
    for take in material.fresh:
        by_level.setdefault(round(float(take.energy[0]), 2), []).append(take.danced.body(material.axes))
    speeds = {level: mt.mean_speed(bodies) for level, bodies in by_level.items()}
    return {level: speed / speeds[0.5] for level, speed in speeds.items()} if 0.5 in speeds else {}


# --- variety, and what is danced after a change

COPY_BEATS = 4  # length of the windows that may be copies


def measure_novelty(material: Material) -> list[Row]:
    """Copies of what was learned, whether the style is still seen, and how soon another dance is there."""
    return _rows_of_copies(material) + _rows_of_style(material) + _rows_of_changes(material)


def _rows_of_copies(material: Material) -> list[Row]:
    length = COPY_BEATS * STEPS_PER_BEAT
    threshold = distance_of_takes(_takes_of_one_dance(material.fresh, length))
    if threshold == 0:
        return []
    known = material.known(COPY_BEATS, 1, mt.THIN)
    steady = np.concatenate([mt.windows(d.poses, length) for d in material.named.values()])
    held = [mt.windows(t.danced.poses, length) for t in material.held_out]
    own = material.auto.own
    copied = share_of_copies(own.poses[own.starts(length)[:, None] + np.arange(length)], known, threshold)
    real = share_of_copies(np.concatenate(held), known, threshold) if held else None
    name = f"four-beat windows that are near copies (within {100 * threshold:.1f} cm), auto (real: held-out clips)"
    return [
        Row(name, "≤ 0.35", copied, real, None, copied <= 0.35),
        Row("  steady", "", share_of_copies(steady, known, threshold), real),
    ]


def _takes_of_one_dance(takes: Sequence[Real], steps: int) -> list[NDArray[np.float32]]:
    """The beginning of each round of each written dance, at all energies: (N, steps, 21, 2) for each dance."""
    rounds: dict[str, list[NDArray[np.float32]]] = {}
    for take in takes:
        if take.dance and take.front and take.round_steps:
            for at in range(0, len(take.energy) - take.round_steps + 1, take.round_steps):
                rounds.setdefault(take.dance, []).append(take.danced.poses[at : at + steps])
    return [np.stack(own) for own in rounds.values()]


def _rows_of_style(material: Material) -> list[Row]:
    """The style in the same hour, by the classifier that judges styles asked for by name."""
    auto, styles = material.auto, material.studio.pack.styles
    starts = auto.starts(PHRASE)
    whole = starts[[bool((auto.style[s : s + PHRASE] == auto.style[s]).all()) for s in starts]]
    if not len(whole):
        return []
    classifier = StyleClassifier(material.seen, styles, material.seed)
    windows = auto.danced.joints[whole[:, None] + np.arange(PHRASE)]
    right = classifier.recognise(windows, np.array([styles[auto.style[s]] for s in whole]))
    fresh = [t for t in material.fresh if t.style in styles]
    real = None
    if fresh:
        cut = [mt.windows(t.danced.joints) for t in fresh]
        of = np.array([t.style for t, w in zip(fresh, cut, strict=True) for _ in w])
        real = float(classifier.recognise(np.concatenate(cut), of).mean())
    share = float(right.mean())
    return [Row("  style recognised in the same hour (real: new takes)", "≥ 0.9", share, real, None, share >= 0.9)]


def _rows_of_changes(material: Material) -> list[Row]:
    own = material.auto.own
    known = material.known(1, 1, 2, named=True)
    fresh = [(t, material.dance_numbers[t.dance]) for t in material.fresh if t.dance in material.dance_numbers]
    real = None
    if fresh:
        beats = [mt.windows(t.danced.poses, STEPS_PER_BEAT, 3 * STEPS_PER_BEAT) for t, _ in fresh]
        asked = np.array([number for (_, number), b in zip(fresh, beats, strict=True) for _ in b])
        real = share_recognised(np.concatenate(beats), asked, known)
    last = 3 * STEPS_PER_BEAT
    new = [c for c in find_changes(own.style, own.dance).tolist() if own.dance[c] >= 0 and c + last < len(own.dance)]
    kept = np.array([c for c in new if (own.dance[c : c + last] == own.dance[c]).all()], np.int64)
    rows = []
    for beat, goal in ((1, 0.4), (2, 0.85), (3, 0.95)):
        if len(kept):
            poses = beat_after(own.poses, kept, beat)[:, :STEPS_PER_BEAT]
            right = share_recognised(poses, own.dance[kept], known)
            name = f"right dance nearest in beat {beat} after a change" if beat == 1 else f"  in beat {beat}"
            rows.append(Row(name, f"≥ {goal:g}", right, real, None, right >= goal))
    minutes = len(material.auto.dance) / STEPS_PER_BEAT / BPM
    return [*rows, Row("changes of dance, a minute", "", len(material.changes) / minutes)]
