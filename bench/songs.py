"""How well beats are found in songs that are heard whole, as for a film, beside librosa.

    python -m bench.songs DIR

DIR as for bench.ear: sounds and an index.json with their beats. The same marks, from the first second on: there is no
warm-up for those who know the end. `librosa` is its beat tracker as it comes; `librosa, fed` has rises of the bass
added to the onsets, and its beats are smoothed: this program heard songs so before it had its own network. The table
ends with what a song costs that is remembered, and at how many true downbeats a bar of the dance begins.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.ear_clips import Clip, read_clips
from bench.ear_marks import HEADINGS, Called, row
from visualizer.errors import UserError
from visualizer.music.analysis import analysis_cache
from visualizer.music.analysis import song as songs
from visualizer.music.analysis.features import HOP, HOPS_A_SECOND, RATE, Features, FeatureStream, Floats, row_time
from visualizer.music.analysis.song import SongAnalysis, hear_song


def as_it_comes(clip: Clip) -> Called:
    """librosa on the sound itself."""
    begun = time.process_time()
    _, beats = librosa.beat.beat_track(y=clip.samples, sr=RATE, units="time")
    return Called(np.asarray(beats), None, None, (time.process_time() - begun) / clip.seconds)


def fed(clip: Clip) -> Called:
    """librosa with onsets and rises of the bass of our features; beats smoothed."""
    begun = time.process_time()
    rows = FeatureStream().push(clip.samples)
    strength = np.zeros(len(rows.onset))
    for weight, curve in ((1.0, flat(rows.onset)), (1.5, flat(kicks(rows)))):
        strength += weight * curve / (curve.std() + 1e-9)
    _, found = librosa.beat.beat_track(
        onset_envelope=strength, sr=RATE, hop_length=HOP, start_bpm=125, tightness=300, trim=False
    )
    beats = np.asarray(row_time(np.asarray(found, float)))
    beats = songs._smooth(beats) if len(beats) > 3 else beats
    return Called(beats, None, None, (time.process_time() - begun) / clip.seconds)


def kicks(rows: Features) -> Floats:
    amplitude = np.sqrt(np.concatenate([rows.bands[:1, 0], rows.bands[:1, 0], rows.bands[:, 0]]))
    return np.maximum(amplitude[2:] - amplitude[:-2], 0)


def flat(curve: Floats) -> NDArray:
    """What is above the mean of the second about it, in units of it."""
    mean = np.convolve(curve, np.ones(round(HOPS_A_SECOND)) / HOPS_A_SECOND, "same")
    return np.maximum(curve - mean, 0) / (mean + curve.mean() + 1e-9)


def bars_right(clip: Clip, heard: SongAnalysis) -> float:
    """Share of the true downbeats at which a bar of the music begins in the dance, within a tenth of a beat."""
    places = np.array([heard.musical_time(float(t)) / heard.factor for t in clip.downbeats])
    return float(np.mean(np.abs((places + 2) % 4 - 2) < 0.1)) if len(places) else math.nan


def main() -> None:
    """Hear and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    folder = parser.parse_args().folder
    clips = read_clips(folder)
    librosa.beat.beat_track(y=clips[0].samples[: 5 * RATE], sr=RATE)  # compiles
    ours, again, right = [], [], []
    with tempfile.TemporaryDirectory() as shelf_folder:
        analysis_cache.folder = lambda: Path(shelf_folder)
        hear_song(folder / clips[0].name)  # compiles
        next(Path(shelf_folder).glob("*.heard")).unlink()
        for clip in track(clips, "listening", console=Console(stderr=True)):
            songs._hear.cache_clear()
            begun = time.process_time()
            heard = hear_song(folder / clip.name)
            beats = heard.beats if heard.confidence else np.zeros(0)
            ours.append(Called(beats, heard.downbeats, None, (time.process_time() - begun) / clip.seconds))
            right.append(bars_right(clip, heard))
            songs._hear.cache_clear()
            begun = time.process_time()
            hear_song(folder / clip.name)
            again.append((time.process_time() - begun) / clip.seconds)
    table = Table(*HEADINGS, box=None, pad_edge=False)
    table.add_row(*row("ours, whole", clips, ours, 0.0))
    table.add_row(*row("librosa", clips, [as_it_comes(clip) for clip in clips], 0.0))
    table.add_row(*row("librosa, fed", clips, [fed(clip) for clip in clips], 0.0))
    Console(width=190).print(table)
    print(f"remembered: {np.mean(again):.5f} s of CPU a second of song")
    print(f"downbeats at which a bar of the dance begins: {np.nanmean(right):.2f}, chance 0.25")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"bench.songs: {error}") from None
