"""Genre: what kind of music this is. style_selector.py chooses by it which of a pack's styles is danced.

The *features* are some sixty numbers about the last quarter of a minute, all from the past and none of them minding the
volume: tempo; where within the beat and on which beats the bass, the middle and the treble strike (four on the floor,
backbeat, swing); how much is struck and how much held; brightness and bass share. A multinomial logistic regression
makes of them the shares of some genres. Its weights are numbers in a JSON file, which training/genre.py fits on music
rendered for the purpose; bench/genre.py says what it reaches.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
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
