"""Footwork: from the steps of a dance to where both feet are at any time, and which one carries the weight.

A token is a foot, how it goes, and where it goes, in tenths of a metre from that foot's home:

    L   L3   L-2b2   L0f3y30     a step: home; 3 out; 2 across and 2 back; 3 forward with toes 30 degrees out
    Lt  touch with the ball      Lh  touch with the heel      Lr  step onto the ball, heel high
    Ls  slide, taking weight     Ld  drag, without weight     Lj  land from a jump (u: its height)
    Lk2f3u4   the foot in the air: 2 out, 3 forward, 4 high (the ankle above its place on the floor)
    Lp30  turn on the ball to 30 degrees out      Lq-10  turn on the heel      Le35  lift the heel by 35 degrees
    ...u2   how high the foot swings on its way   ...w.3   how many beats the way takes
    @3  home is 3 further to the dancer's left    @0f4, @2b3  and 4 nearer to the viewer, 3 further away
    ^90  the dancer's home faces 90 degrees to the left

A foot on the floor does not move: between steps its ankle and toe come from one stored state, so not even a rounding
error moves them. A turn on the ball keeps the toe in place, a turn on the heel the ankle.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.data.choreography.ease import Floats, Keys, bump, smoothstep, tween
from training.data.motion.skeleton import ANKLE_HEIGHT, BONE

TOE_HEIGHT = 0.03  # metres: the toe joint of a foot that stands flat
FLAT = float(np.degrees(np.arcsin((ANKLE_HEIGHT - TOE_HEIGHT) / BONE["toe"])))  # pitch of a flat foot, toes down
HOME_X = 0.105  # metres from the middle to the ankle of a dancer who stands at ease
TURN_OUT = 16.0  # degrees
FAR_FOOT = 0.57  # metres: the pelvis does not go further than this from a foot that stands
UNIT = 0.1  # metres in one unit of the notation

_TOKEN = re.compile(
    r"^([LR])([strhdjkpqe]?)(-?\d*\.?\d+)?((?:[fbuyw]-?\d*\.?\d+)*)([~!/=]?)$",
)
_HOME = re.compile(r"^@(-?\d*\.?\d+)(?:([fb])(\d*\.?\d+))?$")
WEIGHT = {"": 1.0, "s": 1.0, "r": 1.0, "j": 1.0, "t": 0.0, "h": 0.0, "d": 0.0, "k": 0.0}
BEATS = {"": 0.5, "s": 0.5, "r": 0.5, "j": 0.5, "t": 0.45, "h": 0.45, "d": 0.5, "k": 0.5, "p": 0.4, "q": 0.4, "e": 0.4}
ARC = {"": 0.09, "s": 0.0, "r": 0.08, "j": 0.10, "t": 0.06, "h": 0.07, "d": 0.0, "k": 0.0}


@dataclass(frozen=True)
class Step:
    """One thing a foot does, finished at `time` beats. Metres and degrees; `side` +1 left, -1 right."""

    time: float
    side: int
    kind: str
    out: float | None
    forward: float
    up: float | None
    toes: float | None
    beats: float
    centre: tuple[float, float]  # where home is: metres to the left and towards the viewer
    facing: float


@dataclass(frozen=True)
class Footwork:
    """The steps of a dance in order, where it faces (keys, degrees; None: always to the viewer), and its turns."""

    steps: tuple[Step, ...]
    facing: Keys | None
    turns: int
    beats: float


def read_legs(events: list[tuple[float, str]], beats: float) -> Footwork:
    """Read steps from timed tokens. ValueError for a token that is not a step."""
    centre, facing = (0.0, 0.0), 0.0
    for _, token in events:  # a dance begins where its last round ended
        for part in token.split("+"):
            if part[0] == "@":
                centre = _read_home(part)
            elif part[0] == "^":
                facing = float(part[1:].rstrip("~!/="))
    turns = round(facing / 360.0)
    facing -= 360.0 * turns
    steps: list[Step] = []
    faced: list[tuple[float, float, str]] = []
    for time, token in events:
        parts = token.split("+")
        for part in parts:
            if part[0] == "@":
                centre = _read_home(part)
            elif part[0] == "^":
                facing = float(part[1:].rstrip("~!/="))
                faced.append((time, facing, part[-1] if part[-1] in "~!/=" else "~"))
        for part in parts:
            if part[0] not in "@^":
                steps.append(_read_step(time, part, centre, facing))
    keys = None
    if faced:
        t, values, eases = zip(*faced, strict=True)
        keys = Keys(np.array(t), np.array(values)[:, None], "".join(eases), beats, wrap_add=360.0 * turns)
    return Footwork(tuple(steps), keys, turns, beats)


def _read_home(token: str) -> tuple[float, float]:
    """Metres to the dancer's left and towards the viewer, from "@3" or "@3f4". ValueError for anything else."""
    match = _HOME.match(token)
    if not match:
        raise ValueError(f"not a place: {token!r}")
    left, way, depth = match.groups()
    return float(left) * UNIT, float(depth or 0.0) * UNIT * (-1.0 if way == "b" else 1.0)


