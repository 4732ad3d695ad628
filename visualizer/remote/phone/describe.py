"""The show in the words of the page: small JSON objects, made on a thread of their own out of states."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from typing import Any

import numpy as np

from visualizer.commands import GROUPS
from visualizer.remote.controls import REMOTE_COMMANDS
from visualizer.remote.state import State
from visualizer.stage.looks import Look

MOST_BODIES = 9
BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (3, 5), (5, 6), (6, 7), (7, 8), (3, 9), (9, 10), (10, 11), (11, 12),
    (0, 13), (13, 14), (14, 15), (15, 16), (0, 17), (17, 18), (18, 19), (19, 20),
)  # fmt: skip


def describe_show(state: State) -> dict[str, Any]:
    """What the page shows of a state, but for when it is."""
    return {
        "style": state.style, "byMusic": state.by_music, "dance": state.dance, "asked": state.asked_dance,
        "look": state.look, "figure": state.figure, "troupe": state.troupe, "sync": state.sync,
        "temperature": round(state.temperature, 2), "sensitivity": state.sensitivity, "auto": state.auto,
        "locked": state.locked, "dark": state.dark, "recording": state.recording, "title": state.title,
        "source": state.source, "cue": state.cue, "outputs": list(state.outputs),
    }  # fmt: skip


def describe_music(state: State, now: float) -> dict[str, Any]:
    """What changes all the time. `at`: milliseconds that the state is seen after `now`, seconds on the show's clock."""
    return {
        "at": round((state.time - now) * 1000, 1), "beat": round(state.beat, 4), "bpm": round(state.bpm, 2),
        "sure": round(state.confidence, 2), "energy": round(state.energy, 2), "loudness": round(state.loudness, 2),
    }  # fmt: skip


def describe_choices(state: State) -> tuple[Any, ...]:
    """What there is to choose from, to compare: nothing is made of it as long as it is the same."""
    return state.styles, state.dances, state.looks, state.figures, state.cues


def describe_lists(state: State, swatches: dict[str, list[str]]) -> dict[str, Any]:
    """What there is to choose from, with the colours of looks, and all commands."""
    return {
        "t": "lists", "styles": state.styles, "dances": state.dances, "figures": state.figures,
        "cues": state.cues,
        "looks": [[name, title, swatches.get(name, [])] for name, title in state.looks], "bones": BONES,
        "commands": [
            [title, [[row.name, row.help, row.argument] for row in rows if row.name in REMOTE_COMMANDS]]
            for title, rows in GROUPS
        ],
    }  # fmt: skip


def describe_bodies(state: State) -> dict[str, Any] | None:
    """Where the dancers' joints are, in thousandths of a frame; None where the pack knows no joints."""
    if state.joints is None:
        return None
    joints = np.clip(np.nan_to_num(state.joints[:MOST_BODIES]), -1, 2) * 1000
    return {
        "t": "bodies",
        "joints": joints.astype(int).reshape(len(joints), -1).tolist(),
        "place": [round(float(place), 3) for place in state.place[:MOST_BODIES]],
    }


def find_swatches(looks: Iterable[Look]) -> dict[str, list[str]]:
    """Colours of each look as #rrggbb: behind the dancer, of the dancer, and the one that the page is lit in."""
    return {look.name: _find_swatch(look) for look in looks}


def _find_swatch(look: Look) -> list[str]:
    layers = [look.backdrop.stops, look.figure.stops, *([] if look.effects is None else [look.effects.stops])]
    colours = [tuple(row[1:4]) for stops in layers for row in stops if row[4] > 0.3]
    solid = [row for row in look.figure.stops if row[4] > 0.5]
    middle = look.backdrop.stops[len(look.backdrop.stops) // 2][1:4]
    vivid = max(colours, key=lambda colour: _vividness(*colour), default=(1.0, 1.0, 1.0))
    body = max(solid, key=lambda row: _vividness(*row[1:4]), default=[0, *vivid])[1:4]
    return [_hex(middle), _hex(body), _hex(vivid)]


def _vividness(red: float, green: float, blue: float) -> float:
    """Strong and light colours stand for a look better than dark and grey ones."""
    _, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    return value * (0.3 + saturation)


def _hex(colour: Iterable[float]) -> str:
    return "#" + "".join(f"{round(255 * min(max(float(part), 0.0), 1.0)):02x}" for part in colour)
