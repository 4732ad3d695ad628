"""What remotes know of the show: one immutable `State`, published by the thread that draws, read by any other.

Where there is no remote, nothing is made: `Board.watched` is asked once a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.music.clock import BEATS_PER_BAR

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.show import Show


@dataclass(frozen=True, slots=True)
class State:
    """The show as one picture shows it. Names are those that the commands of the same name take."""

    time: float  # seconds on the show's clock at which the picture is seen
    style: str
    by_music: bool  # the music chooses the style
    dance: str | None  # danced now; None: improvised
    asked_dance: str | None  # that was chosen by name; None: as it comes
    look: str
    troupe: int
    sync: str
    temperature: float
    sensitivity: float  # steps
    auto: bool
    locked: bool
    dark: bool  # a blackout
    recording: bool
    energy: float  # 0..1, of the music, as danced
    loudness: float  # 0..1, this and the next three
    bass: float
    mid: float
    treble: float
    bpm: float
    beat: float  # musical time at `time`, beats since the start
    confidence: float  # 0..1 that the beat is the music's own
    source: str  # what listens
    styles: tuple[str, ...]
    dances: tuple[str, ...]  # of the style
    looks: tuple[tuple[str, str], ...]  # name and title
    joints: NDArray[np.float32] | None  # (N, 21, 2) frame coordinates of each dancer; not to be changed
    place: NDArray[np.float32]  # (N,) of each dancer on the stage, frame widths, 0 in the middle
    figure: str = ""  # who dances, where the pack has figures
    figures: tuple[str, ...] = ()
    title: str = ""  # text over the picture
    cues: tuple[str, ...] = ()  # names of the list that is played, in their order
    cue: int | None = None  # the number of the one that is on, from 0
    outputs: tuple[str, ...] = ()  # how each output to other programs is

    @property
    def beats(self) -> int:
        """Whole beats since the start."""
        return math.floor(self.beat)

    @property
    def bars(self) -> int:
        """Whole bars since the start."""
        return self.beats // BEATS_PER_BAR

    @property
    def phase(self) -> float:
        """Where in the beat, 0..1."""
        return self.beat - self.beats


class Board:
    """Where the latest state hangs. To read it is to read one reference, and so is to replace it."""

    def __init__(self) -> None:
        self.watched = False  # whether states are to be made
        self.state: State | None = None
        self._watchers: frozenset[str] = frozenset()

    def watch(self, watcher: str, watches: bool = True) -> None:
        """`watcher` wants to read states from now on, or no longer. For any thread, but one for each watcher."""
        self._watchers = self._watchers | {watcher} if watches else self._watchers - {watcher}
        self.watched = bool(self._watchers)


def describe_state(show: Show, moment: Moment, *, seen: float, source: str, recording: bool) -> State:
    """The state of a show that has just stepped to `moment`, which is `seen` at that many seconds.

    Call it before the next bodies are begun: it asks the dancers, who are waited for.
    """
    dancer, hearing, bodies = show.dancer, moment.hearing, moment.bodies
    return State(
        time=seen,
        style=dancer.style,
        by_music=show.style_selector is not None,
        dance=dancer.dance or dancer.danced[0],
        asked_dance=dancer.dance,
        look=show.look.name,
        troupe=dancer.troupe,
        sync=dancer.sync,
        temperature=dancer.temperature,
        sensitivity=show.sensitivity,
        auto=show.auto.on,
        locked=show.locked,
        dark=show.dark,
        recording=recording,
        energy=hearing.energy,
        loudness=hearing.loudness,
        bass=hearing.bass,
        mid=hearing.mid,
        treble=hearing.treble,
        bpm=hearing.bpm,
        beat=moment.musical_time,
        confidence=hearing.confidence,
        source=source,
        styles=dancer.known_styles,
        dances=dancer.dances,
        looks=show.looks.titles,
        joints=bodies.joints,
        place=bodies.place,
        figure=dancer.worn[0] if dancer.worn else "",
        figures=dancer.figures,
        cues=() if show.cues is None else show.cues.names,
        cue=None if show.cues is None else show.cues.number,
    )
