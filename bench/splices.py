"""How a body gets from one dance into another: splices, beside the dances that are entered, on their own, and beside
flat joints that are blended apart.

    python -m bench.splices [--motion DIR] [--count 400] [--seed 3] [--sheet FILE]

The splices are those of training: random pairs at the same place of the phrase, at 120 beats a minute. `limb`: share of
the steps of the first beat after the cut in which a limb is more than 2%, or 10%, longer in the picture than it is.
`skating`: foot skating in the first, second and third beat, as `training evaluate` defines it; `planted`: share of
feet and steps that it counts, in the first beat. `jerk`: the largest of any joint from the cut to the end of the third
beat, median over the splices. `there`: beats until the pose stays within 5 cm, on average over the joints, of the dance
that is entered; mean over the splices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from training.data import choreography
from training.data.dataset import Motion, captured_motions, written_motions
from training.data.motion.body import silhouettes
from training.data.motion.clips import read_clips
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.kinematics import Floats
from training.data.motion.legs import STEPS_PER_SECOND
from training.data.motion.skeleton import BONES, INDEX, LENGTHS, PARENT
from training.data.splice_pool import Drawn, draw_splice, find_shares
from training.data.splice_sources import gather_motion_sources
from training.data.splices import AFTER, LETTERS_PER_PHRASE, Source, Way, splice
from training.evaluate.metrics import FOOT_REACH, FOOT_STANDS, FOOT_STILL, foot_skating
from training.evaluate.sheets import save_picture, write_text
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT, STEPS_PER_LETTER

BEFORE = 32  # steps
BEATS = 3  # after the cut that are looked at
NEAR = 0.05  # metres
BLENDED = 24  # steps that flat joints were blended for
STEADY = "the dance that is entered"
GOAL = "goal: limbs 0 and 0; skating at most 5.3, 4.4 and 3.9"
LIMBS = np.array([not joint.endswith(("shoulder", "hip")) for joint in PARENT])
CELL, CHANGES, A_BEAT, ACROSS = 96, 12, 8, 26  # of the sheet: pixels, rows, pictures a beat and a row


@dataclass
class Measured:
    """One row of the table."""

    long: list[float] = field(default_factory=list)  # the longest limb, of its length, in each step of the first beat
    beats: list[list[NDArray[np.float32]]] = field(default_factory=lambda: [[] for _ in range(BEATS)])
    jerk: list[float] = field(default_factory=list)
    there: list[float] = field(default_factory=list)
    planted: list[float] = field(default_factory=list)
    seconds: float = 0.0


def to_picture(positions: NDArray[np.floating]) -> NDArray[np.float32]:
    """Positions (T, 21, 3) as the metrics want them: (T, 21, 2) metres, y down, the floor where a frame has it."""
    return np.stack([positions[..., 0], FLOOR * FRAME_METRES - positions[..., 1]], -1).astype(np.float32)


def find_longest(positions: Floats) -> Floats:
    """Of each body (T, 21, 3), how long its longest limb looks, of its length."""
    bones = (positions[:, BONES[:, 1]] - positions[:, BONES[:, 0]])[:, LIMBS, :2]
    return (np.linalg.norm(bones, axis=-1) / LENGTHS[LIMBS]).max(axis=1)


def count_planted(positions: Floats) -> float:
    """Share of feet and steps that `foot_skating` counts."""
    feet = [positions[:, [INDEX[f"{side}_ankle"], INDEX[f"{side}_toe"]], 1].mean(axis=1) for side in ("left", "right")]
    low = [np.maximum(foot[1:], foot[:-1]) < FOOT_STANDS + FOOT_REACH for foot in feet]
    still = [np.abs(np.diff(foot)) * STEPS_PER_SECOND < FOOT_STILL for foot in feet]
    return float((np.array(low) & np.array(still)).mean())


def measure(row: Measured, before: Floats, after: Floats, target: Floats) -> None:
    """Add one change: bodies before (BEFORE, 21, 3) and after the cut, and the dance that was entered, by itself."""
    whole = np.concatenate([before, after])
    row.long += list(find_longest(after[:STEPS_PER_BEAT]))
    for beat in range(BEATS):
        first = BEFORE - 1 + beat * STEPS_PER_BEAT
        row.beats[beat].append(to_picture(whole[first : first + STEPS_PER_BEAT + 1]))
    row.planted.append(count_planted(whole[BEFORE - 1 : BEFORE + STEPS_PER_BEAT]))
    shown = whole[BEFORE - 3 : BEFORE + BEATS * STEPS_PER_BEAT, :, :2]
    row.jerk.append(float((np.linalg.norm(np.diff(shown, 3, axis=0), axis=-1) * STEPS_PER_SECOND**3).max()))
    about = [(p - p[:, :1] * [1, 0, 0])[..., :2] for p in (after, target)]
    far = np.flatnonzero(np.linalg.norm(about[0] - about[1], axis=-1).mean(axis=1)[: 4 * STEPS_PER_BEAT] > NEAR)
    row.there.append((far[-1] + 1) / STEPS_PER_BEAT if len(far) else 0.0)


def blend_flat(source: Source, other: Source, way: Way) -> Floats:
    """The blend that was: each joint of the picture goes its own way over a beat and a half, by the quintic Hermite
    curve that begins with the old motion's speed; depth as in the dance that is entered."""
    before = source.steps(way.leave * STEPS_PER_LETTER - 2, 2, way.leave_mirrored)
    after = other.steps(way.enter * STEPS_PER_LETTER, AFTER, way.enter_mirrored)
    after[..., 0] += before[-1, 0, 0] - after[0, 0, 0]
    u = (np.arange(BLENDED) / BLENDED)[:, None, None]
    gap = 2 * before[1] - before[0] - after[0]
    slope = before[1] - before[0] - (after[1] - after[0])
    blend = gap * (1 - u**3 * (10 - 15 * u + 6 * u * u)) + slope * BLENDED * (u - u**3 * (6 - 8 * u + 3 * u * u))
    blend[..., 2] = 0
    after[:BLENDED] += blend
    return after


