"""The vocabulary: named positions of the arms and named actions of the trunk.

An arm is two directions as a dancer would point them: that of the upper arm and that of the forearm, each as
(`out`, `front`) degrees. `out` is 0 hanging down, 90 straight out to the side, 180 straight up, negative
across the body; `front` is how far it leaves the side plane, 90 is straight at the viewer. Everything is
written for the left arm; the right one is its mirror image. Where the hand has to be somewhere (a clap, a hand
on the heart) the wrist's place is given instead, in metres from the breastbone, and the elbow is solved for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import BONE

Floats = NDArray[np.float64]

SHOULDER = np.array([0.172, 0.102, 0.0])  # metres from the chest joint, left, when the arm hangs
assert abs(np.linalg.norm(SHOULDER) - BONE["shoulder"]) < 1e-3
SHOULDER *= BONE["shoulder"] / np.linalg.norm(SHOULDER)


def pointing(out: float, front: float) -> Floats:
    """Unit vector (3,) of an arm direction in degrees (see the module)."""
    a, f = np.radians(out), np.radians(front)
    return np.array([np.sin(a) * np.cos(f), -np.cos(a) * np.cos(f), np.sin(f)])


def solve_arm(wrist: Floats, elbow_to: Floats) -> tuple[Floats, Floats]:
    """Directions of upper arm and forearm that bring the wrist to a place.

    `wrist` (3,) metres from the chest joint; `elbow_to` (3,) which way the elbow points. A place out of
    reach is pulled into reach along the line from the shoulder.
    """
    upper, fore = BONE["elbow"], BONE["wrist"]
    reach = wrist - SHOULDER
    far = float(np.linalg.norm(reach))
    span = np.clip(far, abs(upper - fore) + 0.02, upper + fore - 0.004)
    line = reach / far
    side = elbow_to - line * (elbow_to @ line)
    side /= np.linalg.norm(side)
    along = (upper**2 - fore**2 + span**2) / (2 * span)  # law of cosines
    elbow = line * along + side * np.sqrt(max(upper**2 - along**2, 0.0))
    forearm = line * span - elbow
    return elbow / np.linalg.norm(elbow), forearm / np.linalg.norm(forearm)


# name: (upper out, upper front, forearm out, forearm front [, hand out, hand front])
ANGLES: dict[str, tuple[float, ...]] = {
    # hanging and half bent
    "rest": (13, -6, 8, 18),
    "loose": (22, -10, 14, 42),
    "ready": (26, -14, 30, 66),  # elbows at the side, hands in front of the waist
    "back": (28, -40, 30, -20),
    "fore": (10, 38, 6, 62),
    "runback": (26, -48, 18, 34),
    "runfore": (18, 24, 10, 122),
    "low": (38, 0, 42, 8),
    "lowout": (52, 0, 66, 12),
    "behind": (46, -30, -20, -34),
    "pocket": (32, -18, -16, 30, 4, 10),
    # out and up
    "out": (88, -2, 93, 6),
    "outdown": (70, -2, 62, 6),
    "outup": (112, 0, 118, 6),
    "vee": (138, 2, 146, 8),
    "up": (163, 4, 173, 4),
    "over": (168, 6, -168, 10),  # up and leaning across the head
    "reach": (150, 8, 128, 8),
    "palmout": (86, -2, 92, 4, 170, 10),
    "palmdown": (86, -2, 92, 4, 12, 10),
    "wing": (74, -12, -94, 14),
    "wingdown": (26, -8, -158, 24),
    "goal": (88, -6, 177, 6),
    "goalwide": (96, -6, 150, 4),
    "goalin": (92, 10, -150, 12),
    "goaldown": (84, -6, 2, 14),
    "fist": (58, 12, 170, 18),  # fist beside the head
    "fistlow": (26, -4, 150, 40),
    "muscle": (92, 0, -158, 4),
    "halo": (140, 4, -140, 8),  # rounded above the head
    "hoop": (58, 26, -18, 40),  # rounded in front of the belly
    "second": (76, 10, 86, 22),
    "nape": (142, -6, -104, -14),
    "wave1": (96, 0, 66, 6, 40, 6),
    "wave2": (72, 0, 112, 6, 90, 6),
    "wave3": (84, 0, 88, 6, 140, 6),
    # across
    "across": (-14, 36, -88, 32),
    "acrosslow": (-8, 28, -104, 22),
    "acrossup": (-20, 50, -140, 32),
    "acrosshigh": (-160, 26, -132, 16),
    "cut": (52, 32, -84, 28),
    "chestbar": (84, 8, -90, 22),  # forearm as a bar before the chest
    "chinbar": (96, 14, -104, 20),
    "belt": (38, 4, -76, 30),
    # to the viewer
    "point": (64, 58, 74, 64),
    "front": (22, 70, 10, 82),
    "frontup": (120, 55, 150, 52),
    "frontdown": (32, 34, 30, 54),
    "halt": (40, 50, 60, 74, 170, 20),
    "tray": (24, -2, 40, 78),
    "offer": (34, 6, 74, 44, 92, 24),
    "shruggy": (30, -8, 116, 34, 96, 22),
    "guard": (34, 18, -172, 40),
    "guardlow": (30, -6, -160, 58),
    "visor": (98, 30, -126, 18),
    "rein": (20, 34, -24, 66),
    # side to side, straight
    "flossout": (52, 6, 50, 10),
    "flossfore": (-44, 34, -84, 24),
    "flossback": (-26, -38, -84, -24),
    "armup": (122, 8, 160, 12),
    "trunk": (120, 20, 30, 30),
    "boxup": (90, 0, 180, 0, -92, 0),
    "boxout": (90, 0, 90, 2, 178, 0),
    "boxdown": (90, -2, 0, 4, 90, 0),
    "boxfore": (8, -8, 4, 86),
    "boxin": (88, 6, -92, 14),
    "boxlow": (10, -6, 92, 10),
    "crane": (126, 0, 92, 4, 20, 6),
    "drink": (44, 30, -146, 22),
    "ear": (112, 0, -126, 6),
    "lasso1": (132, 6, 152, 34),
    "lasso2": (132, 2, 108, 6),
    "lasso3": (136, -8, 172, -40),
    "lasso4": (140, 4, -134, 4),
    "throw": (128, -28, -170, -40),
    "swim": (96, 40, 110, 60),
    "bow": (92, -24, -96, 8),
    "brush": (20, 30, -132, 34),
    "shoulderline": (92, 8, 96, 20),  # along a neighbour's shoulders
    "braceo": (104, 26, 170, 30),
    "braceolow": (44, 20, -40, 44),
    "tangohold": (84, 16, 118, 44),
    "tangoback": (62, 46, -66, 44),
    "guardswing": (52, 40, -128, 44),  # forearm across the face
    "skirt": (46, 20, 34, 46),
    "skirtup": (74, 26, 104, 40),
    "thumbback": (52, 10, 176, -22, -170, -50),  # a thumb over the shoulder
    "cloudhigh": (76, 36, -104, 34, -60, 30),
    "lighter": (152, 8, 164, 10),
    "lighterout": (136, 6, 128, 10),
    "sprinkle": (82, 66, 76, 72),
    "sprinkle2": (84, 30, 82, 34),
}  # fmt: skip

# name: (wrist x, y, z, elbow to x, y, z [, hand out, hand front]), metres from the breastbone
PLACES: dict[str, tuple[float, ...]] = {
    "hip": (0.215, -0.19, 0.02, 1.0, 0.1, -0.55, -44, 24),
    "heart": (0.03, 0.04, 0.16, 1.0, -0.6, 0.0, -96, 10),
    "shoulderhold": (-0.10, 0.10, 0.15, 0.5, -0.8, 0.5, -120, 0),
    "hug": (-0.08, -0.06, 0.16, 0.9, -0.5, 0.2, -92, -20),
    "pray": (0.06, 0.06, 0.25, 1.0, -0.7, 0.0, -172, 10),
    "clap": (0.085, 0.02, 0.34, 0.9, -0.7, -0.2, -150, 45),
    "claplow": (0.085, -0.13, 0.34, 1.0, -0.2, -0.3, -120, 45),
    "claphigh": (0.085, 0.56, 0.13, 1.0, 0.0, 0.0, -170, 10),
    "clapright": (-0.09, 0.10, 0.30, 0.9, -0.7, -0.2, -150, 35),
    "clapleft": (0.26, 0.10, 0.30, 0.9, -0.7, -0.2, -150, 35),
    "knees": (0.23, -0.46, 0.22, 1.0, 0.2, -0.4),
    "cheek": (0.13, 0.30, 0.12, 1.0, -0.6, 0.1),
    "crown": (0.10, 0.46, 0.02, 1.0, 0.1, 0.0, -120, 0),
    "belly": (0.02, -0.19, 0.17, 1.0, -0.1, -0.1, -92, 10),
    "lapel": (0.13, 0.02, 0.14, 1.0, -0.7, -0.2, -160, 20),
    "rolltop": (0.02, 0.02, 0.27, 1.0, -0.4, 0.0, -92, 10),
    "rollfar": (0.02, -0.10, 0.37, 1.0, -0.4, 0.0, -92, 10),
    "rollbottom": (0.02, -0.21, 0.27, 1.0, -0.2, 0.0, -92, 10),
    "rollnear": (0.02, -0.10, 0.18, 1.0, -0.4, 0.0, -92, 10),
    "hrolltop": (0.02, 0.42, 0.24, 1.0, -0.4, 0.0, -92, 10),
    "hrollfar": (0.02, 0.32, 0.34, 1.0, -0.4, 0.0, -92, 10),
    "hrollbottom": (0.02, 0.22, 0.24, 1.0, -0.4, 0.0, -92, 10),
    "hrollnear": (0.02, 0.32, 0.17, 1.0, -0.4, 0.0, -92, 10),
    "groundout": (0.34, -0.40, 0.20, 0.6, 0.2, -0.5),
    "ground": (0.22, -0.40, 0.30, 0.8, 0.2, -0.5),
    "pull": (0.16, -0.14, 0.04, 0.8, -0.2, -0.9, -20, 60),
    "steer": (0.27, 0.06, 0.32, 1.0, -0.6, -0.1),  # hands on a wheel as wide as the shoulders
    "steerup": (0.20, 0.32, 0.28, 1.0, -0.4, -0.1),
    "steerdown": (0.24, -0.20, 0.28, 1.0, -0.3, -0.2),
    "eyes": (0.13, 0.34, 0.17, 1.0, -0.3, 0.2, -92, 16),
    "crossed": (-0.10, 0.0, 0.22, 1.0, -0.4, 0.3, -80, 4),  # arms folded
    "thumbs": (0.22, -0.17, 0.10, 1.0, -0.1, -0.4, -88, 4),  # in the belt
    "bootslap": (0.24, -0.36, 0.34, 0.8, -0.1, -0.3),
    "bootout": (0.34, -0.42, 0.02, 0.8, 0.1, -0.5),
    "bellyside": (0.15, -0.14, 0.16, 1.0, -0.1, -0.2, -80, 0),
    "crownheart": (0.09, 0.60, 0.06, 1.0, 0.3, 0.0, -110, 0),
    "heartpush": (0.10, 0.06, 0.42, 1.0, -0.4, 0.0, -150, 30),
    "ropehigh": (0.02, 0.34, 0.30, 0.8, -0.6, 0.0),
    "ropelow": (0.02, -0.22, 0.22, 1.0, -0.2, -0.2),
}  # fmt: skip


def arm_frame(name: str) -> Floats:
    """One left-arm position as the eight numbers that are tweened: (8,) = quaternion, flexion, hand (3).

    The quaternion (w, x, y, z) turns (1, 0, 0) into the upper arm and (0, 1, 0) into the side to which the
    forearm bends; flexion in radians; hand is its direction in the forearm's frame. KeyError: no such name.
    """
    row = ANGLES[name] if name in ANGLES else PLACES[name]
    if name in ANGLES:
        upper, fore = pointing(*row[:2]), pointing(*row[2:4])
        hand = pointing(*row[4:6]) if len(row) > 4 else fore
    else:
        upper, fore = solve_arm(np.array(row[:3]), np.array(row[3:6]))
        hand = pointing(*row[6:8]) if len(row) > 6 else fore
    flexion = np.arccos(np.clip(upper @ fore, -1.0, 1.0))
    bend = fore - upper * (upper @ fore)
    if np.linalg.norm(bend) < 1e-3:  # a straight arm bends forwards
        bend = np.array([0.0, 0.0, 1.0]) - upper * upper[2]
    bend /= np.linalg.norm(bend)
    axes = np.stack([upper, bend, np.cross(upper, bend)], axis=1)
    turn = np.array([[np.cos(flexion), -np.sin(flexion), 0], [np.sin(flexion), np.cos(flexion), 0], [0, 0, 1]])
    # No wrist bends further than about 75 degrees: pull the hand towards the forearm until it does not.
    local = (axes @ turn).T @ hand
    local[0] = max(local[0], 0.26)
    local /= np.linalg.norm(local)
    return np.concatenate([quaternion(axes), [flexion], local])


def quaternion(matrix: Floats) -> Floats:
    """(3, 3) rotation to unit quaternion (4,) w, x, y, z (Shepperd's method)."""
    m = matrix
    trace = np.array([m[0, 0] + m[1, 1] + m[2, 2], m[0, 0], m[1, 1], m[2, 2]])
    best = int(np.argmax(trace))
    if best == 0:
        q = np.array([1 + trace[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    else:
        i = best - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.zeros(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[j, i] + m[i, j]
        q[1 + k] = m[k, i] + m[i, k]
    return q / np.linalg.norm(q)


# What the trunk, hips, knees, shoulders and head can do. Degrees, and metres for the four that end in _m.
CHANNELS = (
    "hip_x_m", "hip_z_m", "low_m", "hip_up", "hip_turn", "lean", "bow", "twist", "slide", "pop",
    "shrug_left", "shrug_right", "fore_left", "fore_right", "tilt", "nod", "neck", "knee_left", "knee_right",
)  # fmt: skip
CHANNEL = {name: i for i, name in enumerate(CHANNELS)}

# name: channels. A name that ends in L has a twin that ends in R, made below.
_ACTIONS: dict[str, dict[str, float]] = {
    "-": {},
    "leanL": {"lean": 13, "hip_x_m": -0.02},
    "bow": {"bow": 17},
    "fold": {"bow": 46, "low_m": 0.06},
    "arch": {"bow": -13, "nod": -8, "hip_z_m": 0.03},
    "twistL": {"twist": 24, "hip_turn": 6},
    "turnL": {"hip_turn": 26, "twist": 26},
    "windL": {"hip_turn": -22, "twist": 22},  # shoulders one way, hips the other
    "hipL": {"hip_x_m": 0.075, "hip_up": 9, "lean": -5},
    "hipF": {"hip_z_m": 0.06, "bow": -8, "low_m": 0.03},
    "hipB": {"hip_z_m": -0.09, "bow": 19, "low_m": 0.05},
    "tickL": {"hip_up": 12, "hip_x_m": 0.03, "lean": -3},
    "hturnL": {"hip_turn": 20},
    "low": {"low_m": 0.09, "bow": 5},
    "deep": {"low_m": 0.20, "bow": 12},
    "squat": {"low_m": 0.34, "bow": 20, "hip_z_m": -0.09},
    "tall": {"low_m": -0.025, "bow": -3},
    "slideL": {"slide": 13, "lean": -2},
    "popF": {"pop": 10, "bow": -4, "nod": -3},
    "popB": {"pop": -10, "bow": 10, "nod": 5},
    "shrug": {"shrug_left": 22, "shrug_right": 22},
    "shrugL": {"shrug_left": 28, "shrug_right": -6, "lean": -3},
    "shimL": {"fore_left": 24, "fore_right": -24, "twist": -7},
    "dropL": {"shrug_left": -12, "shrug_right": 16, "lean": 8},
    "tiltL": {"tilt": 18},
    "nod": {"nod": 17},
    "look": {"nod": -15},
    "neckL": {"neck": 13},
    "kneesI": {"knee_left": -24, "knee_right": -24},
    "kneesO": {"knee_left": 26, "knee_right": 26},
    "kneeL": {"knee_left": 28, "knee_right": -4},
    "kneeInL": {"knee_left": -30, "knee_right": 6},
}  # fmt: skip

_SIGNED = ("hip_x_m", "hip_up", "hip_turn", "lean", "twist", "slide", "tilt", "neck")  # change sign in a mirror


def mirrored_channels(values: Floats) -> Floats:
    """The mirror image of trunk channels (..., 19)."""
    out = values.copy()
    for name in _SIGNED:
        out[..., CHANNEL[name]] *= -1
    for pair in ("shrug", "fore", "knee"):
        left, right = CHANNEL[f"{pair}_left"], CHANNEL[f"{pair}_right"]
        out[..., [left, right]] = out[..., [right, left]]
    return out


def _actions() -> dict[str, Floats]:
    table: dict[str, Floats] = {}
    for name, channels in _ACTIONS.items():
        values = np.zeros(len(CHANNELS))
        for channel, amount in channels.items():
            values[CHANNEL[channel]] = amount
        table[name] = values
        if name.endswith("L"):
            table[name[:-1] + "R"] = mirrored_channels(values)
    return table


ACTIONS = _actions()
ARMS = {name: arm_frame(name) for name in (*ANGLES, *PLACES)}
# Shapes of a hand: how far it is a fist, how far it points. A hand that points has all fingers but one in the fist.
HANDS = {"open": np.array([0.0, 0.0]), "fist": np.array([1.0, 0.0]), "point": np.array([0.0, 1.0])}
