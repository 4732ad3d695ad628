"""Every figure that the README quotes, measured beside real motion and a rival in one run. Definitions: metrics.py."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx.utils
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table
from scipy.ndimage import zoom
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from torch.nn import functional as F

from training.data import choreography
from training.data.dataset import (
    WRITTEN_LEVELS,
    Motion,
    Take,
    begun,
    build,
    crop_centre,
    frame_batches,
    from_bytes,
    join_takes,
    motions_digest,
    open_takes,
    recipe_of,
    views,
)
from training.data.motion.body import project, silhouettes
from training.data.motion.skeleton import mirror
from training.evaluate import metrics as fg
from training.evaluate.baseline import RivalConfig, train_rival
from training.evaluate.metrics import BPM, PHRASE, iou
from training.evaluate.plots import draw_all_dances, draw_film, draw_sheets, waves
from training.export import write_info
from training.folders import check_folder
from training.recipe import name_dances
from training.replication.models import Dense, shrink
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import (
    FRAME_METRES,
    FRAME_SIZE,
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    STEPS_PER_LETTER,
    Pack,
    load_pack,
    read_info,
)
from visualizer.errors import UserError
from visualizer.networks.session import open_session
from visualizer.support.console import Console


@dataclass(frozen=True)
class Effort:
    """How much is danced and trained to measure a pack. Beats are danced at 16 steps each."""

    windows: int = 600  # 8-beat windows a side of Fréchet distances and diversities
    segment: int = 32  # beats of one style and energy in that dance
    asked: int = 3  # 8-beat windows of each dance on demand
    improvised: int = 6  # 8-beat windows of each style on demand
    minutes: float = 10  # of the dance whose phrases are counted
    hours: float = 8
    changes: int = 120  # of style, and of dance
    student_steps: int = 300
    pca_frames: int = 4000
    every_frame: int = 8  # of the held-out takes
    fine_frames: int = 200  # of those, drawn and compared at 512
    rival_steps: int = RivalConfig.steps
    rivals: int = 4  # rollouts of so many minutes, side by side


TINY = Effort(
    windows=16, segment=16, asked=1, improvised=1, minutes=1, hours=0.02, changes=4, student_steps=20, pca_frames=400,
    every_frame=4, fine_frames=10, rival_steps=10, rivals=1,
)  # fmt: skip
LEAD_IN = PHRASE_BEATS  # beats danced before one looks: from a seed's pose into the dance
STUDENT_BATCH = 256
ENERGIES = (0.35, 0.6, 0.85)  # of a dance on demand, phrase by phrase
QUIET, LOUD = 0.1, 0.9
UNSEEN = 10_000_000  # added to the seed of training: takes of the written dances that it never saw
TAKE_BEATS = 32  # of a new take of a written dance
TEMPI = (0.81, 0.87, 1.13, 1.19)  # of a beat that is not the one played
POSE_EVERY = 4  # steps: of training takes every so many is a pose to be near to
TENTHS = 10
CLEARLY = 1.1  # times: what "clearly above" means
CHANGE_BEATS = 3  # a change waits for the next letter, up to half a beat, and blends over two beats


# --- frames ---------------------------------------------------------------------------------------------------


def run_network(session: Any, name: str, data: NDArray[np.float32], batch: int = 64) -> list[NDArray[np.float32]]:
    """Outputs of a network over data of any length."""
    parts = [session.run(None, {name: data[i : i + batch]}) for i in range(0, len(data), batch)]
    return [np.concatenate(p) for p in zip(*parts, strict=True)]


def held_out_frames(takes: list[Take], stride: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every `stride`-th frame of the clips that training never saw: frames (T, 1, 128, 128), joints (T, 21, 2)."""
    mine = [t for t in takes if t.held_out and not t.mirrored]
    if not mine:
        return np.zeros((0, 1, FRAME_SIZE, FRAME_SIZE), np.float32), np.zeros((0, 21, 2), np.float32)
    frames = np.concatenate([t.read("frames")[::stride] for t in mine])
    joints = np.concatenate([t.read("joints")[::stride] for t in mine])
    return from_bytes(frames)[:, None], joints


