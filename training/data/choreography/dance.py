"""A dance on paper and a dance performed.

A `Dance` holds four lines of notation (legs, trunk, arms, head) and a groove; `perform` turns them into joints at
any energy, as one dancer's take. Layers are added in the order in which dancers build them: footwork, weight over the
feet, the groove in the knees, then trunk, arms and head, then what follows by itself (hips settle, hands trail, the
head nods).
"""

from __future__ import annotations

import functools
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.choreography import feet, rig
from training.data.choreography.ease import Floats, Keys, bump, smoothstep, tween
from training.data.choreography.notation import flip_arms, flip_body, flip_legs, parse, split_ease
from training.data.choreography.poses import ACTIONS, ARMS, CHANNEL, CHANNELS, HANDS
from training.data.motion import skeleton

ARM_LAG = 0.03  # beats: arms follow the trunk
HAND_LAG = 0.09  # beats: hands follow the arms
SOFT, CRISP = 0.07, 0.035  # beats over which a track of poses is smoothed, and one of a dance in hits (ease "!")
_GROOVE = re.compile(r"^(down|up)([\d.]+)(?:x(\d+)|/(\d+))?$")


@dataclass(frozen=True)
class Dance:
    """One dance in notation. See notation.py for the rhythm, feet.py for `legs`, poses.py for the words of
    `body`, `head`, `arms` and `hands`.

    `groove` is the bounce in the knees: "down4" dips 4 cm on every beat, "up3" is highest on the beat, "x2" twice
    a beat, "/2" every other beat, "" none. `ease` is how poses are reached where the notation does not say.
    `flip`: the dance is written down once and danced twice, the second time mirrored. Tracks shorter than the
    longest are repeated. ValueError when the notation is wrong.
    """

    name: str
    style: str
    legs: str
    body: str = "-"
    arms: str = "loose"
    head: str = "-"
    hands: str = "open"
    groove: str = "down3"
    ease: str = "~"
    flip: bool = False

    @property
    def beats(self) -> int:
        """Length of one round in beats."""
        return _score(self).beats


@dataclass(frozen=True)
class Performance:
    """`positions` float32 (frames, 21, 3) metres, a seamless loop; `contacts` bool (frames, 2): left, right foot
    nailed to the floor (its toe or its ankle does not move); `hands` float32 (frames, 2, 2): left, right hand, how far
    it is a fist and how far it points, 0..1 each (an open hand is 0, 0).
    """

    positions: NDArray[np.float32]
    contacts: NDArray[np.bool_]
    hands: NDArray[np.float32]


@dataclass(frozen=True)
class _Score:
    beats: int
    work: feet.Footwork
    body: Keys
    head: Keys
    left: Keys
    right: Keys
    hands: tuple[Keys, Keys]


@functools.cache
def _score(dance: Dance) -> _Score:
    """Read the notation, once for each dance. ValueError names the dance and what is wrong."""
    try:
        tracks = {name: parse(getattr(dance, name)) for name in ("legs", "body", "arms", "head", "hands")}
        base = max(length for _, length in tracks.values())
        flips = {
            "legs": functools.partial(flip_legs, turned=_spins(dance.legs)),
            "body": flip_body,
            "arms": flip_arms,
            "head": flip_body,
            "hands": flip_arms,
        }
        events = {}
        for name, (found, length) in tracks.items():
            if abs(base / length - round(base / length)) > 1e-9:
                raise ValueError(f"{name} is {length:g} beats long, which does not divide {base:g}")
            line = [(t + k * length, token) for k in range(round(base / length)) for t, token in found]
            if dance.flip:
                line += [(t + base, flips[name](token)) for t, token in line]
            events[name] = line
        beats = round(base * (2 if dance.flip else 1))
        if beats % 4 or abs(beats - base * (2 if dance.flip else 1)) > 1e-9:
            raise ValueError(f"{base:g} beats do not make whole bars")
        work = feet.read_legs(events["legs"], beats)
        for side in (1, -1):  # does every foot come back?
            feet.track_foot(work, side, 1.0, np.zeros((len(work.steps), 2)))
        left, right = _side_keys(events["arms"], dance.ease, beats, ARMS)
        score = _Score(
            beats, work, _trunk_keys(events["body"], dance.ease, beats), _trunk_keys(events["head"], "~", beats),
            left, right, _side_keys(events["hands"], "!", beats, HANDS),
        )  # fmt: skip
        if dance.groove and not _GROOVE.match(dance.groove):
            raise ValueError(f"not a groove: {dance.groove!r}")
    except (ValueError, KeyError) as error:
        raise ValueError(f"dance {dance.name!r}: {error}") from error
    return score


