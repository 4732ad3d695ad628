"""Real dances, captured and written, in the form of the generated ones: takes and windows of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.data import choreography
from training.data.dataset import (
    WRITTEN_LEVELS,
    Motion,
    Take,
    crop_place,
    from_bytes,
    join_takes,
    views,
)
from training.data.motion.body import about_crop, project
from training.data.motion.skeleton import mirror
from training.evaluate import metrics as mt
from training.evaluate.metrics import PHRASE
from training.evaluate.reconstruction import run_network
from training.evaluate.studio import Danced, Studio, give_back, to_picture_axes
from training.recipe import name_dances
from visualizer.dancer.pack import (
    FRAME_METRES,
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    STEPS_PER_LETTER,
    Pack,
)
from visualizer.errors import UserError

UNSEEN = 10_000_000  # added to the seed of training: takes of the written dances that it never saw

TAKE_BEATS = 32  # of a new take of a written dance


@dataclass(frozen=True)
class Real:
    """A real take in the form of the generated ones. `round_steps`: length of a written dance's loop."""

    style: str
    dance: str
    captured: bool
    front: bool  # not mirrored
    energy: NDArray[np.float32]
    danced: Danced
    round_steps: int = 0


def _as_danced(take: Take) -> Danced:
    """A take in metres with its travel given back, as a `Studio` gives it; in space where its data say so."""
    travelled = np.cumsum(take.read("travel")) / STEPS_PER_BEAT * FRAME_METRES
    flat = give_back((take.read("joints") * FRAME_METRES).astype(np.float32), travelled)
    if "body" not in take.group:
        return flat
    return replace(flat, space=give_back(to_picture_axes(take.read("body")), travelled).space)


def bodies_of(takes: Sequence[Real], axes: int) -> list[NDArray[np.float32]]:
    """The joints of takes, (S, 21, axes) each, the travel given back."""
    return [t.danced.body(axes) for t in takes]


def as_training_sees(pack: Pack, takes: list[Take]) -> list[Take]:
    """Those of the takes that the recurrent networks learn from, or would if they were not held out: with a beat,
    from the front, mirrored or not, and long enough."""
    return [
        t for t in takes
        if t.timed and t.yaw == 0 and t.style in pack.styles and len(t) >= 4 * STEPS_PER_LETTER
    ]  # fmt: skip


def names_of_clips(pack: Pack, takes: list[Take], lost: Collection[str] = ()) -> dict[str, str]:
    """By what name the pack dances each clip of the data. UserError if the data give other names than the pack has, but
    for those in `lost`: it was trained on something else, and "salsa 3" would not be the same dance."""
    named, numbers = name_dances(as_training_sees(pack, takes), list(pack.styles))
    mine, theirs = set(named), {(d.name, d.style) for d in pack.dances if d.name not in lost}
    if mine != theirs:
        different = sorted({name for name, _ in mine ^ theirs})
        raise UserError(
            f"pack {pack.name} was trained on other data than these: of the named dances {len(different)} are not "
            f"the same, such as {different[0]!r}; give the --motion that it was trained on, and a new --work"
        )
    return {clip: named[number][0] for clip, number in numbers.items()}


def written_since(pack: Pack, takes: list[Take], written: Collection[str]) -> tuple[set[str], set[str]]:
    """Written dances that the takes show and the pack has not learned, and those that it has learned and the takes do
    not show; `written`: the written dances that it was trained on."""
    now = {t.dance for t in takes if t.dance}
    mine = {d.name for d in pack.dances}
    return now - mine, (mine & set(written)) - now


def real_take(take: Take) -> Real:
    """A take of the data set in metres, from its first phrase on."""
    start = slice(take.phrase * STEPS_PER_BEAT, None)
    danced = _as_danced(take).part(start)
    return Real(take.style, take.dance, take.captured, not take.mirrored, take.read("energy")[start], danced)


def see_positions(positions: NDArray[np.float32]) -> Danced:
    """Motion in the room (S, 21, 3) as a take shows it: the crop takes the travel away, and its speed gives it back."""
    place = crop_place(positions)
    travelled = np.cumsum(np.diff(place[:, 0], prepend=2 * place[0, 0] - place[1, 0]))
    flat = give_back(project(positions, place[:, 0]) * np.float32(FRAME_METRES), travelled)
    return replace(flat, space=give_back(to_picture_axes(about_crop(positions, place)), travelled).space)


