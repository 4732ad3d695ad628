"""Dancers with an inside that need no trained pack: people of training/data/figures, as their renderer draws them."""

from __future__ import annotations

import numpy as np

from training.data.choreography import DANCES, perform
from training.data.figures import PARTS, Figure, Truth, draw_truths, load_people
from training.data.figures.reshape import reshape
from training.data.motion.body import project
from visualizer.dancer.formation import SPACING, span_of
from visualizer.dancer.pack import FRAME_SIZE, STEPS_PER_BEAT
from visualizer.errors import UserError
from visualizer.moment import Bodies, Inside
from visualizer.stage.looks import BAND

THREE = ("mira", "jules", "rosa")
THEIR_DANCES = ("hands in the air", "saturday cross point", "heart and reach")


def find_people(names: tuple[str, ...]) -> list[Figure]:
    """The figures of those names. UserError names those there are."""
    there = {figure.name: figure for figure in load_people()}
    for name in names:
        if name not in there:
            raise UserError(f"nobody is called {name}; there are {', '.join(there)}")
    return [there[name] for name in names]


def draw_people(people: list[Figure], dances: tuple[str, ...], beat: float) -> Bodies:
    """These people beside one another at a beat of their dances, which they take in turn; nothing on them sways."""
    known = {dance.name: dance for dance in DANCES}
    made, points = [], []
    for k, figure in enumerate(people):
        danced = perform(known[dances[k % len(dances)]], 0.9)
        step = round(beat * STEPS_PER_BEAT) % len(danced.positions)
        joints, hands = danced.positions[step : step + 1], danced.hands[step].reshape(1, 4)
        (truth,) = draw_truths(figure, joints, joints[:, 0, 0], np.zeros((1, 7), np.float32), hands)
        made.append(_unpack(truth, figure))
        points.append(project(reshape(joints, figure), joints[:, 0, 0]))
    count = len(people)
    place = ((np.arange(count) - (count - 1) / 2) * SPACING).astype(np.float32)
    frames = np.stack([frame for frame, _ in made])[:, None]
    joints = np.concatenate(points).astype(np.float32)
    return Bodies(frames, joints, place, span_of(count), insides=tuple(inside for _, inside in made))


def _unpack(truth: Truth, figure: Figure) -> tuple[np.ndarray, Inside]:
    field, normal, crease, parts = truth.unpacked()
    frame = np.full((FRAME_SIZE, FRAME_SIZE), BAND, np.float32)
    height, width = field.shape
    frame[truth.top : truth.top + height, truth.left : truth.left + width] = np.minimum(field / FRAME_SIZE, BAND)
    texts = [figure.colours[part] for part in PARTS]
    colours = np.array([[int(text[i : i + 2], 16) for i in (1, 3, 5)] for text in texts], np.uint8)
    return frame, Inside(truth.top, truth.left, normal, crease, parts, colours)
