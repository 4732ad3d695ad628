"""Bodies, frames and conditions on disk, one Zarr group for each take, split by clip into training and held-out data.

A take is one dance seen by one camera: a clip, perhaps mirrored, perhaps turned. All takes of a clip fall on
the same side of the split, so a held-out frame shows a dance that training never saw from any side. Where the
joints are known, frames are drawn when they are needed: that is faster than reading them.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter1d
from scipy.stats import rankdata

from training.data import choreography
from training.data.choreography.crossed import cross_dances
from training.data.motion.beats import dancing_part, find_beats, to_musical_time
from training.data.motion.body import CLAMP_PIXELS, about_crop, project, silhouettes
from training.data.motion.clips import Clip, read_clips
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.skeleton import INDEX, mirror, turn
from visualizer.dancer.pack import FRAME_METRES, FRAME_SIZE, STEPS_PER_BEAT
from visualizer.errors import UserError

HANDS = 4  # numbers: left fist, left point, right fist, right point

CHUNK = 64  # frames in a Zarr chunk, the least that is read at once

HELD_OUT = 0.15  # share of the captured clips that training never sees

UNTIMED_BPM = 120.0  # the tempo at which clips without a beat are cut into frames

FIELD_RANGE = CLAMP_PIXELS / FRAME_SIZE  # frame widths; fields are stored as bytes over ± this


@dataclass(frozen=True)
class Motion:
    """A dance in musical time, before any camera. `positions` float32 (S, 21, 3) metres, 16 steps a beat.

    `energy` (S,) 0..1; `timed` is False where no beat could be found; `dance` names written choreography; `phrase`:
    number of beats before the first phrase of eight beats; `hands` (S, 4): left fist, left point, right fist, right
    point, 0..1, None where nothing is known of them.
    """

    clip: str
    style: str
    positions: NDArray[np.float32]
    energy: NDArray[np.float32]
    timed: bool
    held_out: bool
    captured: bool
    dance: str
    licence: str
    phrase: int = 0
    hands: NDArray[np.float32] | None = None


def clips_of(clips: list[Clip], tiny: bool) -> list[Clip]:
    """The captured dances that a data set is made of."""
    return clips[:4] if tiny else clips


def held_out_clips(clips: list[Clip], seed: int) -> set[str]:
    """Choose 15% of the clips for evaluation, the same ones for the same seed.

    A style with one clip keeps it for training. Two partners who were captured in one dance (same session
    number, `cmu_60_04` and `cmu_61_04`) go together, or the split would leak.
    """

    def session(name: str) -> str:
        return name.replace("cmu_60_", "cmu_pair_").replace("cmu_61_", "cmu_pair_")

    groups: dict[tuple[str, str], list[str]] = {}
    for clip in clips:
        groups.setdefault((clip.style, session(clip.name)), []).append(clip.name)
    left = {style: sum(s == style for s, _ in groups) for style, _ in groups}
    order = sorted(groups, key=lambda g: hashlib.sha256(f"{seed}:{g[1]}".encode()).hexdigest())
    chosen: set[str] = set()
    target = round(HELD_OUT * len(clips))
    for style, name in order:
        # At most one group in three of a style, so that every style keeps some.
        total = sum(s == style for s, _ in groups)
        if len(chosen) >= target or left[style] <= 1 or (total - left[style] + 1) > max(1, total // 3):
            continue
        chosen.update(groups[style, name])
        left[style] -= 1
    return chosen


def joint_speed(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean joint speed, metres a beat, (S,), smoothed over a beat."""
    speed = np.linalg.norm(np.gradient(positions, axis=0), axis=-1).mean(axis=1) * STEPS_PER_BEAT
    return gaussian_filter1d(speed, STEPS_PER_BEAT / 2).astype(np.float32)


