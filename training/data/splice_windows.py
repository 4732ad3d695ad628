"""Windows of training in which one dance becomes another: splices of a pool, as latents with letters and conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.dances import Dance, Window
from training.data.dataset import Take, crop_place, crop_speed
from training.data.motion.body import about_crop
from training.data.splice_pool import SplicePool
from training.data.splice_sources import gather_take_sources
from training.data.splices import AFTER, Source
from training.models.pose_basis import PoseBasis
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

MARGIN = 2 * STEPS_PER_BEAT  # steps beyond a window that the smoothed place of its crop needs


@dataclass(frozen=True)
class SpliceWindows:
    """`dances`: each source of the pool as the training set knows it, by its number and whether it is mirrored."""

    pool: SplicePool
    dances: dict[tuple[int, bool], Dance]
    basis: PoseBasis

    @property
    def longest(self) -> int:
        """Letters of the longest window."""
        return (AFTER - MARGIN) // STEPS_PER_LETTER

    def draw(self, rng: np.random.Generator, length: int) -> Window:
        """A window of `length` letters, at a random place of which a random splice leaves the first dance."""
        number = int(rng.integers(len(self.pool)))
        row = self.pool.row(number)
        before = int(rng.integers(1, length))
        steps = length * STEPS_PER_LETTER
        room = self.pool.window(number, before * STEPS_PER_LETTER, steps, MARGIN)
        place = crop_place(room.astype(np.float32))
        latent = self.basis.latents(about_crop(room.astype(np.float32), place))
        first, second = self.pool.letters(number, before, length + 1)
        source = self.dances[int(row["source"]), bool(row["leave_mirrored"])]
        other = self.dances[int(row["other"]), bool(row["enter_mirrored"])]
        inside = slice(MARGIN, MARGIN + steps)
        return Window(
            latent[inside], crop_speed(place)[inside], np.zeros(steps, bool), [(source, first), (other, second)]
        )


def gather_sources(takes: list[Take], dances: list[Dance]) -> tuple[list[Source], dict[tuple[int, bool], Dance]]:
    """What can be spliced of takes, and each source as it is danced (`dances`, one for each take, in their order).
    Takes that are seen from the side are left out: a splice is danced before the front camera."""
    of_take = {(t.clip, t.mirrored): d for t, d in zip(takes, dances, strict=True) if t.yaw == 0}
    sources: list[Source] = []
    known: dict[tuple[int, bool], Dance] = {}
    for take in takes:
        images = {mirrored: of_take.get((take.clip, mirrored)) for mirrored in (False, True)}
        if any(image is None or len(image.letters) < 4 for image in images.values()):
            continue
        for source in gather_take_sources([take]):
            known |= {(len(sources), mirrored): image for mirrored, image in images.items() if image is not None}
            sources.append(source)
    return sources, known
