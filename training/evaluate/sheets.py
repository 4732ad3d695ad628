"""Contact sheets of a pack, to be opened and judged by eye."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.choreography import DANCES, Dance, perform
from training.data.dataset import Take, crop_centre, from_bytes
from training.data.motion.body import project, silhouettes
from training.evaluate.studio import waves
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, NamedDance, Pack
from visualizer.errors import UserError

Grey = NDArray[np.uint8]

Field = NDArray[np.float32]

ENERGY = 0.6

FILM_BPM = 120.0

HAIR = 204  # grey of the lines between cells

LABEL = 150  # pixels, left of each row
INK = (60, 60, 60)  # of writing


def _cell(field: Field | None, size: int) -> Grey:
    """Draw a field (H, H) as a dark figure on white, `size` pixels, with a thin line right and below; None: empty."""
    if field is None:
        cell = np.full((size, size), 255, np.uint8)
    else:
        # Averaged where the cell is smaller than the field, or thin arms would come and go.
        method = cv2.INTER_AREA if size < field.shape[0] else cv2.INTER_CUBIC
        small = cv2.resize(field.astype(np.float32), (size, size), interpolation=method)
        cell = (255 * np.clip(0.5 + small * size, 0, 1)).astype(np.uint8)
    return np.pad(cell, ((0, 1), (0, 1)), constant_values=HAIR)


def _grid(rows: Sequence[Sequence[Field | None]], size: int, labels: Sequence[str] | None = None) -> Grey:
    """Rows of fields -> one grey picture; with `labels`, a name at the left of each row."""
    lines = [np.concatenate([_cell(f, size) for f in row], axis=1) for row in rows]
    if labels is not None:
        for i, text in enumerate(labels):
            head = np.full((lines[i].shape[0], LABEL), 255, np.uint8)
            write_text(head, text, (4, 16))
            lines[i] = np.concatenate([head, lines[i]], axis=1)
    return np.concatenate(lines)


def write_text(picture: NDArray[np.uint8], text: str, at: tuple[int, int]) -> None:
    """Write text into the picture, a new line at "\\n"; characters that the font lacks are left out."""
    for k, line in enumerate(text.encode("ascii", "ignore").decode().split("\n")):
        place = (at[0], at[1] + 14 * k)
        cv2.putText(picture, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, INK, 1, cv2.LINE_AA)


def save_picture(path: Path, picture: NDArray[np.uint8]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _danced(dancer: Dancer, beats: Sequence[float], energy: Callable[[float], float]) -> list[Field]:
    """Fields (128, 128) of the first dancer at moments in rising order, the steps between taken beat by beat."""
    fields, now = [], 0.0
    for beat in beats:
        while now < beat - 1:  # a longer step would be taken for a stall of the program
            now += 1
            dancer.step_to(now, energy(now))
        now = beat
        dancer.step_to(beat, energy(beat))
        fields.append(dancer.picture(beat).frames[0, 0])
    return fields


def _even(beat: float) -> float:
    return ENERGY


def draw_sheets(pack: Pack, takes: list[Take], frames: Field, found: Field, folder: Path, seed: int) -> list[Path]:
    """Held-out frames above their reconstruction, `frames` and `found` (T, 1, 128, 128), and consecutive steps of
    six styles: sixteen of a held-out take of the style, where `takes` hold one, above 64 generated ones."""
    pick = np.linspace(0, len(frames) - 1, 32).astype(int)
    rows: list[list[Field]] = []
    for block in np.split(pick, 4):
        rows += [[frames[i, 0] for i in block], [found[i, 0] for i in block]]
    paths = [save_picture(folder / "reconstruction.png", _grid(rows, 192))]
    rng = np.random.default_rng(seed)
    for style in rng.choice(pack.styles, size=min(6, len(pack.styles)), replace=False):
        lead = PHRASE_BEATS
        steps = _danced(Dancer(pack, seed, str(style)), [lead + k / STEPS_PER_BEAT for k in range(64)], _even)
        rows = [steps[i : i + 16] for i in range(0, 64, 16)]
        names = [f"{style}\ngenerated" if i == 0 else "" for i in range(4)]
        real = [t for t in takes if t.style == style and t.timed and t.held_out and not t.mirrored and t.yaw == 0]
        if real and len(real[0]) >= 16:
            middle = (len(real[0]) - 16) // 2
            rows.insert(0, list(from_bytes(real[0].read("frames", slice(middle, middle + 16)))))
            names.insert(0, f"{style}\nreal, held out")
        paths.append(save_picture(folder / f"steps_{style}.png", _grid(rows, 96, names)))
    return paths


def written_frames(dance: Dance, beats: Sequence[float], energy: float = ENERGY) -> Field:
    """A written dance from the front at moments of its loop: (len(beats), 128, 128)."""
    positions = perform(dance, energy, STEPS_PER_BEAT).positions
    three = crop_centre(np.tile(positions, (3, 1, 1)))  # three rounds, so that the crop has no seam
    centre = three[len(positions) : 2 * len(positions)]
    at = np.round(np.asarray(beats) * STEPS_PER_BEAT).astype(int) % len(positions)
    return silhouettes(project(positions[at], centre[at]))[:, 0]


def _overlap(a: Sequence[Field | None], b: Sequence[Field]) -> float:
    """Mean intersection over union of two rows of figures, where both have one; 0 where none has."""
    pairs = [(x < 0, y < 0) for x, y in zip(a, b, strict=True) if x is not None]
    return float(np.mean([(x & y).sum() / max(1, (x | y).sum()) for x, y in pairs])) if pairs else 0.0


def captured_rows(takes: Sequence[Take], beats: int, columns: int) -> list[list[Field | None]]:
    """Rows of a captured dance: `columns` figures evenly over `beats` beats from the start of each phrase that is long
    enough, of every take. Where none is, one row of the first phrase, with None after its end."""
    rows: list[list[Field | None]] = []
    broken: list[list[Field | None]] = []
    length = beats * STEPS_PER_BEAT
    for take in takes:
        for start in range(take.phrase * STEPS_PER_BEAT, len(take), PHRASE_BEATS * STEPS_PER_BEAT):
            frames = take.read("frames", slice(start, start + length, max(1, length // columns)))[:columns]
            row = [*from_bytes(frames), *[None] * (columns - len(frames))]
            (rows if start + length <= len(take) else broken).append(row)
    return rows or broken[:1]


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out: figures in a row (of each half, where there are two), size of a figure in pixels, and
    rows in a picture."""

    columns: int = 8
    size: int = 72
    rows: int = 42


