"""How a pack dances, beside real dance and the baseline. Definitions of the measures: metrics.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.dataset import WRITTEN_LEVELS
from training.evaluate import metrics as mt
from training.evaluate.baseline import BaselineConfig, train_baseline
from training.evaluate.effort import Effort
from training.evaluate.material import Material
from training.evaluate.metrics import BPM, PHRASE
from training.evaluate.real import (
    Real,
    Windows,
    as_training_sees,
    held_out_windows,
    latents_of,
    phrase_threshold,
    windows_of,
)
from training.evaluate.studio import (
    LOUD,
    QUIET,
    TENTHS,
    Asked,
    Danced,
    Studio,
    change_styles,
    dance_what_was_asked,
    energy_response,
    jumps_at_changes,
    styles_on_demand,
    waves,
)
from training.evaluate.style_classifier import StyleClassifier
from training.evaluate.tables import Row, row_of_three
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, Pack
from visualizer.errors import UserError

TEMPI = (0.81, 0.87, 1.13, 1.19)  # times the tempo: beats other than the one played, to compare with

POSE_EVERY = 4  # steps between two poses of the training takes to which distances are measured

CLEARLY = 1.1  # times as much is "clearly above"


def measure_named_dances(demanded: dict[str, Danced], seen: list[Real], fresh: list[Real]) -> list[Row]:
    """Whether the dance that was asked for is the one that is danced. No rows where no named dance is known."""
    known = [t for t in seen if t.dance in demanded]
    if not known:
        return []
    # A written dance begins again where it ends; a captured one does not, and may be entered at any bar.
    shifts = [
        mt.windows(t.danced.poses, hop=PHRASE // 2) if t.captured else mt.round_windows(t.danced.poses) for t in known
    ]
    names = [t.dance for t, s in zip(known, shifts, strict=True) for _ in s]
    references = np.concatenate(shifts)
    captured = {t.dance for t in known if t.captured}

    def right(takes: list[tuple[str, NDArray[np.float32]]]) -> tuple[int, int]:
        phrases = [mt.windows(poses) for _, poses in takes]
        found = mt.nearest_dance(np.concatenate(phrases), references, names)
        asked = [name for (name, _), p in zip(takes, phrases, strict=True) for _ in p]
        return mt.danced_as_asked(asked, found)

    good, count = right([(name, d.poses) for name, d in demanded.items() if name not in captured])
    good_real, count_real = right([(t.dance, t.danced.poses) for t in fresh if t.dance in demanded and t.front])
    rows = [
        Row("dance asked for is the dance performed", "≥ 95% of ≥ 150", f"{good} of {count}",
            f"{good_real} of {count_real}", None, count >= 150 and good >= 0.95 * count)
    ]  # fmt: skip
    if captured:
        others, few = right([(name, d.poses) for name, d in demanded.items() if name in captured])
        rows.append(Row("  the same of captured dances", "", f"{others} of {few}"))
    return rows


def measure_styles(
    pack: Pack, demanded: dict[str, Danced], improvised: dict[str, Danced], seen: list[Real], unseen: Windows, seed: int
) -> list[Row]:
    """Whether the style that was asked for is the one that is danced, by a classifier trained on real dances."""
    recognised = StyleClassifier(seen, pack.styles, seed).recognise

    def share(of: NDArray[np.bool_]) -> float | None:
        return float(of.mean()) if len(of) else None

    def lesser(*shares: float | None) -> float | None:
        return min((s for s in shares if s is not None), default=None)

    by_name = [(s, mt.windows(d.joints)) for s, d in improvised.items()]
    given = by_name + [(pack.styles[d.style], mt.windows(demanded[d.name].joints)) for d in pack.dances]
    right = recognised(np.concatenate([w for _, w in given]), np.array([s for s, w in given for _ in w]))
    count = sum(len(w) for _, w in by_name)
    real = recognised(unseen.joints, unseen.style)
    by_style, by_dance = share(right[:count]), share(right[count:])
    real_style, real_dance = share(real[unseen.captured]), share(real[~unseen.captured])
    both = lesser(by_style, by_dance)
    return [
        Row("style recognised, share of 8-beat windows", "both below ≥ 0.9", both, lesser(real_style, real_dance),
            None, both is not None and both >= 0.9),
        Row("  styles by name, dance as it comes (real: captured)", "", by_style, real_style),
        Row("  dances by name (real: new takes)", "", by_dance, real_dance),
    ]  # fmt: skip


def measure_wishes(material: Material, unseen: Windows) -> list[Row]:
    """Whether the dance and the style that were asked for are those that are danced."""
    studio, seed = material.studio, material.seed
    rows = measure_named_dances(material.named, material.seen, material.fresh)
    improvised = styles_on_demand(studio, material.effort.improvised, seed)
    return rows + measure_styles(studio.pack, material.named, improvised, material.seen, unseen, seed)


def measure_features(train: Windows, ours: Windows, unseen: Windows, baseline: Windows) -> list[Row]:
    """Fréchet distances and diversity of both features, between sets of one size."""
    count = min(len(ours), len(unseen), len(baseline))
    ours, unseen, baseline = (w.pick(np.linspace(0, len(w) - 1, count).astype(int)) for w in (ours, unseen, baseline))
    rows: list[Row] = []
    varied: list[Row] = []
    for k, name in enumerate(("kinetic", "geometric")):
        base = train.features()[k]
        mean, std = mt.scale_of(base)
        a, b, c = ((w.features()[k] - mean) / std for w in (ours, unseen, baseline))
        base = (base - mean) / std
        one, two, three = (mt.frechet_distance(x, base) for x in (a, b, c))
        rows.append(Row(f"FID, {name} features", "≤ 1.5 × real", one, two, three, one <= 1.5 * two))
        few = [(w.captured.nonzero()[0]) for w in (ours, unseen)]
        least = min(map(len, few))
        if least > 8 and train.captured.any():
            one, two = (mt.frechet_distance(x[i[:least]], base[train.captured])
                        for x, i in zip((a, b), few, strict=True))  # fmt: skip
            rows.append(Row(f"  {name}, captured clips and their styles only", "", one, two))
        one, two, three = map(mt.diversity, (a, b, c))
        varied.append(Row(f"diversity, {name} features", "±10% of real", one, two, three, abs(one / two - 1) <= 0.1))
    return rows + varied


def measure_variety(
    studio: Studio, fresh: list[Real], unseen: Windows, baseline: NDArray[np.float32], effort: Effort, seed: int
) -> list[Row]:
    """How many phrases are new in a dance of `effort.minutes`; `baseline`: its poses. Once with a new style every 64
    beats, once in the style with the fewest dances alone, where no change of style helps. No rows where no written
    dance shows how much two takes of one dance differ."""
    threshold = phrase_threshold(fresh)
    if threshold == 0:
        return []
    pack, beats = studio.pack, round(effort.minutes * BPM)
    danced = studio.dance(dancer := Dancer(pack, seed), beats, waves, change_styles(dancer, seed))
    phrases = mt.windows(danced.poses)
    order = np.random.default_rng(seed).permutation(len(unseen))
    counts = [
        mt.distinct_phrases(p, threshold) for p in (phrases, unseen.poses[order[: len(phrases)]], mt.windows(baseline))
    ]
    dances = [sum(d.style == i for d in pack.dances) for i in range(len(pack.styles))]
    style = pack.styles[int(np.argmin(dances))]
    alone = mt.windows(studio.dance(Dancer(pack, seed, style), beats, waves).poses)
    real = unseen.poses[order][unseen.style[order] == style][: len(alone)]
    return [
        row_of_three(f"distinct phrases in {effort.minutes:g} minutes (of {len(phrases)})", "≥ 60", counts,
                     counts[0] >= 60),
        Row("  the style with the fewest dances, left alone", "", mt.distinct_phrases(alone, threshold),
            f"{mt.distinct_phrases(real, threshold)} of {len(real)}" if len(real) else None),
    ]  # fmt: skip


def measure_changes(studio: Studio, real: list[Real], effort: Effort, seed: int) -> list[Row]:
    """The largest step at a change of style and of dance, beside the largest in real motion."""
    pack = studio.pack
    lengths = np.concatenate([mt.step_lengths(t.danced.joints) for t in real])
    largest, usual = float(lengths.max()), float(np.quantile(lengths, 0.999))
    rows: list[Row] = []
    for of_dance in (False, True):
        if len(pack.dances if of_dance else pack.styles) > 1:
            jump = jumps_at_changes(studio, effort.changes, of_dance, seed)
            rows.append(Row(f"largest step at a change of {'dance' if of_dance else 'style'}, m", "≤ real's largest",
                            jump, f"{largest:.3g} (99.9%: {usual:.3g})", None, jump <= largest))  # fmt: skip
    return rows


Dances = list[NDArray[np.float32]]


def measure_movement(ours: Dances, real: Dances, baseline: Dances) -> list[Row]:
    """Beat, power, jitter, foot skating and speed. `baseline`: its poses, because it does not travel."""
    all_three = (ours, real, baseline)
    on, by_chance = [mt.beat_alignment(d) for d in all_three], [mt.beat_chance(d) for d in all_three]
    off = [mt.beat_alignment(d, 0.5) for d in all_three]
    clear = on[0] >= on[1] and on[0] >= CLEARLY * max(by_chance[0], off[0])
    spectra = [mt.motion_spectrum(d) for d in all_three]
    share = [mt.beat_power(s) for s in spectra]
    detuned = [float(np.mean([mt.beat_power(s, t) for t in TEMPI])) for s in spectra]
    rough = [1000 * mt.jitter(d) for d in all_three]
    still = [mt.frozen_seconds(d) for d in all_three]
    skating = [mt.foot_skating(d) for d in all_three]
    return [
        row_of_three("beat alignment score", f"≥ real, {CLEARLY} × the two below", on, clear),
        row_of_three("  of beats shifted by chance", "", by_chance),
        row_of_three("  of beats half a beat late", "", off),
        row_of_three("  braking on the beat over half-way", "", [mt.accent(d) for d in all_three]),
        row_of_three("motion power at ½, 1, 2 × the beat", "≥ 0.9 × real", share, share[0] >= 0.9 * share[1]),
        row_of_three("  at detuned tempi (× 0.81 … 1.19)", "< ½ of it", detuned, detuned[0] < 0.5 * share[0]),
        row_of_three("jitter, mm a step³", "≤ 1.1 × real", rough, rough[0] <= 1.1 * rough[1]),
        row_of_three("frozen seconds", "0", [f"{a} of {b}" for a, b in still], still[0][0] == 0),
        row_of_three("foot skating, cm/s", "≤ 1.2 × real", skating, skating[0] <= 1.2 * skating[1]),
        row_of_three("mean joint speed, m/s", "", [mt.mean_speed(d) for d in all_three]),
    ]


def dance_baseline(
    studio: Studio, latents: list[NDArray[np.float32]], store: Path, effort: Effort, seed: int
) -> list[NDArray[np.float32]]:
    """Train the baseline on latents (S, D) and let it dance: poses of its dances, (S, 21, 2) metres each."""
    scale = np.concatenate(latents)
    mean, std = scale.mean(axis=0), scale.std(axis=0) + 1e-6
    config = BaselineConfig(studio.pack.latent_size, steps=effort.baseline_steps)
    baseline = train_baseline([(z - mean) / std for z in latents], config, seed, store)
    rng = np.random.default_rng(seed)
    start = np.stack([latents[i][0] for i in rng.integers(0, len(latents), effort.baselines)])
    steps = round(effort.minutes * BPM * STEPS_PER_BEAT)
    rolled = baseline.roll(torch.from_numpy((start - mean) / std), steps, seed)
    return [studio.poses(z * std + mean) for z in rolled]


def dance_evening(studio: Studio, unseen: Windows, effort: Effort, seed: int) -> list[Real]:
    """One long dance with the styles and energies of the real motion: one part for each wish."""
    rng = np.random.default_rng(seed + 1)
    wanted = -(-len(unseen) * PHRASE_BEATS // effort.segment)
    wishes = [
        Asked(str(unseen.style[i]), float(unseen.energy[i]), bool(unseen.captured[i]))
        for i in rng.integers(0, len(unseen), wanted)
    ]
    return [
        Real(w.style, "", w.captured, True, np.full(len(d.poses), w.energy, np.float32), d)
        for w, d in zip(wishes, dance_what_was_asked(studio, wishes, effort.segment, seed), strict=True)
    ]


def measure_drift(
    studio: Studio, seen: list[Real], unseen: Windows, baseline: NDArray[np.float32], effort: Effort, seed: int
) -> tuple[list[Row], dict[str, Any]]:
    """How near to real poses the dance stays for hours: rows and curves. `baseline`: its poses."""
    poses = mt.Poses(np.concatenate([t.danced.poses[::POSE_EVERY] for t in seen]))
    hours = studio.dance_for_hours(effort.hours, seed)
    tenths = [100 * poses.distance(part) for part in np.array_split(hours, TENTHS)]
    near = [float(np.median(d)) for d in tenths]
    ends = [np.array_split(baseline, TENTHS)[k] for k in (0, -1)]
    lost = [float(np.median(100 * poses.distance(end[::STEPS_PER_BEAT]))) for end in ends]
    held = float(np.median(100 * poses.distance(unseen.poses[:, ::STEPS_PER_BEAT].reshape(-1, 21, 2))))
    drift = near[-1] / max(near[0], 1e-9)
    return [
        Row(f"cm to the nearest training pose, first tenth of {effort.hours:g} h (baseline: minutes)", "", near[0],
            held, lost[0]),
        Row("  last tenth", "", near[-1], None, lost[1]),
        Row("  last over first", "≤ 1.1", drift, None, lost[1] / max(lost[0], 1e-9), drift <= 1.1),
    ], {"tenths": near, "held": held}  # fmt: skip


def measure_energy(studio: Studio, fresh: list[Real], seed: int) -> Row:
    """How much faster the dance is at high energy than at low energy."""
    levels = [[t.danced.joints for t in fresh if t.energy[0] == np.float32(level)] for level in WRITTEN_LEVELS]
    written = mt.mean_speed(levels[-1]) / mt.mean_speed(levels[0]) if all(levels) else None
    name = f"joint speed at energy {LOUD} over {QUIET} (real: {WRITTEN_LEVELS[-1]} over {WRITTEN_LEVELS[0]})"
    return Row(name, "", energy_response(studio, seed), written)


def measure_dancing(material: Material, encoder: Any, work: Path) -> tuple[list[Row], dict[str, Any]]:
    """A dance as it is asked for, beside real dance and the baseline, which is kept in `work`, and curves for the
    plots."""
    studio, effort, seed = material.studio, material.effort, material.seed
    seen, captured, fresh = material.seen, material.held_out, material.fresh
    if not fresh and not captured:
        raise UserError("nothing in these data is held out or can be danced again, so there is nothing real to compare")
    train = windows_of(seen)
    unseen = held_out_windows(captured, fresh, seen, effort.windows, seed)
    mix = [t.danced.joints for t in material.mix]

    data = [t for t in as_training_sees(studio.pack, material.takes) if not t.held_out]
    latents = latents_of(data, studio, encoder)
    baseline = dance_baseline(studio, latents, work / "baseline.pt", effort, seed)
    alone = [Real("", "", False, True, np.zeros(len(p), np.float32), Danced(p, p)) for p in baseline]
    evening = dance_evening(studio, unseen, effort, seed)
    whole = [np.concatenate([d.danced.joints for d in evening])]

    rows = measure_wishes(material, unseen)
    rows += measure_features(train, windows_of(evening), unseen, windows_of(alone))
    rows += measure_movement(whole, mix, baseline)
    rows += measure_variety(studio, fresh, unseen, baseline[0], effort, seed)
    drift, curves = measure_drift(studio, seen, unseen, baseline[0], effort, seed)
    rows += drift
    rows += measure_changes(studio, captured + fresh, effort, seed)
    rows.append(measure_energy(studio, fresh, seed))
    rows.append(Row("rescues by the watchdog, restarts", "", f"{studio.rescues}, {studio.restarts}"))
    return rows, {"spectrum": [mt.motion_spectrum(d) for d in (whole, mix, baseline)], **curves}
