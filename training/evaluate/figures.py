"""The figures of a pack beside the truth about them, in dances that training has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from training.data.figure_truths import Pose, Sample, collate, draw_pose, draw_sample, gather_moves
from training.data.figures.figure import Figure, load_people
from training.evaluate import figure_metrics as fm
from training.evaluate.figure_metrics import Pictures
from training.evaluate.material import Material
from training.evaluate.tables import Row
from visualizer.dancer.pack import FRAME_SIZE, Pack
from visualizer.errors import UserError

POSES = 24  # of each figure, three pictures each
SHAKEN = 0.001  # metres: std of the noise on the joints of the jitter test


def measure_figures(material: Material) -> list[Row]:
    """Rows of all figures together, the worst of them named. UserError where none is one of this program's."""
    pack = material.studio.pack
    known = {figure.name: figure for figure in load_people()}
    names = pack.figures.names if pack.figures is not None else ()
    figures = [known[name] for name in names if name in known]
    if not figures:
        raise UserError(f"{pack.folder}: none of its figures is known here, so there is no truth to compare with")
    takes = [t for t in material.takes if t.held_out] or material.takes
    moves, rng = gather_moves(takes), np.random.default_rng([material.seed, 18])
    poses = [draw_pose(moves, rng) for _ in range(4 if material.tiny else POSES)]
    overlaps, parts = {}, {}
    errors, ours, real, shaken = [], [], [], []
    for number, figure in enumerate(figures):
        pairs = [_draw_both(pack, figures, number, names.index(figure.name), pose) for pose in poses]
        overlaps[figure.name] = float(np.mean([fm.find_overlap(t, m) for t, m in pairs]))
        parts[figure.name] = float(np.mean([fm.find_parts_right(t, m) for t, m in pairs]))
        errors += [fm.find_contour_errors(t, m) for t, m in pairs]
        ours += [fm.count_flicker(m) for _, m in pairs]
        real += [fm.count_flicker(t) for t, _ in pairs]
        for pose in poses[:: max(1, len(poses) // 6)]:
            shaken.append(_shake(pack, draw_sample(figures, number, pose), names.index(figure.name), rng))
    error = np.concatenate(errors)
    within = float((error <= 1).mean()) if len(error) else 1.0
    back, really = (_share(counts) for counts in (ours, real))
    changed = _share(shaken)
    overlap, right = (float(np.mean(list(values.values()))) for values in (overlaps, parts))
    return [
        Row("outline, IoU at 128", "≥ 0.98", overlap, None, None, overlap >= 0.98),
        Row(f"outline of {min(overlaps, key=overlaps.__getitem__)}, the worst", "", min(overlaps.values())),
        Row("parts, share of the body that shows the right one", "≥ 0.97", right, None, None, right >= 0.97),
        Row(f"parts of {min(parts, key=parts.__getitem__)}, the worst", "", min(parts.values())),
        Row("inner contours: error, px at 512", "≤ 1", float(error.mean()) if len(error) else 0.0, None, None,
            not len(error) or bool(error.mean() <= 1)),
        Row("inner contours: share within 1 px at 512", "", within),
        Row("changes of ink that go back in the next picture", "≤ 0.15", back, really, None, back <= 0.15),
        Row("parts that change where a pose is shaken by 1 mm", "0", changed, None, None, changed == 0),
    ]  # fmt: skip


def _share(counts: Sequence[tuple[int, int]]) -> float:
    """Of pairs (of how many, how many): the second by the first."""
    return sum(n for _, n in counts) / max(1, sum(n for n, _ in counts))


def _draw_both(pack: Pack, figures: Sequence[Figure], number: int, place: int, pose: Pose) -> tuple[Pictures, Pictures]:
    """The truth about one of `figures` in a pose, and what the pack's network draws in the same box; there the figure
    has the number `place`."""
    sample = draw_sample(figures, number, pose)
    batch = collate([sample], len(figures))
    return fm.read_truth(batch), draw_with_pack(pack, sample, place)


def draw_with_pack(pack: Pack, sample: Sample, place: int) -> Pictures:
    """What the network of a pack draws of the figure of number `place` in the pose and the box of a sample."""
    made = run_on_sample(pack, sample, place)
    return Pictures(made["frame"][:, 0] * FRAME_SIZE, made["crease"][:, 0], made["parts"])


def run_on_sample(pack: Pack, sample: Sample, place: int) -> dict[str, Any]:
    """All outputs of the network that draws figures, by name."""
    assert pack.body is not None
    assert pack.figures is not None
    count = len(sample.pose.bodies)
    h, w = (n // 2 for n in sample.layers.shape[2:])
    one_hot = np.eye(len(pack.figures.people), dtype=np.float32)[[place] * count]
    grids = (np.tile(np.arange(n, dtype=np.float32) + start / 2 + 0.5, (count, 1)) for n, start in
             ((w, sample.left), (h, sample.top)))  # fmt: skip
    x, y = grids
    names = ["frame", "normal", "crease", "parts"]
    given = {
        "latent": pack.body.latents(sample.pose.bodies), "figure": one_hot, "sway": sample.pose.sway,
        "hands": sample.pose.hands, "grid_x": x, "grid_y": y,
    }  # fmt: skip
    return dict(zip(names, pack.figure_decoder.run(names, given), strict=True))


def _shake(pack: Pack, sample: Sample, place: int, rng: np.random.Generator) -> tuple[int, int]:
    """The jitter test of the first picture of a sample, see `count_jitter`."""
    pose = sample.pose
    still = replace(pose, bodies=np.repeat(pose.bodies[:1], 3, axis=0), sway=np.repeat(pose.sway[:1], 3, axis=0),
                    hands=np.repeat(pose.hands[:1], 3, axis=0))  # fmt: skip
    noise = rng.normal(0, SHAKEN, still.bodies.shape).astype(np.float32)
    before, after = (
        draw_with_pack(pack, replace(sample, pose=p), place)
        for p in (still, replace(still, bodies=still.bodies + noise))
    )
    return fm.count_jitter(before, after)
