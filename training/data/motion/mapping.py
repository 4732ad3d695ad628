"""Finds which joint of a captured skeleton is which of ours: guessed from names, or given by a table.

Names differ between studios and programs. Each name is split into a side and a word, and the word is looked up, so
LeftUpLeg, mixamorig:LeftUpLeg, lThigh, thigh.L, thigh_l, Bip01 L Thigh, L_Hip, lfemur and LeftHip are all the left hip.
Where a word has two meanings ("shoulder" is a collar bone where there is an "arm"), the more certain word wins.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from training.data.motion.bvh import END, Skeleton
from visualizer.errors import UserError

# For each joint the words that can mean it, the surest first. Found on both sides, or on neither.
_LIMBS = {
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip", "uleg"),
    "knee": ("leg", "lowleg", "lowerleg", "calf", "shin", "tibia", "knee", "lleg"),
    "ankle": ("ankle", "foot"),
    "toe": ("toebase", "toes", "toe", "toe0", "ball", "toe1", "foot"),
    "shoulder": ("arm", "uparm", "upperarm", "humerus", "shldr", "shoulder", "uarm"),
    "elbow": ("forearm", "lowerarm", "lowarm", "radius", "elbow", "farm"),
    "wrist": ("wrist", "hand"),
    "hand": ("handmiddle1", "middle1", "middle01", "middle0", "finger2", "fmiddle01", "fingers", "handindex1", "index1",
             "finger1", "hand"),
}  # fmt: skip
_MIDDLE = {
    "neck": ("neck", "lowerneck", "neck1", "neck01", "neck0"),
    "head": ("head", "skull", "head1"),
}
NEEDED = tuple(f"{side}_{limb}" for side in ("left", "right")
               for limb in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"))  # fmt: skip
MAPPED = (*_MIDDLE, *(f"{side}_{limb}" for side in ("left", "right") for limb in _LIMBS))
LARGEST_TABLE = 100_000  # bytes

_PREFIX = re.compile(r"^(?:bip\d*|biped\d*|mixamorig\d*|character\d*|valvebiped|def|org|b)[ _:.-]+", re.IGNORECASE)
_SIDES = [
    re.compile(r"^(?P<side>left|right)[ _.-]*(?P<word>.+)$", re.IGNORECASE),
    re.compile(r"^(?P<word>.+?)[ _.-]*(?P<side>left|right)$", re.IGNORECASE),
    re.compile(r"^(?P<word>.+)[ _.-](?P<side>[lr])$", re.IGNORECASE),
    re.compile(r"^(?P<side>[lr])[ _.-](?P<word>.+)$", re.IGNORECASE),
    re.compile(r"^(?P<word>[a-z]+)[ _.-](?P<side>[lr])[ _.-]*(?P<rest>\d*)$", re.IGNORECASE),
    re.compile(r"^(?P<side>[lrLR])(?P<word>[A-Z].*)$"),
    re.compile(r"^(?P<side>[lr])(?P<word>femur|tibia|foot|toes|clavicle|humerus|radius|wrist|hand|fingers|thigh|shin"
               r"|collar|shldr|forearm|hipjoint)$"),
]  # fmt: skip


def take_apart(name: str) -> tuple[str, str]:
    """Side ("left", "right" or "") and word of a joint's name, the word in small letters and figures alone."""
    name = name.removesuffix(END)
    name = name.rsplit(":", 1)[-1].rsplit("|", 1)[-1].strip()
    previous = None
    while previous != name:
        previous, name = name, _PREFIX.sub("", name)
    name = re.sub(r"^mixamorig\d*", "", name)
    for pattern in _SIDES:
        match = pattern.match(name)
        if match:
            side = "left" if match["side"].lower().startswith("l") else "right"
            return side, re.sub(r"[^a-z0-9]", "", (match["word"] + match.groupdict().get("rest", "")).lower())
    return "", re.sub(r"[^a-z0-9]", "", name.lower())


def read_table(path: Path) -> dict[str, str]:
    """A table that says which joint is which, `left_knee = "Knee_L"`, in TOML or JSON. UserError if it is none."""
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise UserError(f"{path}: too large for a table of joints")
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: broken table ({' '.join(str(error).split())[:100]})") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise UserError(f'{path}: a table of joints holds lines like  left_knee = "Knee_L"')
    strange = [name for name in found if name not in MAPPED]
    if strange:
        raise UserError(f"{path}: no joint is called {strange[0][:30]!r}; there are: {', '.join(MAPPED)}")
    return found


def map_joints(skeleton: Skeleton, path: Path, table: dict[str, str] | None = None) -> dict[str, int]:
    """Number of the joint in the file for each of ours that is found. UserError where one is missing that is needed.

    A joint at the end of a bone has the name of its joint and " end", and may be given so in the table.
    """
    table = table or {}
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(skeleton.names):
        numbers.setdefault(name, []).append(number)
    found: dict[str, int] = {}
    for name, theirs in table.items():
        if len(numbers.get(theirs, [])) != 1:
            raise UserError(f"{path}: {len(numbers.get(theirs, []))} joints are called {theirs[:40]!r}, for {name}")
        found[name] = numbers[theirs][0]
    words: dict[tuple[str, str], list[int]] = {}
    for number, name in enumerate(skeleton.names):
        if not name.endswith(END):
            words.setdefault(take_apart(name), []).append(number)

    for limb, known in _LIMBS.items():
        left, right = f"left_{limb}", f"right_{limb}"
        if left in found and right in found:
            continue
        taken = set(found.values())
        for word in known:
            both = [words.get((side, word), []) for side in ("left", "right")]
            if not all(both):
                continue
            new = {name: n[0] for name, n in zip((left, right), both, strict=True) if name not in found}
            if not taken & set(new.values()):
                found |= new
                break
    for name, known in _MIDDLE.items():
        if name not in found:
            for word in known:
                if words.get(("", word)):
                    found[name] = words["", word][0]
                    break
    missing = [name for name in NEEDED if name not in found]
    if "neck" not in found and "head" not in found:
        missing.append("neck")
    if missing:
        there = ", ".join(n for n in skeleton.names if not n.endswith(END))
        raise UserError(
            f"{path}: no {missing[0].replace('_', ' ')} among {there[:300]}; a table says which it is (--joints)"
        )
    double = [name for name in found if list(found.values()).count(found[name]) > 1]
    if double:
        raise UserError(f"{path}: {skeleton.names[found[double[0]]]} cannot be {' and '.join(double)}")
    return found


def trunk_of(skeleton: Skeleton, found: dict[str, int]) -> list[int]:
    """Joints between the hips and the neck, from below, the hips' common one and the neck itself left out."""

    def line(joint: int) -> list[int]:
        up = [joint]
        while skeleton.parents[up[-1]] >= 0:
            up.append(skeleton.parents[up[-1]])
        return up

    hips = set(line(found["left_hip"])) & set(line(found["right_hip"]))
    top = line(found["neck"] if "neck" in found else found["head"])[1:]
    return [joint for joint in top if joint not in hips][::-1]


def ends_of(skeleton: Skeleton, joint: int) -> list[int]:
    """Ends of the bones that hang on a joint, all the way down."""
    below = {joint}
    ends = []
    for number, parent in enumerate(skeleton.parents):  # parents come first
        if parent in below:
            below.add(number)
            if skeleton.names[number].endswith(END):
                ends.append(number)
    return ends