def _read_step(time: float, token: str, centre: tuple[float, float], facing: float) -> Step:
    match = _TOKEN.match(token)
    if not match:
        raise ValueError(f"not a step: {token!r}")
    foot, kind, number, rest, _ = match.groups()
    more = {m[0]: float(m[1:]) for m in re.findall(r"[fbuyw]-?\d*\.?\d+", rest)}
    side = 1 if foot == "L" else -1
    value = float(number) if number else 0.0
    if kind in "pqe" and kind:
        return Step(time, side, kind, None, 0.0, None, value, more.get("w", BEATS[kind]), centre, facing)
    forward = (more.get("f", 0.0) - more.get("b", 0.0)) * UNIT
    up = more["u"] * UNIT if "u" in more else None
    return Step(
        time, side, kind, value * UNIT, forward, up, more.get("y"), more.get("w", BEATS[kind]), centre, facing
    )  # fmt: skip


def foot_direction(yaw: Floats | float, pitch: Floats | float) -> Floats:
    """Unit vectors (..., 3) from ankle to toe. Degrees; yaw to the dancer's left, pitch toes down."""
    y, p = np.radians(yaw), np.radians(pitch)
    return np.stack([np.sin(y) * np.cos(p), -np.sin(p), np.cos(y) * np.cos(p)], axis=-1)


@dataclass(frozen=True)
class FootTrack:
    """States of one foot after each of its K steps, and how it gets into each. The last row is row 0 a round later."""

    times: Floats  # (K+1,)
    beats: Floats  # (K+1,) how long the way takes
    mode: NDArray[np.int64]  # (K+1,) 0 moves, 1 turns on the ball, 2 turns on the heel
    ankle: Floats  # (K+1, 3)
    yaw: Floats  # (K+1,)
    pitch: Floats  # (K+1,)
    arc: Floats  # (K+1,)
    air: NDArray[np.bool_]  # (K+1,) in the air when it is there
    weight: Floats  # (K+1,) takes the weight
    kind: tuple[str, ...]

    @functools.cached_property
    def idle(self) -> NDArray[np.bool_]:
        """(K+1,) whether the step leads to where the foot already stands ("Ls2" repeated): then it does not move."""
        turned = np.abs(np.diff(self.yaw, prepend=self.yaw[:1])) + np.abs(np.diff(self.pitch, prepend=self.pitch[:1]))
        moved = np.linalg.norm(np.diff(self.ankle, axis=0, prepend=self.ankle[:1]), axis=-1)
        return (moved + turned < 1e-9) & (self.arc == 0) & ~self.air


@dataclass(frozen=True)
class _Stand:
    """How a foot stands once a step is done: fields as in `FootTrack`, one row each."""

    mode: int
    ankle: Floats
    yaw: float
    pitch: float
    arc: float
    air: bool
    weight: float


