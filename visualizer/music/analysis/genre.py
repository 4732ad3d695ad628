"""Genre: what kind of music this is, and which of a pack's styles suits it (`--style auto`).

Two steps, so that each can be judged alone. First the *features*: some sixty numbers about the last quarter of a
minute, all from the past and none of them minding the volume: tempo; where within the beat and on which beats the bass,
the middle and the treble strike (four on the floor, backbeat, swing); how much is struck and how much held; brightness
and bass share. A multinomial logistic regression makes of them the shares of some genres. Its weights are numbers in
a JSON file, which training/genre.py fits on music rendered for the purpose; bench/genre.py says what it reaches.

Then the *choice*: each genre has a list of dances that suit it, the best first. A style is worth what its places in
the lists of the genres heard are worth. The best is danced from the next phrase on, and stays for some phrases
whatever is heard; after two minutes another one that suits about as well has its turn.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import paths
from visualizer.errors import UserError
from visualizer.music.analysis.features import HOPS_A_SECOND, LAG, MELS, Features, Floats

MEMORY = 12.0  # seconds: time constant of all averages
EARLIEST = 6.0  # seconds of music with a beat before there is anything to say
SILENCE = -16.0  # nats, about -65 dBFS in the loudest mel band of late: below it there is no music
FALL, DEPTH = (
    6.0 / HOPS_A_SECOND,
    12.0,
)  # nats: how fast the loudest is forgotten, and what is too far below it to count
SLOW_FALL, BAND_DEPTH = 0.5 / HOPS_A_SECOND, 6.0  # the same of a band, in which only strong strokes count
BINS = 12  # places within a beat: holds quarters and thirds
BAR = 4  # beats over which strokes are gathered
COLOURS = 8  # groups of mel bands
BANDS = ((0, 8), (8, 36), (36, MELS))  # mel bands of kick, of snare and voices, of hats
TEMPI = (65, 80, 95, 110, 122, 135, 150, 172)  # BPM
TEMPO_WIDTH = 0.12  # octaves
LAGS = (3, 4, 6, 9, 12, 18, 24)  # bins after which a rhythm may come again: 1/4, 1/3, 1/2, 3/4, 1, 1 1/2 and 2 beats
PLACES = (0, 3, 4, 6, 8, 9)  # bins of the beat: on it, then 1/4, 1/3, 1/2, 2/3, 3/4

MEASURES = len(BANDS) + 6 + COLOURS  # numbers of a row

PHRASE = 8  # beats: the dancer's own phrases, at whose ends styles change
STAY = 32  # beats that a style is danced at least: four phrases
TIRED = 256  # beats after which another style has its turn; two minutes
MARGIN = 0.12  # by how much another style must suit better
SUITS = 0.6  # of the best style's score: what suits about as well

GenreScores = tuple[tuple[str, float], ...]  # genres and their shares, of sum 1; () where nothing is known

FLAVOUR = (
    *(f"near {bpm} BPM" for bpm in TEMPI),
    *(f"{band} at {place}/{BINS}" for band in ("bass", "middle", "treble") for place in PLACES),
    *(f"{band} again after {lag}/{BINS}" for band in ("bass", "middle", "treble") for lag in LAGS),
    "bass backbeat", "middle backbeat", "bass against middle", "bass on each beat",
    "density", "crest", "struck", "held", "bass share", "treble share",
    *(f"colour {k}" for k in range(COLOURS)),
)  # fmt: skip

# Who dances what to what: words of style names for each genre, the best first. Made by hand; there is no data set of
# what people dance at parties. A style is known by any word of its name, or by two in one: "street jazz" is "jazz",
# "hip hop" is "hiphop". Styles of a stranger's pack that nothing here names are never chosen.
DANCES = {
    "house": "house club shuffle disco waacking nineties party",
    "techno": "shuffle rave techno club hype robot house electro",
    "disco": "disco waacking house nineties party club sassy",
    "funk": "toprock locking lock funk disco robot hiphop nineties soul",
    "hiphop": "hiphop toprock krump popping breaking break robot tiktok hype street",
    "pop": "pop tiktok party sassy nineties club jazz",
    "rock": "twist rock hype party westcoast freestyle",
    "metal": "hype metal mosh emote party rock",
    "latin": "salsa latin samba mambo bachata merengue cumbia rumba sassy party",
    "swing": "charleston swing lindy broadway jazz tap jive westcoast twist",
    "blues": "westcoast blues twist swing country jazz",
    "reggae": "reggae dancehall freestyle emote westcoast party",
    "breaks": "toprock breaking break shuffle jungle hype hiphop",
    "bhangra": "bhangra indian bollywood party",
    "ballad": "modern contemporary lyrical ballet waltz jazz freestyle",
}
ANYTHING = ("freestyle", "party", "improvised")  # these go with any music, if with none especially well
BEST, STEP, LEAST, NEUTRAL = (
    1.0,
    0.07,
    0.5,
    0.3,
)  # worth of the first of a list, less for each place, at least; of ANYTHING


@dataclass(frozen=True)
class Weights:
    """The regression: genres (G), and for the features (F) their mean and spread, weight (G, F) and bias (G)."""

    genres: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def shares(self, flavour: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, F) -> (…, G), each row of sum 1."""
        scaled = np.clip((flavour - self.mean) / self.spread, -4, 4)  # nothing that is far out may decide alone
        score = scaled @ self.weight.T + self.bias
        power = np.exp(score - score.max(axis=-1, keepdims=True))
        return np.asarray(power / power.sum(axis=-1, keepdims=True), np.float64)

    def mix(self, flavour: NDArray[np.float64]) -> GenreScores:
        """The shares for one set of features (F), by name."""
        return tuple(zip(self.genres, self.shares(flavour).tolist(), strict=True))