def at_random(drawn: Drawn, sources: list[Source], rng: np.random.Generator) -> Way:
    """The way over of a drawn splice where no cost is asked for: at once, at any entry, not mirrored."""
    source, other = sources[drawn.source], sources[drawn.other]
    entries = other.entries((drawn.cut + source.phase) % LETTERS_PER_PHRASE)
    way = drawn.at_once
    return Way(way.leave, int(rng.choice(entries)), way.leave_mirrored, way.leave_mirrored, float("nan"))


def run(sources: list[Source], count: int, seed: int) -> tuple[dict[str, Measured], list[tuple[Source, Source, Way]]]:
    """Make and measure `count` splices each way; and the ways of the last column, for the sheet."""
    rng, shares = np.random.default_rng(seed), find_shares(sources)
    rows = {name: Measured() for name in (STEADY, "flat joints blended", "spliced at once", "spliced")}
    shown = []
    for _ in range(count):
        drawn = draw_splice(sources, shares, rng)
        source, other = sources[drawn.source], sources[drawn.other]
        blind = at_random(drawn, sources, rng)
        made: list[tuple[str, Way, Callable[[Source, Source, Way], NDArray]]] = [
            ("flat joints blended", blind, blend_flat),
            ("spliced at once", drawn.at_once, splice),
            ("spliced", drawn.way, splice),
        ]
        for name, way, make in made:
            begun = time.perf_counter()
            after = make(source, other, way).astype(np.float64)
            rows[name].seconds += time.perf_counter() - begun
            before = source.steps(way.leave * STEPS_PER_LETTER - BEFORE, BEFORE, way.leave_mirrored)
            target = other.steps(way.enter * STEPS_PER_LETTER, AFTER, way.enter_mirrored)
            measure(rows[name], before, after, target)
        way = drawn.way
        steady = other.steps(way.enter * STEPS_PER_LETTER - BEFORE, BEFORE + AFTER, way.enter_mirrored)
        measure(rows[STEADY], steady[:BEFORE], steady[BEFORE:], steady[BEFORE:])
        shown.append((source, other, drawn.way))
    return rows, shown