def _spins(legs: str) -> int:
    """Whole turns that a line of the legs ends with."""
    angles = re.findall(r"\^(-?[\d.]+)", legs)
    return round(float(angles[-1]) / 360.0) if angles else 0


def _trunk_keys(events: list[tuple[float, str]], default: str, beats: int) -> Keys:
    times, values, eases = [], [], ""
    for time, token in events:
        words, ease = split_ease(token, default)
        total = np.zeros(len(CHANNELS))
        for word in words.split("+"):
            name, _, amount = word.partition("*")
            total += ACTIONS[name] * (float(amount) if amount else 1.0)
        times.append(time)
        values.append(total)
        eases += ease
    return Keys(np.array(times), np.array(values), eases, float(beats))


def _side_keys(
    events: list[tuple[float, str]], default: str, beats: int, words: dict[str, Floats]
) -> tuple[Keys, Keys]:
    """Keys of the left and the right arm or hand from tokens "both" or "left|right"."""
    times, sides, eases = [], ([], []), ""
    for time, token in events:
        said, ease = split_ease(token, default)
        left, bar, right = said.partition("|")
        for side, name in zip(sides, (left, right if bar else left), strict=True):
            side.append(words[name])
        times.append(time)
        eases += ease
    left, right = (Keys(np.array(times), np.array(side), eases, float(beats)) for side in sides)
    return left, right


@dataclass(frozen=True)
class _Gains:
    """How far one take goes: factors of steps, trunk, arms and bounce, and of the flourish of hits (see `tween`)."""

    step: float
    trunk: float
    arm: float
    groove: float
    flourish: float


@dataclass(frozen=True)
class _Legs:
    """Where the legs of a take bring the body in T frames."""

    feet: tuple[feet.FootPath, feet.FootPath]
    facing: Floats  # (T,) degrees
    middle: Floats  # (T, 2) metres, x and z, between the ankles
    weight: Floats  # (T, 2) metres, where the weight is
    before: Floats  # (T, 2) the same 0.16 beats earlier

    @property
    def front(self) -> Floats:
        """Unit vectors (T, 2), x and z, in which the dancer faces."""
        return np.stack([np.sin(np.radians(self.facing)), np.cos(np.radians(self.facing))], -1)


Chance = np.random.Generator | None  # None: the dance as it is written


def perform(
    dance: Dance, energy: float = 0.5, steps_per_beat: int = 16, mirrored: bool = False, seed: int | None = None
) -> Performance:
    """Dance one round.

    Frame i is at musical time i / `steps_per_beat` exactly; the frame after the last is the first. A dance
    that travels sideways comes back within the round; one that spins ends a whole turn further, which is the
    same picture. `energy` 0..1 scales steps, trunk, arms and bounce. `seed` gives one dancer's take of it: other
    amplitudes, feet a centimetre off, the way between the beats a few hundredths of a beat early or late. On the
    beat every take is on the beat. ValueError when energy is outside 0..1.
    """
    if not 0.0 <= energy <= 1.0:
        raise ValueError(f"energy must be within 0..1, not {energy}")
    score = _score(dance)
    t = np.arange(score.beats * steps_per_beat) / steps_per_beat
    rng = None if seed is None else np.random.default_rng([seed, zlib.crc32(dance.name.encode())])
    # Every part draws from the same generator, so their order decides the take of a seed.
    gains = _Gains(
        step=_about(0.66 + 0.44 * energy, 0.04, rng),
        trunk=_about(0.50 + 0.85 * energy, 0.08, rng),
        arm=min(1.08, _about(0.58 + 0.50 * energy, 0.03, rng)),
        groove=_about(0.45 + 1.0 * energy, 0.10, rng),
        flourish=_about(0.7 + 0.6 * energy, 0.20, rng),
    )
    dip, late = (_groove(dance.groove, t - lag, gains.groove) for lag in (0.0, 0.09))
    legs = _move_legs(score, t, gains.step, rng)
    soft = CRISP if dance.ease == "!" else SOFT
    trunk = _move_trunk(score, t, gains, soft, rng)
    _follow_weight(trunk, legs, gains.trunk)
    _follow_groove(trunk, dip, late)
    if rng is not None:  # no two dancers hold themselves alike
        trunk[:, CHANNEL["bow"]] += rng.normal(0.0, 1.5)
        trunk[:, CHANNEL["lean"]] += rng.normal(0.0, 0.8)
        trunk[:, CHANNEL["low_m"]] += abs(rng.normal(0.0, 0.01))
    rise = -dip
    for start, land, height in feet.hops(score.work, gains.step):
        rise += _jump(t, start, land, height, score.beats)
    arms_t = _human_time(t, score.beats, rng) - _about(ARM_LAG, 0.3, rng) * (dance.ease == "~")
    (left, left_drag), (right, right_drag) = (
        _move_arm(_calmed(keys, gains.arm, rng), arms_t, gains.flourish, soft) for keys in (score.left, score.right)
    )
    for arm in (left, right):
        arm[:, 4] += 3.0 * (dip - late) + 1.2 * dip  # elbows give with the bounce

    weight_xz = legs.weight + 0.035 * legs.front  # the body is over the middle of the foot, not over the ankle
    intent = rig.Intent(trunk, weight_xz, rise, legs.facing, (left, right), (left_drag, right_drag), legs.feet)
    positions = rig.pose(intent, max(1, round(0.2 * steps_per_beat))).astype(np.float32)
    contacts = np.stack([foot.down for foot in legs.feet], -1)
    hands = np.stack([tween(keys, arms_t, 0.0).clip(0.0, 1.0) for keys in score.hands], 1).astype(np.float32)
    if mirrored:
        positions, contacts, hands = skeleton.mirror(positions), contacts[:, ::-1].copy(), hands[:, ::-1].copy()
    return Performance(positions, contacts, hands)