def _set_down(step: Step, error: Floats, gain: float, facing: float) -> _Stand:
    """A foot that moves to another place. `error` (2,) metres sideways and forwards that it misses it by."""
    side = step.side
    out = side * HOME_X + side * gain * step.out + error[0]  # type: ignore[operator]
    local = np.array([out, 0.0, gain * step.forward + error[1]])
    c, s = np.cos(np.radians(facing)), np.sin(np.radians(facing))
    spot = np.array([local[0] * c + local[2] * s, 0.0, -local[0] * s + local[2] * c])
    spot += gain * np.array([step.centre[0], 0.0, step.centre[1]])
    yaw, pitch = facing + side * (TURN_OUT if step.toes is None else step.toes), FLAT
    ankle = spot + np.array([0.0, ANKLE_HEIGHT, 0.0])
    if step.kind == "k":
        ankle[1] += gain * (step.up if step.up is not None else 0.15)
    elif step.kind in ("t", "r"):
        toe = ankle + BONE["toe"] * foot_direction(yaw, FLAT)
        pitch = FLAT + (40.0 if step.kind == "t" else 26.0)
        ankle = toe - BONE["toe"] * foot_direction(yaw, pitch)
    elif step.kind == "h":
        pitch = -22.0
    arc = 0.0 if step.kind == "k" else gain * (ARC[step.kind] if step.up is None else step.up)
    return _Stand(0, ankle, yaw, pitch, arc, step.kind == "k", WEIGHT[step.kind])


def _turn_in_place(step: Step, gain: float, facing: float, before: _Stand) -> _Stand:
    """A foot that stays where it is and turns: on the heel ("q"), on the ball ("p"), or with its heel lifted ("e")."""
    angle = TURN_OUT if step.toes is None else step.toes
    yaw, pitch = before.yaw, before.pitch
    toe = before.ankle + BONE["toe"] * foot_direction(yaw, pitch)
    if step.kind == "e":
        pitch = FLAT + gain * angle
    else:
        yaw = facing + step.side * (TURN_OUT + gain * (angle - TURN_OUT))
    on_heel = step.kind == "q"
    ankle = before.ankle if on_heel else toe - BONE["toe"] * foot_direction(yaw, pitch)
    return _Stand(2 if on_heel else 1, ankle, yaw, pitch, 0.0, before.air, 0.0)


def track_foot(work: Footwork, side: int, gain: float, stray: Floats) -> FootTrack:
    """Work out where one foot stands after each of its steps. `gain` scales distances and heights; `stray` (steps, 2)
    metres by which a person misses each place.

    ValueError if the foot does not come back to where it started, or takes two steps at once.
    """
    steps = [(s, stray[i]) for i, s in enumerate(work.steps) if s.side == side]
    if not steps:
        steps = [(Step(0.0, side, "p", None, 0.0, None, None, 0.4, (0.0, 0.0), 0.0), np.zeros(2))]
    placed = [i for i, (s, _) in enumerate(steps) if s.out is not None]
    lead = placed[0] if placed else 0
    # A foot that is never set down again stays at home and only turns: one more round shows how it then stands.
    warm_up = [] if placed else [(replace(s, time=s.time - work.beats), e) for s, e in steps]
    order = warm_up + steps[lead:] + [(replace(s, time=s.time + work.beats), e) for s, e in steps[: lead + 1]]
    stand = _Stand(0, np.array([side * HOME_X, ANKLE_HEIGHT, 0.0]), side * TURN_OUT, FLAT, 0.0, False, 0.0)
    stands: list[_Stand] = []
    for n, (step, error) in enumerate(order):
        if n and step.time - order[n - 1][0].time < 1e-6:
            raise ValueError(f"two steps of one foot at beat {step.time:g}")
        facing = step.facing + (360.0 * work.turns if lead + n - len(warm_up) >= len(steps) else 0.0)
        moves = step.out is not None
        stand = _set_down(step, error, gain, facing) if moves else _turn_in_place(step, gain, facing, stand)
        stands.append(stand)
    rows = slice(len(warm_up), None)
    first, *_, last = stands[rows]
    if np.linalg.norm(last.ankle - first.ankle) > 1e-9:
        raise ValueError(f"{'left' if side > 0 else 'right'} foot does not come back")
    stands[-1] = replace(last, ankle=first.ankle)  # the same to the last bit
    return _as_track([step for step, _ in order[rows]], stands[rows])


