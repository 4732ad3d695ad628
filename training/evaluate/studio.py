"""Lets a pack dance what is asked of it, and gives the joints of its dance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import onnx.utils
import onnxruntime as ort
from numpy.typing import NDArray
from rich.progress import track

from training.evaluate import metrics as mt
from training.evaluate.metrics import BPM, PHRASE
from training.evaluate.reconstruction import run_network
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import (
    FLOOR,
    FRAME_METRES,
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    Pack,
)

LEAD_IN = PHRASE_BEATS  # beats danced before anything is measured: from a seed's pose into the dance

ENERGIES = (0.35, 0.6, 0.85)  # of a dance on demand, phrase by phrase

QUIET, LOUD = 0.1, 0.9

TENTHS = 10

CHANGE_BEATS = 3  # a change waits for the next letter, up to half a beat, and blends over two beats


def waves(beat: float) -> float:
    """Energy at a beat: from a quiet break to the drop and back every 32 beats."""
    return 0.5 - 0.4 * float(np.cos(2 * np.pi * beat / 32))


def joints_network(pack: Pack) -> ort.InferenceSession:
    """The part of a pack's decoder that gives joints: 19,200 steps need no pictures, which are nearly all its work."""
    whole = onnx.load(pack.folder / "decoder.onnx")
    part = onnx.utils.Extractor(whole).extract_model(["latent"], ["joints"])
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    ort.disable_telemetry_events()
    return ort.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])


def to_picture_axes(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Joints in space (..., 21, 3), x right from the crop's centre and y up from the floor, to the axes of measures:
    metres, x right, y down in the frame, z towards the viewer."""
    down = np.array([1, -1, 1], np.float32)
    return (positions * down + np.array([FRAME_METRES / 2, FLOOR * FRAME_METRES, 0], np.float32)).astype(np.float32)


def joints_of(pack: Pack, latents: NDArray[np.float32], network: Any | None = None) -> NDArray[np.float32]:
    """Joints of latents (S, D) as the crop shows them, metres, x right, y down: (S, 21, 3), with z towards the viewer,
    of a pack whose latents are bodies in space, (S, 21, 2) of a flat one. `network`: what `joints_network` gives."""
    if pack.body is not None:
        return to_picture_axes(pack.body.joints(latents))
    (joints,) = run_network(network or joints_network(pack), "latent", latents, 4096)
    return joints * np.float32(FRAME_METRES)


@dataclass(frozen=True)
class Danced:
    """A dance in the picture, one row a step. `poses` (S, 21, 2) metres as the crop shows them, `joints` the same with
    the travel given back; `space` (S, 21, 3) those in space, where they are known."""

    poses: NDArray[np.float32]
    joints: NDArray[np.float32]
    space: NDArray[np.float32] | None = None

    def part(self, steps: slice) -> Danced:
        return Danced(self.poses[steps], self.joints[steps], None if self.space is None else self.space[steps])

    def body(self, axes: int) -> NDArray[np.float32]:
        """The joints in space for 3 axes, in the picture for 2. ValueError where they are not known in space."""
        if axes == 2:
            return self.joints
        if self.space is None:
            raise ValueError("these joints are not known in space")
        return self.space


def give_back(poses: NDArray[np.float32], travelled: NDArray[np.floating]) -> Danced:
    """A dance out of poses (S, 21, 2) or (S, 21, 3) as the crop shows them and the way of the crop (S,), metres."""
    moved = poses.copy()
    moved[:, :, 0] += travelled.astype(np.float32)[:, None]
    return Danced(poses[..., :2], moved[..., :2], moved if poses.shape[-1] == 3 else None)


@dataclass
class Studio:
    """A pack that is asked to dance, and seen by its joints. `network` is what `joints_network` gives."""

    pack: Pack
    network: Any
    rescues: int = 0  # of all dancers together
    restarts: int = 0

    def poses(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (S, D) -> joints (S, 21, 2), metres as the crop shows them."""
        return joints_of(self.pack, latent, self.network)[..., :2]

    @property
    def axes(self) -> int:
        """3 where the pack's latents are bodies in space, 2 where they are flat."""
        return 2 if self.pack.body is None else 3

    def see(self, latents: NDArray[np.float32], places: NDArray[np.floating]) -> Danced:
        """The dance of latents (S, D) at places (S,) on the stage, frame widths."""
        return give_back(joints_of(self.pack, latents, self.network), places * FRAME_METRES)

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
        self.count(dancer)
        return self.see(np.stack(latents), np.array(places))

    def dance_for_hours(self, hours: float, seed: int) -> NDArray[np.float32]:
        """Poses (B, 21, 2), metres as the crop shows them, one a beat of `hours` hours at 120 BPM."""
        beats = max(TENTHS, round(hours * 60 * BPM))
        dancer = Dancer(self.pack, seed)
        change = change_styles(dancer, seed)
        latents = np.empty((beats, self.pack.latent_size), dtype=np.float32)
        for beat in track(range(beats), description=f"dancing for {hours:g} hours"):
            change(beat * STEPS_PER_BEAT)
            dancer.step_to(beat, waves(beat))
            latents[beat] = dancer.between(beat)[0][0]
        self.count(dancer)
        return self.poses(latents)

    def count(self, dancer: Dancer) -> None:
        """Add up what went wrong while `dancer` danced."""
        self.rescues += dancer.rescues
        self.restarts += dancer.restarts


def change_styles(dancer: Dancer, seed: int, beats: int = 64) -> Callable[[int], None]:
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

        out[dance.name] = studio.dance(dancer, LEAD_IN + phrases * PHRASE_BEATS, energy).part(AFTER_LEAD_IN)
    return out


AFTER_LEAD_IN = slice(LEAD_IN * STEPS_PER_BEAT, None)


def styles_on_demand(studio: Studio, phrases: int, seed: int) -> dict[str, Danced]:
    """Each style by its name, what is danced left to the dancer."""
    out = {}
    for number, style in enumerate(track(studio.pack.styles, description="styles on demand")):
        dancer = Dancer(studio.pack, seed + number, style)
        out[style] = studio.dance(dancer, LEAD_IN + phrases * PHRASE_BEATS, waves).part(AFTER_LEAD_IN)
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
    lengths = mt.step_lengths(danced.joints)
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
            speeds[level].append(danced.joints[k * half * STEPS_PER_BEAT :][AFTER_LEAD_IN][: 2 * PHRASE])
    return mt.mean_speed(speeds[LOUD]) / max(mt.mean_speed(speeds[QUIET]), 1e-9)
