"""Rows of a pack that dances by itself: who dances real takes meets the goals, and each fault is seen where it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
import pytest

from tests.support.real_dances import SEED, Joints, made_takes, pack_of
from training.data.choreography import DANCES
from training.data.dataset import written_motions
from training.data.motion.skeleton import INDEX
from training.evaluate import two_sample
from training.evaluate.auto_dancing import measure_bodies, measure_novelty
from training.evaluate.auto_mode import Evening, Music, OwnSteps
from training.evaluate.effort import Effort
from training.evaluate.material import Material
from training.evaluate.real import Real, names_of_clips, new_takes
from training.evaluate.realism import measure_distances, measure_two_samples
from training.evaluate.studio import Danced, Studio
from training.evaluate.tables import Row
from visualizer.dancer.pack import STEPS_PER_BEAT

SOME = DANCES[::20]
Spoil = Callable[[np.ndarray], None]


def one_after_the_other(takes: list[Real], numbers: dict[str, int], styles: tuple[str, ...]) -> Evening:
    """An evening on which real takes are danced, each from its beginning and as long as it is."""
    poses, joints, space = (
        np.concatenate([np.asarray(getattr(t.danced, name)) for t in takes]) for name in ("poses", "joints", "space")
    )
    dance = np.concatenate([np.full(len(t.energy), numbers[t.dance]) for t in takes])
    style = np.concatenate([np.full(len(t.energy), styles.index(t.style)) for t in takes])
    energy = np.concatenate([t.energy for t in takes]).astype(np.float64)
    steps = np.arange(len(dance))
    music = Music(np.zeros(len(dance), np.int64), energy, energy)
    own = OwnSteps(steps, poses, style, dance)
    return Evening(Danced(poses, joints, space), steps / STEPS_PER_BEAT, style, dance, music, own)


class Build(Protocol):
    """Real takes as the dance of a pack, after `spoil` has changed their joints (S, 21, 2 or 3) in place."""

    def __call__(self, spoil: Spoil | None = None, axes: int = 2) -> Material: ...


@pytest.fixture(scope="module")
def material() -> Build:
    """Makes a `Material`; the takes are danced once for all tests, and each gets copies of its own."""
    danced = [t for t in new_takes({d.name for d in SOME}, 99, False) if t.front]
    takes = made_takes(written_motions(SOME, SEED))

    def build(spoil: Spoil | None = None, axes: int = 2) -> Material:
        pool = copy.deepcopy(danced)
        if spoil is not None:
            for take in pool:
                for joints in (take.danced.poses, take.danced.joints, take.danced.space):
                    assert joints is not None
                    spoil(joints)
        pack = replace(pack_of(pool), body=object() if axes == 3 else None)
        effort = replace(Effort(), compared=60, tested=300)
        made = Material(Studio(pack, Joints()), [*takes], names_of_clips(pack, takes), SEED, effort, False)
        made.auto = one_after_the_other(pool, made.dance_numbers, pack.styles)
        at_middle = [t for t in pool if t.energy[0] == np.float32(0.5)]
        made.named = {t.dance: t.danced for t in at_middle}
        return made

    return build


def rows_of(rows: list[Row]) -> dict[str, float]:
    named, head = {}, ""
    for row in rows:
        head = row.name if not row.name.startswith(" ") else head
        name = row.name if head == row.name else f"{head} >{row.name}"
        assert isinstance(row.ours, int | float)
        named[name] = float(row.ours)
    return named


def found(rows: dict[str, float], begin: str) -> float:
    """The figure of the first row whose own name begins so."""
    return next(value for name, value in rows.items() if name.split(" >")[-1].strip().startswith(begin))


@pytest.mark.parametrize("axes", [2, 3])
def test_real_takes_have_bones_feet_and_accents(material: Build, axes: int) -> None:
    rows = rows_of(measure_bodies(material(axes=axes)))
    for length in ("10%", "25%"):
        for place in ("", ">  steady", ">  first beat"):
            names = [n for n in rows if n.startswith(f"limb > {length}") and (place in n if place else ">  " not in n)]
            assert names
            assert all(rows[n] == 0 for n in names)
    assert rows["the longest limb, times its length, auto"] == pytest.approx(1, abs=0.01)
    assert rows["foot skating, cm/s, auto"] < 6


def test_a_long_arm_and_a_sliding_foot_are_seen(material: Build) -> None:
    def lengthen(joints: np.ndarray) -> None:
        joints[:, INDEX["left_hand"]] += 0.3 * (joints[:, INDEX["left_hand"]] - joints[:, INDEX["left_wrist"]])

    def slide(joints: np.ndarray) -> None:
        joints[..., 0] += (np.arange(len(joints)) * 0.2 / 32)[:, None]

    good = rows_of(measure_bodies(material()))
    long = rows_of(measure_bodies(material(lengthen, axes=3)))
    assert long["limb > 25% too long, share of steps, auto"] == 1
    assert rows_of(measure_bodies(material(lengthen)))["limb > 25% too long, share of steps, auto"] < 1  # foreshortened
    skating = rows_of(measure_bodies(material(slide)))
    assert skating["foot skating, cm/s, auto"] > good["foot skating, cm/s, auto"] + 10


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to tell what is to be told here, in a quarter of the time."""
    monkeypatch.setattr(two_sample, "TREES", 30)


@pytest.mark.slow
@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("axes", [2, 3])
def test_real_takes_are_not_told_from_real_takes(material: Build, axes: int) -> None:
    made = material(axes=axes)
    rows = rows_of(measure_two_samples(made))
    assert 0.3 < next(iter(rows.values())) < 0.7  # auto, all features
    assert 0.3 < found(rows, "auto, without bones and feet") < 0.7
    assert next(iter(rows_of(measure_distances(made)).values())) < 20


@pytest.mark.slow
@pytest.mark.usefixtures("few_trees")
def test_who_shakes_is_told_from_real_takes(material: Build) -> None:
    rng = np.random.default_rng(0)

    def shake(joints: np.ndarray) -> None:
        joints += rng.normal(0, 0.004, joints.shape).astype(np.float32)

    rows = rows_of(measure_two_samples(material(shake)))
    assert next(iter(rows.values())) > 0.95  # auto, all features
    assert found(rows, "auto, without bones and feet") > 0.95


def test_new_takes_are_near_copies_and_recognised_at_once(material: Build) -> None:
    rows = rows_of(measure_novelty(material()))
    assert found(rows, "four-beat windows that are near copies") > 0.9
    assert found(rows, "right dance nearest in beat 1") > 0.95
    assert found(rows, "in beat 3") > 0.95
    assert found(rows, "style recognised") > 0.9

    def elsewhere(joints: np.ndarray) -> None:
        joints[:, INDEX["left_wrist"] : INDEX["left_hand"] + 1] -= 0.4

    moved = rows_of(measure_novelty(material(elsewhere)))
    assert found(moved, "four-beat windows that are near copies") < 0.1


def test_dances_without_a_name_are_copied_but_never_asked_for(material: Build) -> None:
    """Legs and arms of crossed dances are those of named ones: the nearest beat of all is often theirs."""
    made = material()
    nameless = [replace(m, dance="", clip=f"under {m.clip}") for m in written_motions(SOME, 99)]
    made.takes = [*made.takes, *made_takes(nameless)]
    rows = rows_of(measure_novelty(made))
    assert found(rows, "right dance nearest in beat 1") > 0.95
    assert found(rows, "four-beat windows that are near copies") == 1.0
