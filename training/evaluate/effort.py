"""How much is danced and trained to evaluate a pack."""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluate.baseline import BaselineConfig


@dataclass(frozen=True)
class Effort:
    """How much is danced and trained to measure a pack. Beats are danced at 16 steps each."""

    windows: int = 600  # 8-beat windows a side of Fréchet distances and diversities
    segment: int = 32  # beats of one style and energy in that dance
    asked: int = 3  # 8-beat windows of each dance on demand
    improvised: int = 6  # 8-beat windows of each style on demand
    minutes: float = 10  # length of the dance whose phrases are counted
    hours: float = 8
    auto_minutes: float = 60  # of auto mode
    shows: int = 6  # whose answer to their music is measured
    show_minutes: float = 6
    compared: int = 240  # 8-beat windows a side of Fréchet distances of auto mode
    tested: int = 1500  # 2-beat windows a side, at most, of a two-sample test
    changes: int = 120  # of style, and of dance
    student_steps: int = 300
    pca_frames: int = 4000
    every_frame: int = 8  # of the held-out takes
    fine_frames: int = 200  # of those, drawn and compared at 512
    baseline_steps: int = BaselineConfig.steps
    baselines: int = 4  # rollouts of `minutes` each, side by side


TINY = Effort(
    windows=16, segment=16, asked=1, improvised=1, minutes=1, hours=0.02, auto_minutes=2, shows=2, show_minutes=1,
    compared=16, tested=60, changes=4, student_steps=20, pca_frames=400,
    every_frame=4, fine_frames=10, baseline_steps=10, baselines=1,
)  # fmt: skip
