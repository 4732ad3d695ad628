"""Beats of footage: from the sound of the video, or else from the movement.

Either way a clip is resampled to sixteen steps a beat, like all training data.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from training.data.dataset import UNTIMED_BPM
from training.data.footage.smooth import smooth
from training.data.footage.video import Video
from training.data.motion.beats import find_beats
from visualizer.dancer.pack import FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT
from visualizer.errors import UserError
from visualizer.music.analysis.song import SongAnalysis, hear_song

FEWEST = 4  # beats that a clip must have to be danced in time
EVEN_RATE = 60.0  # positions a second from which beats are found
SOURCES = ("sound", "movement", "none")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Steps:
    """The steps of a clip: `times` (S,) seconds of the video, sixteen a beat. `phrase`: number of beats before the
    first phrase of eight. `source`: what the beats were found in; "none": steps at an even tempo. `bpm`: the tempo."""

    times: NDArray[np.float64]
    phrase: int
    source: str
    bpm: float

    @property
    def timed(self) -> bool:
        return self.source != "none"


def hear(video: Video) -> SongAnalysis | None:
    """Find the beats of the video's own sound; None where it has no sound or no beat. Errors go into the log."""
    if video.sound is None:
        return None
    try:
        song = hear_song(Path(video.path))
    except UserError as error:  # a silent track is common, and not an error
        _log.info("%s", error)
        return None
    return song if song.confidence > 0 else None


def steps_by_sound(song: SongAnalysis, video: Video, begin: float, end: float) -> Steps | None:
    """Steps of a clip from `begin` to `end`, seconds of the picture, by the beats of the song; None if too short."""
    assert video.sound is not None
    late = video.start - video.sound  # seconds of sound before the first picture
    at = np.arange(begin, end, 0.01)
    musical = np.array([song.musical_time(float(t) + late) for t in at])
    if len(musical) < 2:
        return None
    first, last = int(np.ceil(musical[0])), int(np.floor(musical[-1]))
    if last - first < FEWEST:
        return None
    step = first + np.arange((last - first) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
    times = np.interp(step, musical, at)
    return Steps(times, -first % PHRASE_BEATS, "sound", 60 * (last - first) / float(times[-1] - times[0]))


def steps_by_movement(
    joints: NDArray[np.float32], centre: NDArray[np.float64], times: NDArray[np.float64]
) -> Steps | None:
    """Steps of a clip by the braking of its joints (T, 21, 2), frame coordinates; `centre` (T,) metres of the crop,
    `times` (T,) seconds. None where there is no steady beat."""
    at = np.arange(times[0], times[-1], 1 / EVEN_RATE)
    joints = smooth(joints, (len(times) - 1) / (times[-1] - times[0]))
    metres = joints.astype(np.float64) * (FRAME_METRES, -FRAME_METRES)
    metres[..., 0] += centre[:, None]
    flat = PchipInterpolator(times, metres.reshape(len(times), -1))(at).reshape(len(at), -1, 2)
    positions = np.concatenate([flat, np.zeros((*flat.shape[:2], 1))], axis=-1).astype(np.float32)
    beats = find_beats(positions, EVEN_RATE)
    if not beats.steady or len(beats.times) <= FEWEST:
        return None
    moments = np.arange((len(beats.times) - 1) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
    found = PchipInterpolator(np.arange(len(beats.times)), beats.times)(moments)
    return Steps(times[0] + found, beats.phrase, "movement", beats.bpm)


def even_steps(times: NDArray[np.float64]) -> Steps:
    """Steps at an even, medium tempo, for a clip without a beat."""
    step = 60 / UNTIMED_BPM / STEPS_PER_BEAT
    return Steps(np.arange(times[0], times[-1], step), 0, "none", UNTIMED_BPM)
