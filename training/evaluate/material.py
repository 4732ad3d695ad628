"""What the measures of a living dance are taken from: an hour of auto mode, each dance by its name, and real takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Take
from training.evaluate.auto_mode import Evening, compose_evening, dance_evening_by_itself
from training.evaluate.change_metrics import find_changes
from training.evaluate.copy_metrics import Known
from training.evaluate.effort import Effort
from training.evaluate.matched import Pool, Wanted
from training.evaluate.metrics import windows
from training.evaluate.real import Real, as_training_sees, mixed, new_takes, real_take
from training.evaluate.studio import ENERGIES, Danced, Studio, dances_on_demand
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT


@dataclass(frozen=True)
class Excerpts:
    """Windows of ours and, row by row, of real takes of the same dances: `ours` and `real` (N, T, 21, A), the name of
    the dance or style of each (N,)."""

    ours: NDArray[np.float32]
    real: NDArray[np.float32]
    group: NDArray[np.str_]


@dataclass
class Material:
    """Dances of a pack and real ones; each is danced when a measure first asks for it. `names`: by what name the pack
    dances each clip of the `takes`. `seen`: takes that training has seen; `held_out`: captured takes that it has not;
    `fresh`: new takes of the written dances."""

    studio: Studio
    takes: list[Take]
    names: Mapping[str, str]
    seed: int
    effort: Effort
    tiny: bool

    @cached_property
    def seen(self) -> list[Real]:
        data = as_training_sees(self.studio.pack, self.takes)
        return [replace(real_take(t), dance=self.names.get(t.clip, "")) for t in data if not t.held_out]

    @cached_property
    def held_out(self) -> list[Real]:
        return [real_take(t) for t in as_training_sees(self.studio.pack, self.takes) if t.held_out]

    @cached_property
    def fresh(self) -> list[Real]:
        return new_takes({t.dance for t in self.seen if t.dance and not t.captured}, self.seed, self.tiny)

    @cached_property
    def even_takes(self) -> list[Real]:
        """New takes at the energies at which dances are asked for by name, and at those of `fresh`."""
        names = {t.dance for t in self.seen if t.dance and not t.captured}
        return self.fresh + new_takes(names, self.seed + 1, self.tiny, ENERGIES)

    @cached_property
    def mix(self) -> list[Real]:
        """Unseen takes, captured and written in the proportion of the training data."""
        return mixed(self.held_out, self.fresh, self.seen, self.seed)

    @cached_property
    def named(self) -> dict[str, Danced]:
        """Each dance by its name, steady."""
        return dances_on_demand(self.studio, self.effort.asked, self.seed)

    @cached_property
    def captured_names(self) -> set[str]:
        return {t.dance for t in self.seen if t.captured}

    def steady(self, captured: bool | None = None) -> list[NDArray[np.float32]]:
        """The bodies of the named dances: all, or only the captured or the written ones."""
        return [d.body(self.axes) for name, d in self.named.items()
                if captured is None or (name in self.captured_names) == captured]  # fmt: skip

    @cached_property
    def auto(self) -> Evening:
        """An evening of auto mode."""
        return dance_evening_by_itself(self.studio, compose_evening(self.effort.auto_minutes, self.seed), self.seed)

    @cached_property
    def changes(self) -> NDArray[np.int64]:
        return find_changes(self.auto.style, self.auto.dance)

    @property
    def axes(self) -> int:
        return self.studio.axes

    @cached_property
    def dance_numbers(self) -> dict[str, int]:
        return {d.name: i for i, d in enumerate(self.studio.pack.dances)}

    def known(self, beats: int, hop_beats: int, thin: int, named: bool = False) -> Known:
        """Windows of the training takes; loops of written dances begin again where they end. `named`: only of dances
        that can be asked for, without those of which legs and arms come from two."""
        steps, hop = beats * STEPS_PER_BEAT, hop_beats * STEPS_PER_BEAT
        cut: list[NDArray[np.float32]] = []
        dance: list[int] = []
        for take in self.seen:
            if named and not take.dance:
                continue
            poses = take.danced.poses
            if not take.captured:
                poses = np.concatenate([poses, poses[: steps - hop]])
            cut.append(windows(poses, steps, hop))
            dance += [self.dance_numbers.get(take.dance, -1)] * len(cut[-1])
        return Known(np.concatenate(cut), np.array(dance), thin)

    def wanted(self, starts: NDArray[np.int64], steps: int) -> list[Wanted]:
        """What auto mode danced in the middle of the windows that begin at `starts`."""
        pack, auto = self.studio.pack, self.auto
        out = []
        for start in starts.tolist():
            middle = start + steps // 2
            number = int(auto.dance[middle])
            name = pack.dances[number].name if number >= 0 else ""
            energy = float(auto.music.heard[start : start + steps].mean())
            out.append(Wanted(name, pack.styles[auto.style[middle]], energy, round(float(auto.beat[start]))))
        return out

    def wanted_by_name(self, names: Sequence[str], steps: int) -> tuple[NDArray[np.float32], list[Wanted]]:
        """Windows (N, steps, 21, A) of the named dances, one after the other, and what each is."""
        pack = self.studio.pack
        cut, wanted = [], []
        for name in names:
            body = windows(self.named[name].body(self.axes), steps)
            cut.append(body)
            for k in range(len(body)):
                beat = k * steps // STEPS_PER_BEAT
                energy = ENERGIES[beat // PHRASE_BEATS % len(ENERGIES)]
                wanted.append(Wanted(name, pack.styles[pack.dances[self.dance_numbers[name]].style], energy, beat))
        return np.concatenate(cut), wanted


def match(ours: NDArray[np.float32], wanted: Sequence[Wanted], pool: Pool, seed: int) -> Excerpts:
    """Ours (N, T, 21, A) beside real windows of the same dances; those that no real take fits are left out."""
    rows = pool.match(wanted, seed)
    kept = [k for k, row in enumerate(rows) if row >= 0]
    group = np.array([wanted[k].dance or wanted[k].style for k in kept])
    return Excerpts(ours[kept], pool.bodies([rows[k] for k in kept], ours.shape[-1]), group)