def rank_energy(speeds: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Speed of each step, ranked within all steps of a style: 0 the quietest, 1 the wildest."""
    ranks = rankdata(np.concatenate(speeds)).astype(np.float32)
    ranks = (ranks - 0.5) / len(ranks)
    return np.split(ranks, np.cumsum([len(s) for s in speeds])[:-1])


def captured_motions(clips: list[Clip], seed: int) -> list[Motion]:
    """Resample captured clips to musical time by the beats found in their movement."""
    held = held_out_clips(clips, seed)
    made: list[tuple[Clip, NDArray[np.float32], int | None]] = []  # None: no beat
    for clip in track(clips, description="finding beats"):
        beats = find_beats(clip.positions, clip.fps)
        if beats.steady:
            made.append((clip, to_musical_time(clip.positions, clip.fps, beats.times), beats.phrase))
        else:
            begin, end = dancing_part(clip.positions, clip.fps)
            grid = np.arange(begin, end - 1, clip.fps * 60 / UNTIMED_BPM) / clip.fps
            if len(grid) > 1:
                made.append((clip, to_musical_time(clip.positions, clip.fps, grid), None))
    speeds = [joint_speed(p) for _, p, _ in made]
    energies: dict[int, NDArray[np.float32]] = {}
    for style in {c.style for c, _, _ in made}:
        of_style = [i for i, (c, _, _) in enumerate(made) if c.style == style]
        energies.update(zip(of_style, rank_energy([speeds[i] for i in of_style]), strict=True))
    return [
        Motion(c.name, c.style, p, energies[i], phrase is not None, c.name in held, True, "", c.licence, phrase or 0)
        for i, (c, p, phrase) in enumerate(made)
    ]


WRITTEN_LOOPS = 2  # times a written dance is danced in a row, each loop a new take of it as a person would

WRITTEN_LEVELS = (0.15, 0.5, 0.9)  # energies at which written dances are performed: a quiet break to the drop


def join_takes(takes: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join seamless loops (S, 21, 3) into one longer loop: each begins as the one before would go on, and changes to
    its own motion within a beat."""
    share = np.arange(STEPS_PER_BEAT, dtype=np.float32) / STEPS_PER_BEAT
    share = (share * share * (3 - 2 * share))[:, None, None]
    joined = [take.copy() for take in takes]
    for take, before, itself in zip(joined, [takes[-1], *takes[:-1]], takes, strict=True):
        take[:STEPS_PER_BEAT] = before[:STEPS_PER_BEAT] * (1 - share) + itself[:STEPS_PER_BEAT] * share
    return np.concatenate(joined)


def written_motions(dances: tuple[choreography.Dance, ...], seed: int) -> list[Motion]:
    """Perform the written dances at each of `WRITTEN_LEVELS`, in loops that differ as human takes do."""
    return [
        _perform_take(dance, level, seed + 1000 * number, dance.name)
        for number, dance in enumerate(dances)
        for level in WRITTEN_LEVELS
    ]


def crossed_motions(dances: tuple[choreography.Dance, ...], seed: int) -> list[Motion]:
    """Perform dances of which legs and arms come from two written ones, each at one of `WRITTEN_LEVELS`. They have no
    name: nobody asks for them, a style improvises with them."""
    return [
        _perform_take(dance, WRITTEN_LEVELS[number % len(WRITTEN_LEVELS)], seed + 1000 * number, "")
        for number, dance in enumerate(cross_dances(dances, seed))
    ]


def _perform_take(dance: choreography.Dance, level: float, seed: int, name: str) -> Motion:
    loops = [
        choreography.perform(dance, energy=level, steps_per_beat=STEPS_PER_BEAT, seed=seed + k)
        for k in range(WRITTEN_LOOPS)
    ]
    positions = join_takes([loop.positions for loop in loops])
    hands = np.concatenate([loop.hands.reshape(-1, HANDS) for loop in loops])
    energy = np.full(len(positions), level, dtype=np.float32)
    return Motion(f"{dance.name}@{level}", dance.style, positions, energy, True, False, False, name,
                  "written for this project, MIT", hands=hands)  # fmt: skip


def _written(tiny: bool, seed: int) -> list[Motion]:
    """All motions that are made of written dances."""
    dances = choreography.DANCES[:6] if tiny else choreography.DANCES
    return written_motions(dances, seed) + crossed_motions(dances, seed)


def mirror_hands(hands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hands (…, 4) of a dance that is reflected left to right."""
    return hands[..., [2, 3, 0, 1]]


def crop_centre(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sideways place of the crop, (S,) metres: the pelvis, smoothed over a beat so that swaying hips stay visible."""
    return crop_place(positions)[:, 0]


def crop_place(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Place of the crop in x and z, (S, 2) metres: in depth it follows the pelvis as it does sideways."""
    pelvis = positions[:, INDEX["pelvis"], ::2]
    return gaussian_filter1d(pelvis, STEPS_PER_BEAT / 2, axis=0, mode="nearest").astype(np.float32)


def crop_speed(place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Travel: speed that the crop took away, (S, 2) -> (S, 2) frame widths a beat, sideways and towards the viewer.

    It is the way from the step before, as the crop is led on live: with central differences a standing foot slides.
    """
    way = np.diff(place, axis=0, prepend=2 * place[:1] - place[1:2])
    return (way * STEPS_PER_BEAT / FRAME_METRES).astype(np.float32)


def to_bytes(frames: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Signed fields (…) in frame widths -> bytes, 6/255 of a pixel a level."""
    return np.round(np.clip(frames / FIELD_RANGE + 1, 0, 2) * 127.5).astype(np.uint8)


def from_bytes(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Inverse of `to_bytes`."""
    return (stored.astype(np.float32) / 127.5 - 1) * FIELD_RANGE


def views(motion: Motion, seed: int, tiny: bool) -> list[tuple[bool, float]]:
    """Cameras of a motion as (mirrored, yaw in degrees): the front and its mirror image, and both sides."""
    if tiny:
        return [(False, 0.0), (True, 0.0)]
    digest = hashlib.sha256(f"{seed}:{motion.clip}".encode()).digest()
    yaw = 12 + 28 * digest[0] / 255  # 12° to 40°, different for each clip
    front = [(False, 0.0), (True, 0.0)]
    if not motion.captured:  # written dances are there at several energies already
        return [*front, (bool(digest[1] & 1), yaw if digest[2] & 1 else -yaw)]
    return [*front, (False, yaw), (True, yaw), (False, -yaw), (True, -yaw)]


def recipe_of(motion_folder: Path | None, seed: int, tiny: bool) -> str:
    """What decides a data set, as a line that is kept with it."""
    return f"v4 seed={seed} tiny={tiny} motion={motion_folder.resolve() if motion_folder else None}"


def begun(path: Path) -> dict[str, Any]:
    """The attributes of the data set at `path`, with "recipe" and "finished"; {} where nothing is there. UserError
    where something else is there."""
    if not path.exists():
        return {}
    try:
        says = zarr.open_group(path, mode="r").attrs.asdict()
    except (OSError, ValueError, KeyError, TypeError):
        says = {}
    if "recipe" not in says:
        raise UserError(f"{path}: exists and is not a data set of this program")
    return says


def _remove(path: Path) -> None:
    """Remove a data set, last of all the file that marks it as ours, so that an interrupted removal can be repeated."""
    for inside in path.iterdir():
        if inside.is_dir():
            shutil.rmtree(inside)
    shutil.rmtree(path)


def build(path: Path, motion_folder: Path | None, seed: int, tiny: bool = False) -> Path:
    """Write the data set to `path` (a folder); an unfinished one is made again, a finished one of the same recipe kept.

    Raises UserError where `motion_folder` holds no clips, or `path` holds something else or data of another recipe:
    hours of work are not thrown away because an option was left out.
    """
    recipe = recipe_of(motion_folder, seed, tiny)
    old = begun(path)
    if old.get("finished") and old["recipe"] == recipe:
        _add_hands(path, seed, tiny)
        return path
    if old.get("finished"):
        raise UserError(f"{path}: holds data of another recipe ({old['recipe']}); choose another --work or remove it")
    if old:
        _remove(path)
    clips = read_clips(motion_folder) if motion_folder else []
    motions = captured_motions(clips_of(clips, tiny), seed) + _written(tiny, seed)
    # Every body has the same bones. Resampled positions, and captured people, have not quite.
    motions = [replace(m, positions=fit_skeleton(m.positions).positions) for m in motions]
    styles = sorted({m.style for m in motions if m.timed})
    digest = hashlib.sha256()
    for motion in motions:
        digest.update(motion.positions.tobytes())
    attributes = {"recipe": recipe, "styles": styles, "steps_per_beat": STEPS_PER_BEAT, "finished": False,
                  "motions_sha256": digest.hexdigest()}  # fmt: skip
    root = zarr.open_group(path, mode="w", attributes=attributes)
    number = 0
    for motion in track(motions, description="turning the camera"):
        for mirrored, yaw in views(motion, seed, tiny):
            positions = turn(mirror(motion.positions) if mirrored else motion.positions, yaw)
            place = crop_place(positions)
            joints = project(positions, place[:, 0])
            group = root.create_group(f"{number:05d}")
            number += 1
            group.attrs.update(
                {"clip": motion.clip, "style": motion.style, "dance": motion.dance, "mirrored": mirrored, "yaw": yaw,
                 "timed": motion.timed, "held_out": motion.held_out, "captured": motion.captured,
                 "licence": motion.licence, "phrase": motion.phrase}
            )  # fmt: skip
            if yaw == 0 and not mirrored:  # the body in three dimensions, for cameras that training chooses itself
                group.create_array("positions", data=motion.positions)
            group.create_array("joints", data=joints)
            group.create_array("body", data=about_crop(positions, place))
            if motion.hands is not None:
                group.create_array("hands", data=mirror_hands(motion.hands) if mirrored else motion.hands)
            group.create_array("energy", data=motion.energy)
            speed = crop_speed(place)
            group.create_array("travel", data=speed[:, 0].copy())
            group.create_array("approach", data=speed[:, 1].copy())
    root.attrs["hands"] = root.attrs["finished"] = True
    return path


def _add_hands(path: Path, seed: int, tiny: bool) -> None:
    """Put the hands of written dances into a data set that was made before it had any. A dance that has been written
    anew since keeps open hands."""
    root = zarr.open_group(path, mode="r+")
    if root.attrs.asdict().get("hands"):
        return
    known = {m.clip: m.hands for m in _written(tiny, seed)}
    for _, group in root.groups():
        says = group.attrs.asdict()
        hands, energy = known.get(str(says["clip"])), group["energy"]
        if hands is None or "hands" in group or not isinstance(energy, zarr.Array) or len(hands) != energy.shape[0]:
            continue
        group.create_array("hands", data=mirror_hands(hands) if says["mirrored"] else hands)
    root.attrs["hands"] = True


@dataclass(frozen=True)
class Take:
    """One take on disk; arrays are read when they are needed."""

    group: zarr.Group
    clip: str
    style: str
    dance: str
    mirrored: bool
    yaw: float
    timed: bool
    held_out: bool
    captured: bool
    licence: str
    phrase: int

    def read(self, name: str, part: slice = slice(None)) -> NDArray:
        """One of "frames" (bytes, see `to_bytes`), "joints" in frame coordinates, "positions" in the room, "body" about
        the crop, "hands" (open where nothing is known of them), "energy", and the speed of the crop sideways, "travel",
        and towards the viewer, "approach"."""
        if name == "frames" and "pictures" in self.group:  # footage: the picture nearest in time
            number = self.read("pictures", part)
            if not len(number):
                return np.zeros((0, FRAME_SIZE, FRAME_SIZE), np.uint8)
            first = int(number.min())
            return self.read("seen", slice(first, int(number.max()) + 1))[number - first]
        if name == "frames" and name not in self.group:
            return to_bytes(silhouettes(self.read("joints", part))[:, 0])
        if name == "hands" and name not in self.group:
            return np.zeros((len(range(*part.indices(len(self)))), HANDS), np.float32)
        array = self.group[name]
        assert isinstance(array, zarr.Array)
        return np.asarray(array[part])

    def __len__(self) -> int:
        array = self.group["energy"]
        assert isinstance(array, zarr.Array)
        return array.shape[0]


def open_takes(path: Path) -> tuple[list[Take], list[str]]:
    """All takes of a finished data set, and its styles."""
    root = zarr.open_group(path, mode="r")
    attrs = root.attrs.asdict()
    if not attrs.get("finished"):
        raise UserError(f"{path}: the data set is not finished; the command that began it makes it again")
    takes = []
    for name in sorted(root.group_keys()):
        group = root[name]
        assert isinstance(group, zarr.Group)
        takes.append(Take(group, **group.attrs.asdict()))  # type: ignore[arg-type]
    return takes, list(attrs["styles"])  # type: ignore[arg-type]


def motions_digest(path: Path) -> str:
    """SHA-256 of all motions in a data set: the same clips and dances give the same one."""
    return str(zarr.open_group(path, mode="r").attrs["motions_sha256"])