def _as_track(steps: list[Step], stands: list[_Stand]) -> FootTrack:
    """Rows of arrays from K+1 steps and how the foot stands after them. No step takes longer than there is time."""
    times = np.array([s.time for s in steps])
    beats = np.array([s.beats for s in steps])
    beats[1:] = np.minimum(beats[1:], np.diff(times))
    beats[0] = beats[-1]
    return FootTrack(
        times, beats, np.array([s.mode for s in stands]), np.array([s.ankle for s in stands]),
        np.array([s.yaw for s in stands]), np.array([s.pitch for s in stands]), np.array([s.arc for s in stands]),
        np.array([s.air for s in stands]), np.array([s.weight for s in stands]), tuple(s.kind for s in steps),
    )  # fmt: skip


@dataclass(frozen=True)
class FootPath:
    """Where one foot is over T frames."""

    ankle: Floats  # (T, 3) metres
    yaw: Floats  # (T,) degrees to the dancer's left
    pitch: Floats  # (T,) degrees, toes down
    air: Floats  # (T,) 0 carries, 1 swings freely
    down: NDArray[np.bool_]  # (T,) nailed to the floor


def place_foot(track: FootTrack, t: Floats, period: float, turns: int) -> FootPath:
    """Where the foot is at times `t` (T,) beats."""
    first = track.times[0]
    rounds = np.floor_divide(t - first, period)
    phase = t - rounds * period
    b = np.clip(np.searchsorted(track.times, phase, side="left"), 1, len(track.times) - 1)
    a = b - 1
    start = track.times[b] - track.beats[b]
    u = np.clip((phase - start) / track.beats[b], 0.0, 1.0)
    u[u < 1e-9], u[u > 1 - 1e-9] = 0.0, 1.0  # exactly at the end in spite of rounding
    mode = track.mode[b]
    flies = (mode == 0) & (track.arc[b] + track.air[a] + track.air[b] > 0)
    # A step swings fast and lands firmly; a turn is quick; a slide is even.
    s = np.where(flies, smoothstep(u**1.1), smoothstep(u))
    way = s[:, None]
    yaw = track.yaw[a] + s * (track.yaw[b] - track.yaw[a])
    pitch = track.pitch[a] + s * (track.pitch[b] - track.pitch[a])
    moving = (u > 0) & (u < 1) & ~track.idle[b]
    # Exactly the stored state at either end: a + 1 * (b - a) would be off by a rounding error.
    settled = np.where((u >= 1)[:, None], track.ankle[b], track.ankle[a])
    ankle = np.where((moving & (mode == 0))[:, None], track.ankle[a] + way * (track.ankle[b] - track.ankle[a]), settled)
    ankle[:, 1] += np.where(moving, track.arc[b] * bump(u**0.9), 0.0)
    yaw = np.where(u >= 1, track.yaw[b], np.where(u <= 0, track.yaw[a], yaw))
    pitch = np.where(u >= 1, track.pitch[b], np.where(u <= 0, track.pitch[a], pitch))
    toe = track.ankle[a] + BONE["toe"] * foot_direction(track.yaw[a], track.pitch[a])
    on_ball = moving & (mode == 1)
    ankle = np.where(on_ball[:, None], toe - BONE["toe"] * foot_direction(yaw, pitch), ankle)
    # How far it is from carrying anything: 0 on the floor, 1 in the air, with no jump in between.
    air = track.air[a] + s * (track.air[b] * 1.0 - track.air[a])
    air = np.maximum(air, np.where(track.arc[b] > 0, smoothstep(6.0 * s * (1.0 - s)), 0.0) * flies)
    down = ~np.where(u >= 1, track.air[b], track.air[a]) & ~(moving & (mode == 0))
    return FootPath(ankle, yaw + rounds * 360.0 * turns, pitch, air, down)