FILM = Layout(16, 96)


def draw_all_dances(
    pack: Pack, folder: Path, seed: int, captured: Mapping[str, Sequence[Take]] | None = None, layout: Layout = Layout()
) -> list[Path]:
    """Draw every dance of the pack, a row each: the real one at the left, the pack's on demand at the right.

    Real is what is written, or what the takes in `captured` show, by the name of the dance. Generated figures are
    taken after a phrase of lead-in, at the same beats of the loop as the written ones. A loop of sixteen beats may
    begin on either of two phrases, and a captured dance at any of its own: those that look most alike are shown.
    Where there is no real dance of a name, the left is empty.
    """
    rows: list[list[Field | None]] = []
    labels = []
    for dance in pack.dances:
        rows.append(_dance_row(pack, dance, seed, captured or {}, layout.columns))
        labels.append(dance.name.replace(" ", "\n", 1) if len(dance.name) > 20 else dance.name)
        labels[-1] += f"\n({pack.styles[dance.style]})"
    paths = []
    for number, first in enumerate(range(0, len(rows), layout.rows), 1):
        picture = _grid(rows[first : first + layout.rows], layout.size, labels[first : first + layout.rows])
        middle = LABEL + layout.columns * (layout.size + 1) - 1
        picture[:, middle - 1 : middle + 2] = 90  # between real and generated
        paths.append(save_picture(folder / f"dances_{number}.png", picture))
    return paths


def _dance_row(
    pack: Pack, dance: NamedDance, seed: int, captured: Mapping[str, Sequence[Take]], columns: int
) -> list[Field | None]:
    """A row of `draw_all_dances`: `columns` real figures, then as many generated ones."""
    known = {d.name: d for d in DANCES}
    moments = [k * dance.beats / columns for k in range(columns)]
    starts = range(PHRASE_BEATS, PHRASE_BEATS + max(PHRASE_BEATS, dance.beats), PHRASE_BEATS)
    dancer = Dancer(pack, seed, dance=dance.name)
    all_moments = sorted({start + m for start in starts for m in moments})
    fields = dict(zip(all_moments, _danced(dancer, all_moments, _even), strict=True))
    choices = [[fields[start + m] for m in moments] for start in starts]
    real: list[list[Field | None]] = []
    if dance.name in known:
        real = [[*written_frames(known[dance.name], moments)]]
    elif dance.name in captured:
        real = captured_rows(captured[dance.name], dance.beats, columns)
    empty: list[Field | None] = [None] * columns
    pairs = [(left, right) for left in real or [empty] for right in choices]
    left, right = max(pairs, key=lambda pair: _overlap(*pair))
    return [*left, *right]


def draw_film(pack: Pack, folder: Path, seed: int, seconds: float = 60.0, layout: Layout = FILM) -> Path:
    """Draw one improvised stretch, a figure every half second, energy rising and falling: `film.png`."""
    moments = [k * 0.5 * FILM_BPM / 60 for k in range(max(1, round(seconds / 0.5)))]
    fields: list[Field | None] = [*_danced(Dancer(pack, seed), moments, waves)]
    fields += [None] * (-len(fields) % layout.columns)
    rows = [fields[i : i + layout.columns] for i in range(0, len(fields), layout.columns)]
    labels = [f"{k * layout.columns / 2:g} s" for k in range(len(rows))]
    return save_picture(folder / "film.png", _grid(rows, layout.size, labels))