def _about(middle: float, spread: float, rng: Chance) -> float:
    """A factor near `middle`: log-normal, `spread` the standard deviation of its logarithm."""
    return middle if rng is None else middle * float(np.exp(rng.normal(0.0, spread)))


def _human_time(t: Floats, beats: int, rng: Chance) -> Floats:
    """Musical time (T,) as one limb feels it: right on every beat, early or late between."""
    if rng is None:
        return t
    early = rng.normal(0.0, 0.014, beats).clip(-0.03, 0.03)
    return t + early[np.floor(t).astype(int)] * np.sin(np.pi * t) ** 2


def _move_legs(score: _Score, t: Floats, gain: float, rng: Chance) -> _Legs:
    """Feet and weight at times `t` (T,) beats; `gain` scales the steps."""
    work = score.work
    legs_t = _human_time(t, score.beats, rng)
    stray = np.zeros((len(work.steps), 2)) if rng is None else rng.normal(0.0, 0.007, (len(work.steps), 2))
    left, right = (feet.track_foot(work, side, gain, stray) for side in (1, -1))
    placed = tuple(feet.place_foot(track, legs_t, score.beats, work.turns) for track in (left, right))
    keys = feet.weight_keys(work, left, right, far=feet.FAR_FOOT * gain)
    middle = 0.5 * (placed[0].ankle + placed[1].ankle)[:, [0, 2]]
    weight = middle if keys is None else tween(keys, legs_t)
    before = weight if keys is None else tween(keys, legs_t - 0.16)
    return _Legs((placed[0], placed[1]), feet.face(work, legs_t), middle, weight, before)


def _move_trunk(score: _Score, t: Floats, gains: _Gains, soft: float, rng: Chance) -> Floats:
    """Channels (T, 19) of trunk and head as they are written; `soft` as in `_flesh`."""
    trunk_t = _human_time(t, score.beats, rng)
    body, head = _varied(score.body, rng, 0.10), _varied(score.head, rng, 0.10)
    return gains.trunk * (
        _flesh(body, trunk_t, gains.flourish, soft) + _flesh(head, trunk_t, 0.5 * gains.flourish, soft)
    )


def _follow_weight(trunk: Floats, legs: _Legs, gain: float) -> None:
    """Change the trunk (T, 19) in place by what follows from where the weight goes."""
    front = legs.front
    side_on = np.stack([front[:, 1], -front[:, 0]], -1)  # the dancer's left, in (x, z)
    sway = np.sum((legs.weight - legs.before) * side_on, -1)
    over = np.clip(np.sum((legs.weight - legs.middle) * side_on, -1) / 0.09, -1.0, 1.0)
    trunk[:, CHANNEL["lean"]] -= np.clip(45.0 * sway, -6.0, 6.0)  # the trunk lags behind the hips
    trunk[:, CHANNEL["hip_up"]] += 4.0 * gain * over  # the hip of the standing leg is the higher one
    trunk[:, CHANNEL["lean"]] -= 1.5 * over