def weight_keys(work: Footwork, left: FootTrack, right: FootTrack, far: float) -> Keys | None:
    """Keys (x, z in metres) of where the pelvis goes: over the foot that stands, before the other one leaves.

    It goes no further than `far` metres from a foot on the floor. None when no foot ever moves.
    """
    period = work.beats
    moves = []  # (start, end, side, takes weight, kind)
    for side, track in ((1, left), (-1, right)):
        for k in range(1, len(track.times)):
            if track.mode[k] == 0 and not track.idle[k]:
                end = track.times[k] % period
                moves.append((end - track.beats[k], end, side, track.weight[k] > 0, track.kind[k]))
    if not moves:
        return None
    marks: list[tuple[float, float, bool]] = []  # (time, share of the weight on the left foot, is a departure)
    for start, end, side, takes, kind in moves:
        both = [m for m in moves if m[2] != side and _overlap((start, end), (m[0], m[1]), period)]
        together = any(abs((m[1] - end + period / 2) % period - period / 2) < 1e-6 for m in both)
        standing = 0.0 if side > 0 else 1.0  # all on the other foot
        if not both:
            marks.append((start, abs(standing - 0.06), True))
            if takes:
                marks.append((end + 0.14, abs(standing - 0.66), False))
            else:
                marks.append((end, abs(standing - (0.2 if kind in "thd" and kind else 0.04)), False))
        elif together:
            marks.append((end, 0.5, False))
        elif takes:
            marks.append((end, abs(standing - 0.8), False))
    marks = sorted((t % period, share, leaving) for t, share, leaving in marks)
    kept: list[tuple[float, float, bool]] = []
    for i, mark in enumerate(marks):
        following = marks[(i + 1) % len(marks)]
        gap = (following[0] - mark[0]) % period
        if len(marks) > 1 and gap < 0.3 and (following[2] or gap < 0.1) and not (mark[2] and not following[2]):
            continue  # no time to settle before the next departure
        if kept and mark[0] - kept[-1][0] < 0.08:
            continue
        kept.append(mark)
    if len(kept) > 1 and kept[0][0] + period - kept[-1][0] < 0.08:
        kept.pop()
    if not kept:  # both feet always go together: the weight stays between them
        return None
    times = np.array([k[0] for k in kept])
    share = np.array([k[1] for k in kept])[:, None]
    paths = [place_foot(track, times, period, work.turns) for track in (left, right)]
    spots = [path.ankle[:, [0, 2]] for path in paths]
    # A foot in the air carries nothing.
    share = np.where((paths[0].air > 0.9)[:, None], 0.0, np.where((paths[1].air > 0.9)[:, None], 1.0, share))
    both_down = ((paths[0].air < 0.5) & (paths[1].air < 0.5))[:, None]
    # Over one foot of a very wide stance the other leg could not reach: push off it instead of sinking to the floor.
    apart = np.linalg.norm(spots[0] - spots[1], axis=-1, keepdims=True)
    most = np.minimum(1.0, far / np.maximum(apart, 1e-6))
    share = np.where(
        both_down & (apart > far), np.clip(share, np.minimum(1.0 - most, 0.5), np.maximum(most, 0.5)), share
    )
    return Keys(times, share * spots[0] + (1 - share) * spots[1], "/" * len(times), period)


def hops(work: Footwork, gain: float) -> list[tuple[float, float, float]]:
    """Jumps as (take-off, landing, height in metres): one for each moment at which a foot lands from a jump."""
    found: dict[float, tuple[float, float, float]] = {}
    for step in work.steps:
        if step.kind == "j":
            height = gain * (0.1 if step.up is None else step.up)
            found[round(step.time, 6)] = (step.time - step.beats, step.time, height)
    return list(found.values())


def _overlap(a: tuple[float, float], b: tuple[float, float], period: float) -> bool:
    return any(a[0] < b[1] + k * period - 1e-6 and b[0] + k * period < a[1] - 1e-6 for k in (-1, 0, 1))


def face(work: Footwork, t: Floats) -> Floats:
    """Where the dancer faces at times `t` (T,), degrees to the dancer's left."""
    return np.zeros(len(t)) if work.facing is None else tween(work.facing, t, 0.3)[:, 0]