def upsample(frames: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Cubic up-sampling of fields, (T, H, H) -> (T, size, size), as the stage does it."""
    factor = size / frames.shape[-1]
    return np.stack([np.asarray(zoom(f, factor, order=3, mode="nearest", grid_mode=True)) for f in frames])


def principal_components(
    takes: list[Take], frames: NDArray[np.float32], size: int, seed: int, learned: int = Effort.pca_frames
) -> NDArray[np.float32]:
    """Reconstruction of `frames` from as many principal components, learned on frames that are not held out."""
    stream = frame_batches([t for t in takes if not t.held_out], learned, seed)
    seen, _ = next(stream)
    stream.close()
    pca = PCA(size, svd_solver="randomized", random_state=seed).fit(from_bytes(seen).reshape(len(seen), -1))
    flat = frames.reshape(len(frames), -1)
    return pca.inverse_transform(pca.transform(flat)).reshape(frames.shape).astype(np.float32)


def student_dense(
    takes: list[Take], frames: NDArray[np.float32], seed: int, steps: int = Effort.student_steps
) -> tuple[NDArray[np.float32], float]:
    """The seed's dense network trained on the same frames as it was written; reconstruction as a field-like picture
    (0.5 - probability, scaled up to 128) and its held-out loss, which stays at ln 2 = 0.6931 if it learns nothing."""
    torch.manual_seed(seed)
    network = Dense()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1e-3, rho=0.95, eps=1e-7)

    def masks(field: NDArray[np.float32]) -> torch.Tensor:
        return shrink(torch.from_numpy((field < 0).astype(np.float32)))

    stream = frame_batches([t for t in takes if not t.held_out], STUDENT_BATCH, seed)
    for _ in track(range(steps), description="student's dense network"):
        batch, _joints = next(stream)
        mask = masks(from_bytes(batch)[:, None])
        loss = F.binary_cross_entropy_with_logits(network(mask), mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    stream.close()
    with torch.no_grad():
        mask = masks(frames)
        logits = network(mask)
        held = float(F.binary_cross_entropy_with_logits(logits, mask))
        big = F.interpolate(torch.sigmoid(logits), (FRAME_SIZE, FRAME_SIZE), mode="bicubic")
    return (0.5 - big).numpy(), held


def decode_time(pack: Pack, runs: int = 200) -> float:
    """Median milliseconds of one decode on one thread (as `load_pack` opens it on the CPU)."""
    latent = pack.latent_mean[None]
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        pack.decoder.run(None, {"latent": latent})
        taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken))


# --- generated dances -----------------------------------------------------------------------------------------


def joints_network(pack: Pack) -> ort.InferenceSession:
    """The part of a pack's decoder that gives joints: 19,200 steps need no pictures, which are nearly all its work."""
    whole = onnx.load(pack.folder / "decoder.onnx")
    part = onnx.utils.Extractor(whole).extract_model(["latent"], ["joints"])
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    ort.disable_telemetry_events()
    return ort.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class Danced:
    """A dance in the picture, one row a step. `poses` (S, 21, 2) metres as the crop shows them, `joints` the same with
    the travel given back."""

    poses: NDArray[np.float32]
    joints: NDArray[np.float32]

    def part(self, steps: slice) -> Danced:
        return Danced(self.poses[steps], self.joints[steps])


@dataclass
class Studio:
    """A pack that is asked to dance, and seen by its joints. `network` is what `joints_network` gives."""

    pack: Pack
    network: Any
    rescues: int = 0  # of all who danced here
    restarts: int = 0

    def poses(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (S, D) -> joints (S, 21, 2), metres as the crop shows them."""
        (joints,) = run_network(self.network, "latent", latent, 4096)
        return joints * np.float32(FRAME_METRES)

    def dance(
        self, dancer: Dancer, beats: int, energy: Callable[[float], float], change: Callable[[int], None] | None = None
    ) -> Danced:
        """Let `dancer` dance `beats` beats from beat 0; `change` is called before each step with its number."""
        latents, places = [], []
        for beat in track(range(beats), description="dancing", disable=beats < 200):
            for step in range(beat * STEPS_PER_BEAT, (beat + 1) * STEPS_PER_BEAT):
                if change is not None:
                    change(step)
                now = step / STEPS_PER_BEAT
                dancer.step_to(now, energy(now))
                latent, place = dancer.between(now)
                latents.append(latent[0])
                places.append(float(place[0]))
        self._count(dancer)
        poses = self.poses(np.stack(latents))
        joints = poses.copy()
        joints[:, :, 0] += np.array(places, dtype=np.float32)[:, None] * FRAME_METRES
        return Danced(poses, joints)

    def dance_for_hours(self, hours: float, seed: int) -> NDArray[np.float32]:
        """Poses (B, 21, 2), metres as the crop shows them, one a beat of `hours` hours at 120 BPM."""
        beats = max(TENTHS, round(hours * 60 * BPM))
        dancer = Dancer(self.pack, seed)
        change = _changing(dancer, seed)
        latents = np.empty((beats, self.pack.latent_size), dtype=np.float32)
        for beat in track(range(beats), description=f"dancing for {hours:g} hours"):
            change(beat * STEPS_PER_BEAT)
            dancer.step_to(beat, waves(beat))
            latents[beat] = dancer.between(beat)[0][0]
        self._count(dancer)
        return self.poses(latents)

    def _count(self, dancer: Dancer) -> None:
        self.rescues += dancer.rescues
        self.restarts += dancer.restarts


def _changing(dancer: Dancer, seed: int, beats: int = 64) -> Callable[[int], None]:
    """Another style, by chance, every `beats` beats."""
    rng = np.random.default_rng(seed)

    def change(step: int) -> None:
        if step % (beats * STEPS_PER_BEAT) == 0:
            dancer.set_style(str(rng.choice(dancer.pack.styles)))

    return change


@dataclass(frozen=True)
class Asked:
    """What real motion would have been asked for: its style and energy."""

    style: str
    energy: float
    captured: bool


def dance_what_was_asked(studio: Studio, asked: list[Asked], beats: int, seed: int) -> list[Danced]:
    """One evening in which each wish is danced for `beats` beats, one dance a wish; the lead-in is left out."""
    dancer = Dancer(studio.pack, seed, asked[0].style)

    def wish(step: int) -> Asked:
        return asked[max(0, step // STEPS_PER_BEAT - LEAD_IN) // beats]

    def change(step: int) -> None:
        if dancer.style != wish(step).style:
            dancer.set_style(wish(step).style)

    total = LEAD_IN + len(asked) * beats
    whole = studio.dance(dancer, total, lambda beat: wish(round(beat * STEPS_PER_BEAT)).energy, change)
    cuts = [(LEAD_IN + k * beats) * STEPS_PER_BEAT for k in range(len(asked) + 1)]
    return [whole.part(slice(a, b)) for a, b in pairwise(cuts)]


def dances_on_demand(studio: Studio, phrases: int, seed: int) -> dict[str, Danced]:
    """Each dance by its name, `phrases` phrases of 8 beats at rising energy after the lead-in."""
    out = {}
    for number, dance in enumerate(track(studio.pack.dances, description="dances on demand")):
        dancer = Dancer(studio.pack, seed + number, dance=dance.name)

        def energy(beat: float) -> float:
            return ENERGIES[int(max(0.0, beat - LEAD_IN) // PHRASE_BEATS) % len(ENERGIES)]

        out[dance.name] = studio.dance(dancer, LEAD_IN + phrases * PHRASE_BEATS, energy).part(_after_lead_in)
    return out


_after_lead_in = slice(LEAD_IN * STEPS_PER_BEAT, None)


def styles_on_demand(studio: Studio, phrases: int, seed: int) -> dict[str, Danced]:
    """Each style by its name, what is danced left to the dancer."""
    out = {}
    for number, style in enumerate(track(studio.pack.styles, description="styles on demand")):
        dancer = Dancer(studio.pack, seed + number, style)
        out[style] = studio.dance(dancer, LEAD_IN + phrases * PHRASE_BEATS, waves).part(_after_lead_in)
    return out


def jumps_at_changes(studio: Studio, changes: int, of_dance: bool, seed: int) -> float:
    """The largest step of any joint, metres, within `CHANGE_BEATS` after a change of style (or of the dance asked
    for), at any moment of the phrase."""
    rng = np.random.default_rng(seed)
    names = [d.name for d in studio.pack.dances] if of_dance else list(studio.pack.styles)
    gaps = rng.integers(6 * STEPS_PER_BEAT, 10 * STEPS_PER_BEAT, changes)
    at = LEAD_IN * STEPS_PER_BEAT + np.cumsum(gaps)
    dancer = Dancer(studio.pack, seed)
    moments = set(at.tolist())

    def change(step: int) -> None:
        if step in moments:
            others = [n for n in names if n != (dancer.dance if of_dance else dancer.style)]
            (dancer.set_dance if of_dance else dancer.set_style)(str(rng.choice(others)))

    danced = studio.dance(dancer, int(at[-1]) // STEPS_PER_BEAT + CHANGE_BEATS + 2, lambda _: 0.6, change)
    lengths = fg.step_lengths(danced.joints)
    # The step before is the last that could not know.
    return float(max(lengths[i - 1 : i + CHANGE_BEATS * STEPS_PER_BEAT].max() for i in at))


def energy_response(studio: Studio, seed: int) -> float:
    """Mean joint speed at energy 0.9 over that at 0.1, all styles together."""
    speeds: dict[float, list[NDArray[np.float32]]] = {QUIET: [], LOUD: []}
    half = LEAD_IN + 2 * PHRASE_BEATS
    for number, style in enumerate(studio.pack.styles):
        dancer = Dancer(studio.pack, seed + number, style)
        danced = studio.dance(dancer, 2 * half, lambda beat: QUIET if beat < half else LOUD)
        for k, level in enumerate((QUIET, LOUD)):
            speeds[level].append(danced.joints[k * half * STEPS_PER_BEAT :][_after_lead_in][: 2 * PHRASE])
    return fg.mean_speed(speeds[LOUD]) / max(fg.mean_speed(speeds[QUIET]), 1e-9)


# --- real dances ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Real:
    """A real take as the generated ones are seen. `round_steps`: length of a written dance's loop."""

    style: str
    dance: str
    captured: bool
    front: bool  # not mirrored
    energy: NDArray[np.float32]
    danced: Danced
    round_steps: int = 0


def _real_joints(take: Take) -> NDArray[np.float32]:
    """Joints of a take in metres with its travel given back, as a `Studio` gives them."""
    joints = (take.read("joints") * FRAME_METRES).astype(np.float32)
    joints[:, :, 0] += np.cumsum(take.read("travel"))[:, None] / STEPS_PER_BEAT * FRAME_METRES
    return joints


def as_training_sees(pack: Pack, takes: list[Take]) -> list[Take]:
    """Those of the takes that the recurrent networks learn from, or would if they were not held out: with a beat,
    from the front, mirrored or not, and long enough."""
    return [
        t for t in takes
        if t.timed and t.yaw == 0 and t.style in pack.styles and len(t) >= 4 * STEPS_PER_LETTER
    ]  # fmt: skip


def names_of_clips(pack: Pack, takes: list[Take]) -> dict[str, str]:
    """By what name the pack dances each clip of the data. UserError if the data give other names than the pack has:
    it was trained on something else, and "salsa 3" would not be the same dance."""
    named, numbers = name_dances(as_training_sees(pack, takes), list(pack.styles))
    mine, theirs = set(named), {(d.name, d.style) for d in pack.dances}
    if mine != theirs:
        different = sorted({name for name, _ in mine ^ theirs})
        raise UserError(
            f"pack {pack.name} was trained on other data than these: of the named dances {len(different)} are not "
            f"the same, such as {different[0]!r}; give the --motion that it was trained on, and a new --work"
        )
    return {clip: named[number][0] for clip, number in numbers.items()}


def real_take(take: Take) -> Real:
    """A take of the data set in metres, from its first phrase on."""
    start = slice(take.phrase * STEPS_PER_BEAT, None)
    poses = (take.read("joints") * FRAME_METRES).astype(np.float32)
    danced = Danced(poses, _real_joints(take)).part(start)
    return Real(take.style, take.dance, take.captured, not take.mirrored, take.read("energy")[start], danced)


def new_takes(names: set[str], seed: int, tiny: bool) -> list[Real]:
    """Takes of the written dances that training never saw, from the front, mirrored where its own takes were."""
    out = []
    for number, dance in enumerate(choreography.DANCES):
        if dance.name not in names:
            continue
        for level in WRITTEN_LEVELS:
            rounds = [
                choreography.perform(dance, level, STEPS_PER_BEAT, seed=seed + UNSEEN + 1000 * number + k).positions
                for k in range(max(1, TAKE_BEATS // dance.beats))
            ]
            positions = join_takes(rounds)
            energy = np.full(len(positions), level, dtype=np.float32)
            motion = Motion(f"{dance.name}@{level}", dance.style, positions, energy, True, True, False, dance.name, "")
            for mirrored in sorted({mirrored for mirrored, yaw in views(motion, seed, tiny) if yaw == 0}):
                seen = mirror(positions) if mirrored else positions
                centre = crop_centre(seen)
                poses = project(seen, centre) * np.float32(FRAME_METRES)
                joints = poses.copy()
                joints[:, :, 0] += centre[:, None]
                danced = Danced(poses, joints)
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
        return fg.kinetic_features(self.joints), fg.geometric_features(self.joints)


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
    """Latents (S, D) of takes. Where a pack's joints are a linear function of its latent that can be turned round, by
    least squares from the joints; else by the encoder from the frames."""
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
        for t in track(takes, description="encoding for the rival")
    ]


def phrase_threshold(takes: list[Real]) -> float:
    """Median distance, metres, between two takes of one written dance, at equal or different energy."""
    rounds: dict[str, list[NDArray[np.float32]]] = {}
    for take in takes:
        if take.front and take.round_steps:
            for at in range(0, len(take.energy) - PHRASE + 1, max(PHRASE, take.round_steps)):
                rounds.setdefault(take.dance, []).append(take.danced.poses[at : at + PHRASE])
    apart = []
    for own in rounds.values():
        distance = fg.phrase_distances(np.stack(own), np.stack(own))
        apart.append(distance[np.triu_indices(len(own), 1)])
    return float(np.median(np.concatenate(apart))) if apart else 0.0


# --- the table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A line of the table. Values are numbers or words; None where there is nothing to measure."""

    name: str
    goal: str
    ours: float | str | None
    real: float | str | None = None
    rival: float | str | None = None
    met: bool | None = None


def _three(name: str, goal: str, values: Sequence[float | str], met: bool | None = None) -> Row:
    """A line whose values are ours, real and the rival's."""
    ours, real, rival = values
    return Row(name, goal, ours, real, rival, met)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return value if isinstance(value, str) else f"{value:.4g}"


def _kept(value: Any) -> Any:
    """A value as `pack.json` keeps it: JSON knows no infinity."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value


def print_table(console: Console, title: str, rows: list[Row]) -> None:
    table = Table(title=title)
    for head in ("measure", "goal", "ours", "real held-out", "rival", "met?"):
        table.add_column(head)
    for row in rows:
        table.add_row(row.name, row.goal, *map(_text, (row.ours, row.real, row.rival, row.met)))
    console.print(table)


def measure_pictures(
    pack: Pack, encoder: Any, takes: list[Take], seed: int, effort: Effort, console: Console
) -> tuple[list[Row], NDArray[np.float32], NDArray[np.float32]]:
    """The autoencoder beside principal components and the student's network: rows, true and found frames."""
    frames, joints = held_out_frames(takes, effort.every_frame)
    if len(frames) == 0:  # a data set without clips holds out nothing
        frames = from_bytes(np.concatenate([t.read("frames")[::16] for t in takes]))[:, None]
        joints = np.concatenate([t.read("joints")[::16] for t in takes])
        console.print("note: nothing is held out in these data; the frames below were trained on")
    (latent,) = run_network(encoder, "frame", frames)
    found, found_joints = run_network(pack.decoder, "latent", latent)[:2]
    inside = frames[:, 0] < 0
    size = pack.latent_size
    ours, components = f"ours, latent {size}", f"principal components, {size}"
    fields = {ours: found[:, 0]}
    fields[components] = principal_components(takes, frames, size, seed, effort.pca_frames)[:, 0]
    dense, dense_loss = student_dense(takes, frames, seed, effort.student_steps)
    fields["student's dense network, latent 128"] = dense[:, 0]
    few = slice(None, None, max(1, len(frames) // effort.fine_frames))
    exact = silhouettes(joints[few], 512)[:, 0]
    table = Table(title=f"Held-out frames and their reconstruction ({len(frames)} frames)")
    for head in ("network", "IoU at 128", "worst 5%", "IoU at 512 after cubic", "outline error, px at 512",
                 "variety kept", "ghost limbs"):  # fmt: skip
        table.add_column(head)
    values: dict[str, list[float]] = {}
    for name, made in {**fields, "the true field at 128, for comparison": frames[:, 0]}.items():
        large = upsample(made[few], 512)
        at_128 = iou(inside, made < 0)
        values[name] = [
            float(at_128.mean()), float(np.quantile(at_128, 0.05)), float(iou(exact < 0, large < 0).mean()),
            fg.outline_error(exact, large), fg.variety_kept(frames[few, 0], made[few]),
            float(fg.ghost_limbs(frames[:, 0], made).mean()),
        ]  # fmt: skip
        row = values[name]
        table.add_row(name, *(f"{v:.4f}" for v in row[:3]), f"{row[3]:.3f}", f"{row[4]:.3f}", f"{100 * row[5]:.1f}%")
    console.print(table)
    console.print(f"student's dense network: held-out loss {dense_loss:.4f} (ln 2 = 0.6931)")
    as_given, exchanged = fg.joints_error(joints, found_joints)
    decode = decode_time(pack)
    mine, theirs = values[ours], values[components]
    rows = [
        Row("IoU at 128", "≥ 0.97", mine[0], None, theirs[0], mine[0] >= 0.97),
        Row("IoU at 128, worst 5%", "", mine[1], None, theirs[1]),
        Row("IoU at 512 after cubic", "", mine[2], None, theirs[2]),
        Row("outline error at 512, px", "≤ 0.35, below components'", mine[3], None, theirs[3],
            mine[3] <= 0.35 and mine[3] < theirs[3]),
        Row("variety kept", "≥ 0.95", mine[4], None, theirs[4], mine[4] >= 0.95),
        Row("ghost limbs, share of frames", "0", mine[5], None, theirs[5], mine[5] == 0),
        Row("joints error, % of height", "≤ 1.5", 100 * as_given, None, None, as_given <= 0.015),
        Row("joints error, left and right exchanged where that fits", "≤ 1.5", 100 * exchanged, None, None,
            exchanged <= 0.015),
        Row("decode on one thread, ms", "≤ 4", decode, None, None, decode <= 4),
        Row("student's dense network, IoU at 128", "", None, None,
            values["student's dense network, latent 128"][0]),
    ]  # fmt: skip
    return rows, frames, found


def measure_wishes(
    studio: Studio, seen: list[Real], fresh: list[Real], unseen: Windows, effort: Effort, seed: int
) -> list[Row]:
    """Is the dance, and the style, that was asked for the one that is danced?"""
    pack = studio.pack
    rows: list[Row] = []
    demanded = dances_on_demand(studio, effort.asked, seed)
    known = [t for t in seen if t.dance in demanded]
    if known:
        # A written dance begins again where it ends; a captured one does not, and may be entered at any bar.
        shifts = [
            fg.windows(t.danced.poses, hop=PHRASE // 2) if t.captured else fg.round_windows(t.danced.poses)
            for t in known
        ]
        names = [t.dance for t, s in zip(known, shifts, strict=True) for _ in s]
        references = np.concatenate(shifts)
        captured = {t.dance for t in known if t.captured}

        def right(takes: list[tuple[str, NDArray[np.float32]]]) -> tuple[int, int]:
            phrases = [fg.windows(poses) for _, poses in takes]
            found = fg.nearest_dance(np.concatenate(phrases), references, names)
            asked = [name for (name, _), p in zip(takes, phrases, strict=True) for _ in p]
            return fg.danced_as_asked(asked, found)

        good, count = right([(name, d.poses) for name, d in demanded.items() if name not in captured])
        good_real, count_real = right([(t.dance, t.danced.poses) for t in fresh if t.dance in demanded and t.front])
        rows.append(
            Row("dance asked for is the dance performed", "≥ 95% of ≥ 150", f"{good} of {count}",
                f"{good_real} of {count_real}", None, count >= 150 and good >= 0.95 * count)
        )  # fmt: skip
        if captured:
            others, few = right([(name, d.poses) for name, d in demanded.items() if name in captured])
            rows.append(Row("  the same of captured dances", "", f"{others} of {few}"))
    train = windows_of([t for t in seen if t.style in pack.styles])
    classifier = ExtraTreesClassifier(300, class_weight="balanced", random_state=seed)
    classifier.fit(np.concatenate(train.features(), axis=1), train.style)

    def recognised(joints: NDArray[np.float32], styles: NDArray[np.str_]) -> NDArray[np.bool_]:
        features = np.concatenate([fg.kinetic_features(joints), fg.geometric_features(joints)], axis=1)
        return np.asarray(classifier.predict(features) == styles)

    def share(of: NDArray[np.bool_]) -> float | None:
        return float(of.mean()) if len(of) else None

    def lesser(*shares: float | None) -> float | None:
        return min((s for s in shares if s is not None), default=None)

    improvised = [(s, fg.windows(d.joints)) for s, d in styles_on_demand(studio, effort.improvised, seed).items()]
    named = [(pack.styles[d.style], fg.windows(demanded[d.name].joints)) for d in pack.dances]
    given = improvised + named
    right_style = recognised(np.concatenate([w for _, w in given]), np.array([s for s, w in given for _ in w]))
    count = sum(len(w) for _, w in improvised)
    real = recognised(unseen.joints, unseen.style)
    by_style, by_dance = share(right_style[:count]), share(right_style[count:])
    real_style, real_dance = share(real[unseen.captured]), share(real[~unseen.captured])
    both = lesser(by_style, by_dance)
    return [
        *rows,
        Row("style recognised, share of 8-beat windows", "both below ≥ 0.9", both, lesser(real_style, real_dance),
            None, both is not None and both >= 0.9),
        Row("  styles by name, dance as it comes (real: captured)", "", by_style, real_style),
        Row("  dances by name (real: new takes)", "", by_dance, real_dance),
    ]  # fmt: skip


def measure_features(train: Windows, ours: Windows, unseen: Windows, rival: Windows) -> list[Row]:
    """Fréchet distances and diversity of both features, between sets of one size."""
    count = min(len(ours), len(unseen), len(rival))
    ours, unseen, rival = (w.pick(np.linspace(0, len(w) - 1, count).astype(int)) for w in (ours, unseen, rival))
    rows: list[Row] = []
    varied: list[Row] = []
    for k, name in enumerate(("kinetic", "geometric")):
        base = train.features()[k]
        mean, spread = fg.scale_of(base)
        a, b, c = ((w.features()[k] - mean) / spread for w in (ours, unseen, rival))
        base = (base - mean) / spread
        one, two, three = (fg.frechet_distance(x, base) for x in (a, b, c))
        rows.append(Row(f"FID, {name} features", "≤ 1.5 × real", one, two, three, one <= 1.5 * two))
        few = [(w.captured.nonzero()[0]) for w in (ours, unseen)]
        least = min(map(len, few))
        if least > 8 and train.captured.any():
            one, two = (fg.frechet_distance(x[i[:least]], base[train.captured])
                        for x, i in zip((a, b), few, strict=True))  # fmt: skip
            rows.append(Row(f"  {name}, captured clips and their styles only", "", one, two))
        one, two, three = map(fg.diversity, (a, b, c))
        varied.append(Row(f"diversity, {name} features", "±10% of real", one, two, three, abs(one / two - 1) <= 0.1))
    return rows + varied


def measure_variety(
    studio: Studio, fresh: list[Real], unseen: Windows, rival: NDArray[np.float32], effort: Effort, seed: int
) -> list[Row]:
    """How many phrases are new in a dance of `effort.minutes`, `rival` its poses: where the style changes every 64
    beats, and where the style with the fewest dances is left alone, so that no change of style helps. Nothing where
    no written dance says how much two takes of one dance differ."""
    threshold = phrase_threshold(fresh)
    if threshold == 0:
        return []
    pack, beats = studio.pack, round(effort.minutes * BPM)
    danced = studio.dance(dancer := Dancer(pack, seed), beats, waves, _changing(dancer, seed))
    phrases = fg.windows(danced.poses)
    order = np.random.default_rng(seed).permutation(len(unseen))
    counts = [
        fg.distinct_phrases(p, threshold) for p in (phrases, unseen.poses[order[: len(phrases)]], fg.windows(rival))
    ]
    dances = [sum(d.style == i for d in pack.dances) for i in range(len(pack.styles))]
    style = pack.styles[int(np.argmin(dances))]
    alone = fg.windows(studio.dance(Dancer(pack, seed, style), beats, waves).poses)
    real = unseen.poses[order][unseen.style[order] == style][: len(alone)]
    return [
        _three(f"distinct phrases in {effort.minutes:g} minutes (of {len(phrases)})", "≥ 60", counts, counts[0] >= 60),
        Row("  the style with the fewest dances, left alone", "", fg.distinct_phrases(alone, threshold),
            f"{fg.distinct_phrases(real, threshold)} of {len(real)}" if len(real) else None),
    ]  # fmt: skip


def measure_changes(studio: Studio, real: list[Real], effort: Effort, seed: int) -> list[Row]:
    """The largest step at a change of style and of dance, against the largest in real motion."""
    pack = studio.pack
    lengths = np.concatenate([fg.step_lengths(t.danced.joints) for t in real])
    largest, usual = float(lengths.max()), float(np.quantile(lengths, 0.999))
    rows: list[Row] = []
    for of_dance in (False, True):
        if len(pack.dances if of_dance else pack.styles) > 1:
            jump = jumps_at_changes(studio, effort.changes, of_dance, seed)
            rows.append(Row(f"largest step at a change of {'dance' if of_dance else 'style'}, m", "≤ real's largest",
                            jump, f"{largest:.3g} (99.9%: {usual:.3g})", None, jump <= largest))  # fmt: skip
    return rows


Dances = list[NDArray[np.float32]]


def measure_movement(ours: Dances, real: Dances, rival: Dances) -> list[Row]:
    """On the beat, alive, calm hands and feet that grip. `rival`: its poses, for it does not travel."""
    all_three = (ours, real, rival)
    on, by_chance = [fg.beat_alignment(d) for d in all_three], [fg.beat_chance(d) for d in all_three]
    off = [fg.beat_alignment(d, 0.5) for d in all_three]
    clear = on[0] >= on[1] and on[0] >= CLEARLY * max(by_chance[0], off[0])
    spectra = [fg.motion_spectrum(d) for d in all_three]
    share = [fg.beat_power(s) for s in spectra]
    detuned = [float(np.mean([fg.beat_power(s, t) for t in TEMPI])) for s in spectra]
    rough = [1000 * fg.jitter(d) for d in all_three]
    still = [fg.frozen_seconds(d) for d in all_three]
    skating = [fg.foot_skating(d) for d in all_three]
    return [
        _three("beat alignment score", f"≥ real, {CLEARLY} × the two below", on, clear),
        _three("  of beats shifted by chance", "", by_chance),
        _three("  of beats half a beat late", "", off),
        _three("  braking on the beat over half-way", "", [fg.accent(d) for d in all_three]),
        _three("motion power at ½, 1, 2 × the beat", "≥ 0.9 × real", share, share[0] >= 0.9 * share[1]),
        _three("  at detuned tempi (× 0.81 … 1.19)", "< ½ of it", detuned, detuned[0] < 0.5 * share[0]),
        _three("jitter, mm a step³", "≤ 1.1 × real", rough, rough[0] <= 1.1 * rough[1]),
        _three("frozen seconds", "0", [f"{a} of {b}" for a, b in still], still[0][0] == 0),
        _three("foot skating, cm/s", "≤ 1.2 × real", skating, skating[0] <= 1.2 * skating[1]),
        _three("mean joint speed, m/s", "", [fg.mean_speed(d) for d in all_three]),
    ]


def measure_dancing(
    studio: Studio, encoder: Any, takes: list[Take], work: Path, seed: int, effort: Effort, tiny: bool
) -> tuple[list[Row], dict[str, Any]]:
    """All measures of dance, and curves for the plots."""
    pack = studio.pack
    data = as_training_sees(pack, takes)
    names = names_of_clips(pack, takes)
    seen = [replace(real_take(t), dance=names[t.clip]) for t in data if not t.held_out]
    captured = [real_take(t) for t in data if t.held_out]
    fresh = new_takes({t.dance for t in seen if t.dance}, seed, tiny)
    if not fresh and not captured:
        raise UserError("nothing in these data is held out or can be danced anew, so there is nothing real to compare")
    train = windows_of(seen)
    unseen = held_out_windows(captured, fresh, seen, effort.windows, seed)
    mix = [t.danced.joints for t in mixed(captured, fresh, seen, seed)]

    # The rival learns and dances.
    latents = latents_of([t for t in data if not t.held_out], studio, encoder)
    scale = np.concatenate(latents)
    mean, spread = scale.mean(axis=0), scale.std(axis=0) + 1e-6
    config = RivalConfig(pack.latent_size, steps=effort.rival_steps)
    rival = train_rival([(z - mean) / spread for z in latents], config, seed, work / "rival.pt")
    rng = np.random.default_rng(seed)
    start = np.stack([latents[i][0] for i in rng.integers(0, len(latents), effort.rivals)])
    steps = round(effort.minutes * BPM * STEPS_PER_BEAT)
    rolled = rival.roll(torch.from_numpy((start - mean) / spread), steps, seed)
    rival_poses = [studio.poses(z * spread + mean) for z in rolled]
    alone = [Real("", "", False, True, np.zeros(len(p), np.float32), Danced(p, p)) for p in rival_poses]

    # An evening of what the real motion would have asked for.
    rng = np.random.default_rng(seed + 1)
    wanted = -(-len(unseen) * PHRASE_BEATS // effort.segment)
    wishes = [
        Asked(str(unseen.style[i]), float(unseen.energy[i]), bool(unseen.captured[i]))
        for i in rng.integers(0, len(unseen), wanted)
    ]
    evening = dance_what_was_asked(studio, wishes, effort.segment, seed)
    made = [
        Real(w.style, "", w.captured, True, np.full(len(d.poses), w.energy, np.float32), d)
        for w, d in zip(wishes, evening, strict=True)
    ]
    whole = [np.concatenate([d.joints for d in evening])]
    rows = measure_wishes(studio, seen, fresh, unseen, effort, seed)
    rows += measure_features(train, windows_of(made), unseen, windows_of(alone))
    rows += measure_movement(whole, mix, rival_poses)

    # Never twice the same, and never lost.
    rows += measure_variety(studio, fresh, unseen, rival_poses[0], effort, seed)
    poses = fg.Poses(np.concatenate([t.danced.poses[::POSE_EVERY] for t in seen]))
    hours = studio.dance_for_hours(effort.hours, seed)
    tenths = [100 * poses.distance(part) for part in np.array_split(hours, TENTHS)]
    near = [float(np.median(d)) for d in tenths]
    ends = [np.array_split(rival_poses[0], TENTHS)[k] for k in (0, -1)]
    lost = [float(np.median(100 * poses.distance(end[::STEPS_PER_BEAT]))) for end in ends]
    held = float(np.median(100 * poses.distance(unseen.poses[:, ::STEPS_PER_BEAT].reshape(-1, 21, 2))))
    drift = near[-1] / max(near[0], 1e-9)
    rows += [
        Row(f"cm to the nearest training pose, first tenth of {effort.hours:g} h (rival: minutes)", "", near[0], held,
            lost[0]),
        Row("  last tenth", "", near[-1], None, lost[1]),
        Row("  last over first", "≤ 1.1", drift, None, lost[1] / max(lost[0], 1e-9), drift <= 1.1),
    ]  # fmt: skip

    # Changes, and energy.
    rows += measure_changes(studio, captured + fresh, effort, seed)
    levels = [[t.danced.joints for t in fresh if t.energy[0] == np.float32(level)] for level in WRITTEN_LEVELS]
    written = fg.mean_speed(levels[-1]) / fg.mean_speed(levels[0]) if all(levels) else None
    name = f"joint speed at energy {LOUD} over {QUIET} (real: {WRITTEN_LEVELS[-1]} over {WRITTEN_LEVELS[0]})"
    rows.append(Row(name, "", energy_response(studio, seed), written))
    rows.append(Row("rescues by the watchdog, restarts", "", f"{studio.rescues}, {studio.restarts}"))
    curves = {
        "spectrum": [fg.motion_spectrum(d) for d in (whole, mix, rival_poses)],
        "tenths": near, "held": held,
    }  # fmt: skip
    return rows, curves


def measure_pack(
    folder: Path, motion: Path | None, work: Path, sheets: Path | None, save: bool, hours: float | None = None
) -> dict[str, Any]:
    """Measure a pack, print the tables and return the figures. UserError where the pack or the data are missing."""
    info = read_info(folder)
    pack = load_pack(folder, "cpu")
    encoder, _ = open_session(folder / "encoder.onnx")
    try:
        training = info["training"]
        seed, tiny = int(training["recipe"]["seed"]), bool(training["recipe"]["tiny"])
        trained_on = {str(c) for c in training["clips"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'pack.json'}: training says too little to measure the pack ({error!r})") from error
    if "joints" not in [o.name for o in pack.decoder.get_outputs()]:
        raise UserError(f"{folder}: the decoder gives no joints, by which a dance is measured")
    for place in (work, sheets):
        if place is not None:
            check_folder(place)
    effort = TINY if tiny else Effort()
    if hours is not None:
        effort = replace(effort, hours=hours)
    data = work / "data.zarr"
    kept = begun(data)
    if motion is None and kept and not kept.get("finished") and kept["recipe"] != recipe_of(None, seed, tiny):
        raise UserError(
            f"{data}: another command began these data and was stopped; let it go on first, or give another --work"
        )
    if motion is not None or not kept.get("finished"):
        build(data, motion, seed, tiny)
    takes, _ = open_takes(data)
    console = Console(width=120)
    if motions_digest(data) != training.get("motions_sha256"):
        console.print("note: these data are not the very ones that the pack was trained on")
    names = names_of_clips(pack, takes)  # now, not after an hour: other data are told here
    leaked = {t.clip for t in takes if t.held_out} & trained_on
    if leaked:
        warnings.warn(f"trained on clips that are held out here: {sorted(leaked)}", stacklevel=2)

    rows, frames, found = measure_pictures(pack, encoder, takes, seed, effort, console)
    studio = Studio(pack, joints_network(pack))
    dance_rows, curves = measure_dancing(studio, encoder, takes, work, seed, effort, tiny)
    print_table(console, f"The pictures of {pack.name} (rival: as many principal components)", rows)
    print_table(
        console, f"The dance of {pack.name} at {BPM:.0f} BPM (rival: memoryless LSTM, mixture of 24)", dance_rows
    )
    found_rows = {row.name.strip(): row for row in rows + dance_rows}
    figures = {
        name: {key: _kept(getattr(row, key)) for key in ("goal", "ours", "real", "rival", "met")}
        for name, row in found_rows.items()
    }
    plots = draw_plots(curves, sheets or work)
    console.print(f"plots: {', '.join(str(p) for p in plots)}", soft_wrap=True)
    if sheets:
        draw_sheets(pack, takes, frames, found, sheets, seed)
        draw_all_dances(pack, sheets, seed, captured_dances(pack, takes, names))
        draw_film(pack, sheets, seed)
        console.print(f"contact sheets in {sheets}")
    if save:
        write_info(folder, {**info, "measures": figures})
    return figures


def load_figures(folder: Path) -> dict[str, Any]:
    """The figures that a pack carries in its `pack.json`."""
    return json.loads((folder / "pack.json").read_text(encoding="utf-8"))["measures"]


# --- pictures -------------------------------------------------------------------------------------------------


def captured_dances(pack: Pack, takes: list[Take], names: Mapping[str, str]) -> dict[str, list[Take]]:
    """The takes that captured dances were learned from, by the name of the dance."""
    out: dict[str, list[Take]] = {}
    for take in as_training_sees(pack, takes):
        if take.captured and not take.held_out:
            out.setdefault(names[take.clip], []).append(take)
    return out


_INK = ((40, 40, 220), (60, 60, 60), (200, 140, 40))  # ours, real, rival: blue-green-red


def plot_lines(
    path: Path, title: str, across: str, x: NDArray[np.float64], lines: dict[str, NDArray[np.float64]]
) -> Path:
    """Draw curves (N,) over `x` (N,) into a PNG, the upright axis from 0 to the largest value."""
    import cv2

    width, height, edge = 900, 480, 60
    canvas = np.full((height, width, 3), 255, np.uint8)
    top = max(float(np.max(y)) for y in lines.values()) or 1.0
    low, high = float(np.min(x)), float(np.max(x))

    def write(text: str, at: tuple[int, int], ink: tuple[int, int, int] = (0, 0, 0)) -> None:
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)

    cv2.rectangle(canvas, (edge, edge), (width - edge, height - edge), (210, 210, 210))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        write(f"{low + share * (high - low):.3g}", (int(edge + share * (width - 2 * edge)) - 10, height - edge + 20))
        write(f"{share * top:.3g}", (8, int(height - edge - share * (height - 2 * edge)) + 5))
    write(title, (edge, 30))
    write(across, (width // 2 - 80, height - 12))
    for k, (name, y) in enumerate(lines.items()):
        ink = _INK[k % len(_INK)]
        right = edge + (x - low) / max(high - low, 1e-12) * (width - 2 * edge)
        up = height - edge - y / top * (height - 2 * edge)
        cv2.polylines(canvas, [np.stack([right, up], -1).astype(np.int32)], False, ink, 2, cv2.LINE_AA)
        write(name, (width - edge - 190, edge + 22 + 20 * k), ink)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(cv2.imencode(".png", canvas)[1].tobytes())  # OpenCV itself writes to no name that is not UTF-8
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def draw_plots(curves: dict[str, Any], folder: Path) -> list[Path]:
    """The spectrum of motion, and how near to real poses the dance stays through the hours."""
    names = ("ours", "real, held out", "rival")
    lines = {}
    frequency = np.linspace(0, 4, 257)
    for name, (f, power) in zip(names, curves["spectrum"], strict=True):
        lines[name] = np.interp(frequency, f, power / power.sum()) / f[1]
    near = np.array(curves["tenths"])
    return [
        plot_lines(folder / "spectrum.png", "share of motion power", "cycles a beat", frequency, lines),
        plot_lines(folder / "drift.png", "cm to the nearest training pose", "tenths of the hours danced",
                   np.arange(1.0, len(near) + 1), {"ours": near, "real, held out": np.full(len(near), curves["held"])}),
    ]  # fmt: skip