def _follow_groove(trunk: Floats, dip: Floats, late: Floats) -> None:
    """Change the trunk (T, 19) in place by what follows from the bounce `dip` (T,) metres, `late` 0.09 beats later."""
    trunk[:, CHANNEL["bow"]] += 3.0 + 70.0 * dip
    trunk[:, CHANNEL["nod"]] += 130.0 * late
    for name in ("shrug_left", "shrug_right"):
        trunk[:, CHANNEL[name]] += 90.0 * (dip - late)


def _move_arm(keys: Keys, t: Floats, flourish: float, soft: float) -> tuple[Floats, Floats]:
    """An arm (T, 8) as poses.arm_frame at times `t` (T,), and the same `HAND_LAG` earlier, which the hand follows."""
    return _flesh(keys, t, flourish, soft), _flesh(keys, t - HAND_LAG, flourish, soft)


def _varied(keys: Keys, rng: np.random.Generator | None, spread: float) -> Keys:
    """The same poses, each slightly larger or smaller."""
    if rng is None:
        return keys
    scale = np.exp(rng.normal(0.0, spread, (len(keys.times), 1)))
    return Keys(keys.times, keys.values * scale, keys.eases, keys.period)


def _flesh(keys: Keys, t: Floats, flourish: float, soft: float) -> Floats:
    """A track as a body follows it: without corners, smoothed by 1-2-1 over `soft` beats to either side."""
    before, now, after = np.split(tween(keys, np.concatenate([t - soft, t, t + soft]), flourish), 3)
    return 0.5 * now + 0.25 * (before + after)


def _calmed(keys: Keys, gain: float, rng: np.random.Generator | None) -> Keys:
    """Arm poses scaled towards elbows at the side: `gain` 1 as written, 0 hands before the waist (with hanging arms,
    hands that cross the body would come before the crotch). With `rng`, one take of them."""
    values = keys.values.copy()
    hanging = np.repeat(ARMS["ready"][None], len(values), axis=0)
    hanging[:, :4] *= np.where(np.sum(hanging[:, :4] * values[:, :4], -1, keepdims=True) < 0, -1.0, 1.0)
    values = hanging + gain * (values - hanging)
    if rng is not None:
        values[:, :4] += rng.normal(0.0, 0.022, (len(values), 4))
        values[:, 4] += rng.normal(0.0, 0.05, len(values))
    values[:, :4] /= np.linalg.norm(values[:, :4], axis=-1, keepdims=True)
    for i in range(1, len(values)):  # the shorter way round from each key to the next
        if values[i, :4] @ values[i - 1, :4] < 0:
            values[i, :4] *= -1
    sign = -1.0 if values[0, :4] @ values[-1, :4] < 0 else 1.0
    # The quaternion may have the other sign after a round; flexion and hand may not. Where it does, the track becomes
    # two rounds long, the second with the other sign.
    if sign < 0:
        values = values.copy()
        doubled = np.concatenate([values, values * np.r_[-np.ones(4), np.ones(4)]])
        times = np.concatenate([keys.times, keys.times + keys.period])
        return Keys(times, doubled, keys.eases * 2, 2 * keys.period)
    return Keys(keys.times, values, keys.eases, keys.period)


def _groove(groove: str, t: Floats, gain: float) -> Floats:
    """Metres (T,) by which the bounce lowers the pelvis at times `t`."""
    match = _GROOVE.match(groove)
    if not match:
        return np.zeros_like(t)
    kind, depth, faster, slower = match.groups()
    phase = np.mod(t * (int(faster) if faster else 1) / (int(slower) if slower else 1), 1.0)
    # Fall quickly into the beat, come up slowly: 0.38 of the time down, the rest up.
    fall = 0.38
    shape = np.where(phase > 1 - fall, smoothstep((phase - 1 + fall) / fall), 1 - smoothstep(phase / (1 - fall)))
    if kind == "up":
        shape = 1 - shape
    return gain * float(depth) / 100.0 * shape


def _jump(t: Floats, start: float, land: float, height: float, beats: int) -> Floats:
    """Metres (T,) of one jump: bend, fly a parabola from `start` to `land`, give way on landing."""
    length = land - start
    out = np.zeros_like(t)
    for shift in (-beats, 0, beats):
        u = (t - start - shift) / length
        out += height * np.where((u > 0) & (u < 1), 4 * u * (1 - u), 0.0)
        give = 0.03 + 0.5 * height
        out -= give * bump((t - (start + shift - 0.3)) / 0.42)
        out -= give * bump((t - (land + shift - 0.06)) / 0.5)
    return out