def draw_sheet(path: Path, shown: list[tuple[Source, Source, Way]]) -> Path:
    """Twelve changes, a row each, eight pictures a beat from a quarter of a beat before the cut on."""
    rows = []
    for source, other, way in shown[:CHANGES]:
        before = source.steps(way.leave * STEPS_PER_LETTER - BEFORE, BEFORE, way.leave_mirrored)
        whole = np.concatenate([before, splice(source, other, way)])
        step = STEPS_PER_BEAT // A_BEAT
        bodies = whole[BEFORE - 2 * step :: step][:ACROSS]
        flat = to_picture(bodies)
        flat[..., 0] -= flat[:, :1, 0]
        frames = silhouettes((flat / FRAME_METRES + [0.5, 0]).astype(np.float32), CELL)[:, 0]
        cells = (255 * np.clip(0.5 + frames * CELL, 0, 1)).astype(np.uint8)
        cells[:2] //= 2
        cells[:2] += 100
        row = np.concatenate(list(cells), axis=1)
        row[:: CELL - 1] = 204
        head = np.full((18, row.shape[1]), 255, np.uint8)
        write_text(head, f"{source.name} -> {other.name}, cost {way.cost:.1f}", (4, 13))
        rows += [head, row]
    return save_picture(path, np.concatenate(rows))


def describe_fit(kind: str, motions: list[Motion]) -> str:
    """How far motions are moved to stand on the one skeleton, in a line."""
    fitted = [fit_skeleton(motion.positions) for motion in motions]
    worst = max(range(len(fitted)), key=lambda k: fitted[k].mean_cm)
    mean = np.average([f.mean_cm for f in fitted], weights=[len(f.positions) for f in fitted])
    where = f"{fitted[worst].mean_cm:.2f} cm in {motions[worst].clip}, most of all its {fitted[worst].worst_joint}"
    foot = max(f.foot_cm for f in fitted)
    return f"{len(motions)} {kind} motions fitted: joints moved by {mean:.3f} cm, {where}; low feet by {foot:.3f} cm"


def show(rows: dict[str, Measured], count: int) -> Table:
    table = Table(title=f"{count} changes of dance; {GOAL}")
    for name in ("", "limb > 2%, > 10%", "skating cm/s", "planted", "jerk m/s³", "there, beats", "ms each"):
        table.add_column(name, justify="left" if not name else "right")
    for name, row in rows.items():
        long = np.array(row.long)
        table.add_row(
            name,
            f"{100 * (long > 1.02).mean():.0f}%, {100 * (long > 1.1).mean():.0f}%",
            " / ".join(f"{foot_skating(beat):.1f}" for beat in row.beats),
            f"{100 * np.mean(row.planted):.0f}%",
            f"{np.median(row.jerk):.0f}",
            f"{np.mean(row.there):.2f}" if row.there and name != STEADY else "",
            f"{1000 * row.seconds / count:.1f}" if row.seconds else "",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, help="captured clips, besides the written dances")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--sheet", type=Path, help="draw twelve of the changes into this file")
    asked = parser.parse_args()
    clips = captured_motions(read_clips(asked.motion), 0) if asked.motion else []
    written = written_motions(choreography.DANCES, 0)
    sources = gather_motion_sources(clips + written)
    for kind, motions in (("captured", clips), ("written", written)):
        if motions:
            Console().print(describe_fit(kind, motions))
    rows, shown = run(sources, asked.count, asked.seed)
    Console().print(show(rows, asked.count))
    if asked.sheet:
        cv2.setNumThreads(1)
        Console().print(f"drawn into {draw_sheet(asked.sheet, shown)}")


if __name__ == "__main__":
    main()