def weights_file() -> Path:
    """Where the weights lie that ship with the program."""
    return paths.models() / "ear" / "taste.json"


def load_weights(path: Path) -> Weights:
    """UserError if the file is missing, is not JSON, or holds anything but the numbers it should."""
    try:
        info: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    genres = info.get("genres") if isinstance(info, dict) else None
    if not isinstance(genres, list) or not genres or not all(g in DANCES for g in genres):
        raise UserError(f"{path}: genres must be some of {', '.join(DANCES)}")
    if info.get("flavour") != list(FLAVOUR):
        raise UserError(f"{path}: is for another flavour of the program; train it again")
    shapes = {
        "mean": (len(FLAVOUR),), "spread": (len(FLAVOUR),),
        "weight": (len(genres), len(FLAVOUR)), "bias": (len(genres),),
    }  # fmt: skip
    arrays = {}
    for key, shape in shapes.items():
        try:
            arrays[key] = np.asarray(info.get(key), np.float64)
        except (TypeError, ValueError):
            arrays[key] = np.zeros(0)
        if arrays[key].shape != shape or not np.isfinite(arrays[key]).all():
            raise UserError(f"{path}: {key} must be finite numbers of shape {shape}")
    if not (arrays["spread"] > 0).all():
        raise UserError(f"{path}: spread must be more than 0")
    return Weights(tuple(genres), **arrays)


# --- what is heard -------------------------------------------------------------------------------------------------


class Strokes:
    """Rows of features -> what GenreFeatures gathers. Streaming; the same numbers for any block size."""

    def __init__(self) -> None:
        self._past = np.zeros((0, MELS), np.float32)  # the last LAG rows of mel
        self._past_bands = np.zeros((0, len(BANDS)))
        self._ceiling = np.full(1 + len(BANDS), -math.inf)  # nats: the loudest of late, of all mel bands and of BANDS
        self._groups = np.array_split(np.arange(MELS), COLOURS)

    def push(self, mel: Floats) -> Floats:
        """Mel bands (n, MELS) -> (n, MEASURES), NaN where there is silence.

        Strength of strokes in three bands; onset and its square; change in time, and along the spectrum; bass and
        treble share (natural logarithms); colour of the spectrum.
        """
        n = len(mel)
        if not n:
            return np.zeros((0, MEASURES), np.float32)
        bands = _band_levels(mel)
        slope = np.array([FALL] + [SLOW_FALL] * len(BANDS)) * np.arange(1, n + 1)[:, None]
        loudest = np.column_stack([mel.max(axis=1), bands]) + slope
        top = np.maximum.accumulate(np.concatenate([self._ceiling[None], loudest]))[1:] - slope
        self._ceiling = top[-1]
        mel, bands = np.maximum(mel, top[:, :1] - DEPTH), np.maximum(bands, top[:, 1:] - BAND_DEPTH)
        joined = np.concatenate([self._past if len(self._past) else np.repeat(mel[:1], LAG, axis=0), mel])
        struck = np.concatenate([self._past_bands if len(self._past) else np.repeat(bands[:1], LAG, axis=0), bands])
        self._past, self._past_bands = joined[-LAG:], struck[-LAG:]
        change = mel - joined[:n]
        onset = np.maximum(change, 0).mean(axis=1)
        shares = _band_levels(mel) - np.log(np.exp(mel).sum(axis=1, keepdims=True))
        colours = np.stack([mel[:, group].mean(axis=1) for group in self._groups], axis=1)
        values = np.column_stack([
            np.maximum(bands - struck[:n], 0),
            onset, onset**2,
            np.abs(change).mean(axis=1), np.abs(np.diff(mel, 2, axis=1)).mean(axis=1),
            shares[:, 0], shares[:, 2],
            colours - colours.mean(axis=1, keepdims=True),
        ])  # fmt: skip
        values[top[:, 0] < SILENCE] = np.nan
        return values.astype(np.float32)