def new_takes(names: set[str], seed: int, tiny: bool, levels: Sequence[float] = WRITTEN_LEVELS) -> list[Real]:
    """Takes of the written dances that training never saw, from the front, mirrored where its own takes were; one of
    each at each of the energies `levels`."""
    out = []
    for number, dance in enumerate(choreography.DANCES):
        if dance.name not in names:
            continue
        for level in levels:
            rounds = [
                choreography.perform(dance, level, STEPS_PER_BEAT, seed=seed + UNSEEN + 1000 * number + k).positions
                for k in range(max(1, TAKE_BEATS // dance.beats))
            ]
            positions = join_takes(rounds)
            energy = np.full(len(positions), level, dtype=np.float32)
            motion = Motion(f"{dance.name}@{level}", dance.style, positions, energy, True, True, False, dance.name, "")
            for mirrored in sorted({mirrored for mirrored, yaw in views(motion, seed, tiny) if yaw == 0}):
                seen = mirror(positions) if mirrored else positions
                danced = see_positions(seen)
                out.append(Real(dance.style, dance.name, False, not mirrored, energy, danced, len(rounds[0])))
    return out


def mixed(captured: list[Real], written: list[Real], like: list[Real], seed: int) -> list[Real]:
    """All of `captured`, and of `written` by chance as much as keeps the proportion that the two have in `like`."""
    lengths = [sum(len(r.energy) for r in like if r.captured == kind) for kind in (True, False)]
    if not captured or lengths[0] == 0:
        return written
    wanted = sum(len(r.energy) for r in captured) * lengths[1] / lengths[0]
    out, total = list(captured), 0
    for i in np.random.default_rng(seed).permutation(len(written)):
        if total >= wanted:
            break
        out.append(written[i])
        total += len(written[i].energy)
    return out


@dataclass(frozen=True)
class Windows:
    """8-beat windows of real or generated dances, with the style of each and where it comes from."""

    joints: NDArray[np.float32]  # (N, 128, 21, 2)
    poses: NDArray[np.float32]
    style: NDArray[np.str_]
    dance: NDArray[np.str_]
    captured: NDArray[np.bool_]
    energy: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.style)

    def pick(self, index: NDArray[Any]) -> Windows:
        return Windows(*(getattr(self, n)[index] for n in self.__dataclass_fields__))

    def features(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Kinetic and geometric."""
        return mt.kinetic_features(self.joints), mt.geometric_features(self.joints)


def windows_of(takes: Sequence[Real]) -> Windows:
    """All 8-beat windows that begin with a phrase. UserError if no take is as long."""
    rows = [(t, at) for t in takes for at in range(0, len(t.energy) - PHRASE + 1, PHRASE)]
    if not rows:
        raise UserError(f"no take is {PHRASE_BEATS} beats long, so there is nothing to measure a dance against")
    return Windows(
        np.stack([t.danced.joints[at : at + PHRASE] for t, at in rows]),
        np.stack([t.danced.poses[at : at + PHRASE] for t, at in rows]),
        np.array([t.style for t, _ in rows]),
        np.array([t.dance for t, _ in rows]),
        np.array([t.captured for t, _ in rows]),
        np.array([t.energy[at : at + PHRASE].mean() for t, at in rows]),
    )


def held_out_windows(captured: list[Real], written: list[Real], like: list[Real], count: int, seed: int) -> Windows:
    """`count` windows of unseen takes at most, captured and written in the proportion that they have in `like`."""
    rng = np.random.default_rng(seed)
    share = sum(len(r.energy) for r in like if r.captured) / max(1, sum(len(r.energy) for r in like))
    pools = [windows_of(pool) if pool else None for pool in (captured, written)]
    shares = (share, 1 - share) if all(pools) else (1.0, 1.0)
    known = [(pool, part) for pool, part in zip(pools, shares, strict=True) if pool is not None and part > 0]
    count = min([count, *(int(len(pool) / part) for pool, part in known)])
    picked = [pool.pick(rng.permutation(len(pool))[: max(1, round(count * part))]) for pool, part in known]
    return Windows(*(np.concatenate([getattr(p, n) for p in picked]) for n in Windows.__dataclass_fields__))


def latents_of(takes: list[Take], studio: Studio, encoder: Any) -> list[NDArray[np.float32]]:
    """Latents (S, D) of takes: of a pack of format 3 from their bodies in space. Where a pack's joints are a linear
    function of its latent that can be turned round, by least squares from the joints; else by the encoder from the
    frames."""
    if studio.pack.body is not None:
        return [studio.pack.body.latents(t.read("body")) for t in takes]
    size = studio.pack.latent_size
    base = studio.poses(np.zeros((1, size), np.float32)).reshape(-1)
    slopes = studio.poses(np.eye(size, dtype=np.float32)).reshape(size, -1) - base
    probe = np.random.default_rng(0).normal(size=(64, size)).astype(np.float32)
    linear = np.abs(studio.poses(probe).reshape(64, -1) - (probe @ slopes + base)).max() < 1e-3
    if linear and np.linalg.matrix_rank(slopes, tol=1e-4) == size:
        back = np.linalg.pinv(slopes)
        return [((t.read("joints").reshape(len(t), -1) * FRAME_METRES - base) @ back).astype(np.float32) for t in takes]
    return [
        run_network(encoder, "frame", from_bytes(t.read("frames"))[:, None])[0]
        for t in track(takes, description="encoding for the baseline")
    ]


def phrase_threshold(takes: list[Real]) -> float:
    """Median distance, metres, between two takes of one written dance, at equal or different energy."""
    rounds: dict[str, list[NDArray[np.float32]]] = {}
    for take in takes:
        if take.dance and take.front and take.round_steps:
            for at in range(0, len(take.energy) - PHRASE + 1, max(PHRASE, take.round_steps)):
                rounds.setdefault(take.dance, []).append(take.danced.poses[at : at + PHRASE])
    apart = []
    for own in rounds.values():
        distance = mt.phrase_distances(np.stack(own), np.stack(own))
        apart.append(distance[np.triu_indices(len(own), 1)])
    return float(np.median(np.concatenate(apart))) if apart else 0.0


def captured_dances(pack: Pack, takes: list[Take], names: Mapping[str, str]) -> dict[str, list[Take]]:
    """The takes that captured dances were learned from, by the name of the dance."""
    out: dict[str, list[Take]] = {}
    for take in as_training_sees(pack, takes):
        if take.captured and not take.held_out:
            out.setdefault(names[take.clip], []).append(take)
    return out