def _band_levels(mel: Floats) -> NDArray[np.float32]:
    """(n, MELS) -> (n, 3): natural logarithm of the power in each of BANDS."""
    power = np.exp(mel)
    return np.log(np.stack([power[:, low:high].sum(axis=1) for low, high in BANDS], axis=1))


class GenreFeatures:
    """Exponential averages over the music of the last MEMORY seconds. The same numbers for any block size."""

    def __init__(self) -> None:
        self._keep = math.exp(-1 / (MEMORY * HOPS_A_SECOND))  # of all averages, from one row of music to the next
        self._rows = self._beaten = self._tempo = 0.0
        self._sound = np.zeros(MEASURES - len(BANDS))
        self._strokes = np.zeros((len(BANDS), BAR * BINS))
        self._visits = np.zeros(BAR * BINS)

    @property
    def seconds(self) -> float:
        """Of music with a beat, as far as it is remembered."""
        return self._beaten / HOPS_A_SECOND

    def push(self, values: Floats, places: NDArray[np.float64] | None, bpm: float) -> None:
        """Rows of Strokes, and the place of each in the music's own beats; None while there is no steady beat."""
        heard = ~np.isnan(values[:, 0])
        n = int(heard.sum())
        if not n:
            return
        decay, keep = np.power(self._keep, np.arange(n - 1, -1, -1), dtype=np.float64), self._keep**n
        strokes, sound = values[heard, : len(BANDS)], values[heard, len(BANDS) :]
        self._sound = self._sound * keep + decay @ sound
        self._rows = self._rows * keep + decay.sum()
        if places is None:
            return
        bins = np.floor(places[heard] % BAR * BINS + 0.5).astype(np.int64) % (BAR * BINS)
        self._beaten = self._beaten * keep + decay.sum()
        self._tempo = self._tempo * keep + decay.sum() * math.log2(bpm / 120)
        self._visits = self._visits * keep + np.bincount(bins, decay, BAR * BINS)
        for k in range(len(BANDS)):
            self._strokes[k] = self._strokes[k] * keep + np.bincount(bins, decay * strokes[:, k], BAR * BINS)

    def numbers(self) -> NDArray[np.float64]:
        """(F), in the order of FLAVOUR. Only after some music with a beat."""
        onset, square, struck, held, bass, treble = (self._sound[:6] / self._rows).tolist()
        colours = self._sound[6:] / self._rows
        away = (self._tempo / self._beaten - np.log2(np.array(TEMPI) / 120)) / TEMPO_WIDTH
        # Mean strength of a stroke in each place of the bar, a little blurred: people do not play on a grid.
        bar = self._strokes / np.maximum(self._visits, 1e-6)
        bar = (np.roll(bar, 1, axis=1) + 2 * bar + np.roll(bar, -1, axis=1)) / 4
        beats = bar.reshape(len(BANDS), BAR, BINS)
        within = beats.mean(axis=1)
        within = within / np.maximum(within.mean(axis=1, keepdims=True), 1e-6) - 1
        wave = bar - bar.mean(axis=1, keepdims=True)
        again = [(wave * np.roll(wave, lag, axis=1)).sum(axis=1) / ((wave**2).sum(axis=1) + 1e-9) for lag in LAGS]
        on = beats[:, :, 0]
        parity = on @ np.array([1, -1, 1, -1]) / np.maximum(on.sum(axis=1), 1e-6)
        return np.array([
            *np.exp(-0.5 * away**2),
            *within[:, PLACES].ravel(),
            *np.transpose(again).ravel(),
            abs(parity[0]), abs(parity[1]), parity[0] * parity[1], on[0].min() / max(on[0].mean(), 1e-6),
            math.log(onset + 1e-3), math.log(square / (onset**2 + 1e-9) + 1e-3), struck, held, bass, treble,
            *colours,
        ])  # fmt: skip


def places_of(rows: int, beat: float, bpm: float) -> NDArray[np.float64]:
    """Beats at which `rows` rows sounded, where the newest sample is at `beat` (see features.row_time)."""
    return beat - bpm / 60 / HOPS_A_SECOND * np.arange(rows + 1.0, 1.0, -1.0)


class GenreClassifier:
    """Genres of a live stream. For the hearing thread."""

    EVERY = 50  # rows from one verdict to the next

    def __init__(self, weights: Weights | None = None) -> None:
        """UserError if the weights that ship are missing or broken."""
        self.weights = load_weights(weights_file()) if weights is None else weights
        self._strokes, self._flavour = Strokes(), GenreFeatures()
        self._wait = 0
        self._mix: GenreScores = ()

    def push(self, rows: Features, beat: float, bpm: float, steady: bool) -> None:
        """New rows of sound; the music, at `bpm`, was at `beat` of its own beats with the newest sample.

        Without a steady beat only the sound is listened to, and while it lasts nothing new is said.
        """
        n = len(rows.power)
        self._flavour.push(self._strokes.push(rows.mel), places_of(n, beat, bpm) if steady else None, bpm)
        self._wait -= n
        if self._wait <= 0 and steady and self._flavour.seconds >= EARLIEST:
            self._wait = self.EVERY
            self._mix = self.weights.mix(self._flavour.numbers())

    @property
    def mix(self) -> GenreScores:
        """What it sounds like; () while there is nothing to say."""
        return self._mix


# --- what is danced ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Another style, and why: words for the screen."""

    style: str
    why: str


def words_of(style: str) -> frozenset[str]:
    """The words of a style's name, in small letters, and each two neighbours in one: "Hip-Hop" -> hip, hop, hiphop."""
    words = re.findall(r"[^\W_]+", style.casefold())
    return frozenset((*words, *(a + b for a, b in pairwise(words))))


def worth(genre: str, style: str) -> float:
    """How well a style suits a genre, 0..1."""
    words, dances = words_of(style), DANCES[genre].split()
    places = [k for k, dance in enumerate(dances) if dance in words]
    if places:
        return max(BEST - STEP * places[0], LEAST)
    return NEUTRAL if words & set(ANYTHING) else 0.0


class StyleSelector:
    """Which style is danced: the music's choice, at phrase ends only, and not too often."""

    def __init__(self, styles: tuple[str, ...]) -> None:
        self._styles = styles
        self._worth = {genre: np.array([worth(genre, style) for style in styles]) for genre in DANCES}
        self.never: frozenset[str] = frozenset()  # styles that nobody wants to see
        self.note: str | None = None  # for the screen, once
        if not any(values.any() for values in self._worth.values()):
            self.note = "no style of this pack is known to suit any music: it stays as it is"
        self._danced: dict[str, float] = {}  # style -> musical time at which it was last danced
        self._since: tuple[str, float] | None = None  # what is danced, and since when
        self._phrase: int | None = None

    def choose(self, style: str, beat: float, mix: GenreScores) -> Choice | None:
        """Another style, from now on, or None. `style` is danced now, at musical time `beat`.

        To be asked for each frame: it answers at the first of a phrase only. Nothing heard, nothing changed.
        """
        phrase = math.floor(beat / PHRASE)
        ended, self._phrase = self._phrase not in (None, phrase), phrase
        if self._since is None:
            self._since = (style, beat - STAY)  # by chance, so it need not stay
        elif self._since[0] != style:
            self._since = (style, beat)  # somebody chose it
        self._danced[style] = beat
        age = beat - self._since[1]
        if not ended or not mix or age < STAY or self.note:
            return None
        scores = self._scores(mix)
        best, now = int(np.argmax(scores)), self._styles.index(style)
        suited = [k for k in range(len(scores)) if scores[k] >= SUITS * scores[best]]
        if now not in suited:
            if scores[best] - scores[now] < MARGIN:
                return None
            chosen = best
        elif age >= TIRED and len(suited) > 1:
            others = [k for k in suited if k != now]
            chosen = min(others, key=lambda k: (self._danced.get(self._styles[k], -math.inf), -scores[k]))
        else:
            return None
        new = self._styles[chosen]
        self._since = (new, beat)
        return Choice(new, f"sounds like {max(mix, key=lambda pair: pair[1])[0]}")

    def suited(self, mix: GenreScores) -> tuple[str, ...]:
        """The styles that suit it about as well as the best; () if none is known to."""
        scores = self._scores(mix)
        return tuple(
            s for s, score in zip(self._styles, scores, strict=True) if score and score >= SUITS * scores.max()
        )

    def best(self, mix: GenreScores) -> str | None:
        """The style that suits it best, to begin with; None if nothing is known to suit it."""
        scores = self._scores(mix)
        return self._styles[int(np.argmax(scores))] if scores.any() else None

    def _scores(self, mix: GenreScores) -> NDArray[np.float64]:
        scores = sum((share * self._worth[genre] for genre, share in mix), np.zeros(len(self._styles)))
        return scores * [style not in self.never for style in self._styles]
