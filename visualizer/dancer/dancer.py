"""The dancer at work: letters from one network, steps from the other, one step at a time in musical time.

The choreographer writes a letter, a half-beat move, once every half beat, one letter ahead of the body. The dancer
network turns the letter and the one that follows into latents, sixteen steps a beat. A frame between two steps
is decoded from latents interpolated between them, so the picture is as smooth as the screen is fast.

Whatever changes, changes with a letter: the next one that is written belongs to the new style, dance or sync, at
the same place in the phrase. The transition is the dancer network's; it was trained on such splices.

What is danced is planned in `planner.py`, where it is danced in `formation.py`, with whom in `sync.py`. Networks are
called through `calls.py`; what fails there is put right by `recovery.py`, a body that is stuck by `rescue.py`.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.messages import write_to_log
from visualizer.moment import Bodies

from .calls import Networks
from .camera import Camera
from .dressing import Dress, Dressing, plain_dress, turn_sway
from .foot_lock import FootLock
from .formation import Formation, stand
from .guests import Guests
from .pack import BEATS_PER_BAR, MOST_DANCERS, PHRASE_BEATS, STEPS_PER_BEAT, STEPS_PER_LETTER, Pack
from .planner import begin_plan, find_bodies
from .recovery import LastGood, Recovery
from .rescue import Rescue
from .rows import Rows, begin_rows
from .steps import LOOK_AHEAD, Step, Steps
from .sync import Sync
from .wardrobe import Wardrobe, figure_names, flat_figures
from .wishes import Wishes

FLAT = 0.01  # rows that are still so near to one another are one
LONGEST_GAP = PHRASE_BEATS * STEPS_PER_BEAT  # steps: after a longer stall the dance goes on from now, not catching up

_log = logging.getLogger(__name__)


def bar_phase(beat: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Where in the beat, the bar and the phrase: sin and cos of each. (…) beats -> (…, 6)."""
    turns = np.asarray(beat, dtype=np.float64)[..., None] / (1, BEATS_PER_BAR, PHRASE_BEATS)
    angle = 2 * np.pi * turns
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(*turns.shape[:-1], 6).astype(np.float32)


class Dancer(Wishes):
    """A troupe of N dancers out of one pack. The same seed and the same calls give the same dance. Many lines, for all
    that a show may ask of its dancers is asked here; what answers is in the files beside this one."""

    def __init__(
        self, pack: Pack, seed: int, style: str | None = None, troupe: int = 1, temperature: float = 1.0,
        dance: str | None = None, notify: Callable[[str], None] = write_to_log,
    ) -> None:  # fmt: skip
        """`temperature` makes the choreographer's choices tamer (below 1) or wilder (above). `dance` is a named dance,
        which has its style; None leaves it to a plan of phrases. `style` None starts with one that the seed picks.
        `notify` is told what goes wrong. Seven parameters, for each is a thing of its own that is asked for at the
        start. UserError for a style or dance that the pack has not learned, or a dance that is of another style.
        """
        _check_troupe(troupe)
        self.temperature = temperature
        self.letters_written: deque[int] = deque(maxlen=4096)  # of the first dancer, for measures
        # Noise is drawn for the largest troupe there can be, so that no dance depends on how many dance along.
        self._random = np.random.default_rng(seed)
        self._plan = begin_plan(pack, seed, style, dance, self._random)
        self._plan.resize(troupe)
        self._formation, self._camera = Formation(pack, troupe), Camera(seed, troupe)
        self._seed = seed
        self._wardrobe = Wardrobe(figure_names(pack.info), seed, troupe, flat_figures(pack.info))
        self._sync, self._steps, self._last_good, self._recovery = Sync(), Steps(), LastGood(), Recovery(pack, notify)
        self._guests = Guests(pack)
        self._step = -1  # the last step computed; its time is _step / STEPS_PER_BEAT
        self._renewed: int | None = None  # a seed that waits for the next letter
        self._begin(pack)

    def _begin(self, pack: Pack) -> None:
        """All begin with a pose out of that pack."""
        self.pack = pack
        self._networks = Networks(pack)
        self._guests = self._guests.follow(pack)
        self._rescue = Rescue(pack, len(self._plan))
        self._dressing, self._feet = Dressing(pack, len(self._plan)), FootLock(pack.body, len(self._plan))
        self._style_rows = np.eye(len(pack.styles), dtype=np.float32)
        count = max(1, len(pack.dances))
        self._dance_rows = np.eye(count + 1, count, dtype=np.float32)  # the last, which is also -1, is all zeros
        self._rows = self._begin_rows(range(len(self._plan)))

    @property
    def beat(self) -> float:
        """Musical time of the last step; minus infinity before the first."""
        return self._step / STEPS_PER_BEAT if self._steps else -math.inf

    @property
    def restarts(self) -> int:
        """Times a network failed."""
        return self._recovery.restarts

    @property
    def rescues(self) -> int:
        """Times a body that stood still or was lost was led on."""
        return self._rescue.count

    def reseed(self, seed: int) -> None:
        """Begin a new dance: from the next letter on other chance and another plan. The picture does not jump."""
        self._renewed = seed

    def set_troupe(self, troupe: int) -> None:
        """`troupe` dancers from now on. Those who stay dance on and make room; others slide in from beyond the right
        edge of the picture, or slide out there, dancing. Those on their way out turn round before others come."""
        _check_troupe(troupe)
        old = len(self._plan)
        home, depth = self._formation.admit(troupe, (s.seen for s in self._steps))
        if troupe <= old:
            return
        for each in (self._plan, self._camera, self._wardrobe, self._rescue, self._dressing, self._feet):
            each.resize(troupe)
        new = self._begin_rows(range(old, troupe))
        self._rows = self._rows.map(lambda a, b: np.concatenate([a, b]), new)
        self._steps.extend(self._camera.turn(self.pack.body, self._rows.latent)[old:], home, depth)

    # --- stepping

    def step_to(self, musical_time: float, energy: float = 0.5) -> None:
        """Run the networks step by step until the frame at `musical_time` (beats) can be drawn."""
        wanted = math.floor(musical_time * STEPS_PER_BEAT) + LOOK_AHEAD
        if wanted - self._step > LONGEST_GAP:
            # After a stall, or at the start of a clock that does not start at zero: same place in the phrase, no rush.
            phrases = (wanted - self._step - LOOK_AHEAD - 2) // (PHRASE_BEATS * STEPS_PER_BEAT)
            self._step += phrases * PHRASE_BEATS * STEPS_PER_BEAT
            self._plan.shift(phrases * PHRASE_BEATS)
        while self._step < wanted or not self._steps.whole:
            self._advance(energy)

    def _advance(self, energy: float) -> None:
        """One step of a sixteenth of a beat."""
        self._step += 1
        beat = self._step / STEPS_PER_BEAT
        energy = min(1.0, max(0.0, energy))
        if self._step % STEPS_PER_LETTER == 0:
            self._write_letters(beat, energy)
        rows, before = self._rows, self._rows.latent
        told = self._told(beat, energy)
        made = self._networks.step(told)
        rows.latent, rows.body, rows.before, rows.travel = made.latent, made.state, before.copy(), made.travel
        self._mend(made.failed)
        self._rescue.step(rows, before, self._step)
        seen, travel = self._guests.wear(rows.latent, self._camera.yaw), self._guests.still(made.travel)
        self._camera.step(self._step, self._sync.danced != "each")
        latent, travel = self._camera.see(self.pack.body, seen.copy(), travel)
        place = self._formation.step(latent, travel)
        way = self._camera.turn_back(self._formation.find_way(place, self._steps.last))
        held = self._feet.step(rows.latent.copy(), way)
        sway = self._dressing.step(
            self._guests.wear(held, self._camera.yaw), way, told["letter"], self.beat_seconds / STEPS_PER_BEAT
        )
        latent = self._camera.turn(self.pack.body, held)
        stands = self._formation
        sway = turn_sway(sway, self._camera.yaw) if self.pack.figures is not None else sway
        self._steps.append(Step(latent, place, stands.depth, stands.near, stands.seen, sway, self._dressing.hands))
        self._let_go()
        self._replace_pack()

    def _write_letters(self, beat: float, energy: float) -> None:
        """Move on to the next letter and have the choreographer write the one after it."""
        if self._renewed is not None:
            self._random = np.random.default_rng(self._renewed)
            self._plan.reseed(self._renewed)
            self._camera.reseed(self._renewed)
            self._renewed = None
        self._sync.begin_letter()
        rows, n = self._rows, len(self._plan)
        rows.letter, rows.dance, rows.style = rows.next_letter.copy(), rows.next_dance, rows.next_style
        self.letters_written.append(int(rows.letter[0]))
        coming = beat + STEPS_PER_LETTER / STEPS_PER_BEAT  # when what is written now will be danced
        rows.next_style = self._plan.style_row()
        rows.next_dance = self._plan.dance_row(coming, energy, find_bodies(self.pack, rows))
        noise = self._random.random((MOST_DANCERS, self.pack.letters), dtype=np.float32)[:n]
        noise[:, self.pack.crotch_letters] = 0  # hardly ever, whatever the network thinks of them
        made = self._networks.write(
            {
                "letter": rows.letter,
                "state": rows.choreography,
                **self._conditions(coming, energy, rows.next_style, rows.next_dance),
                "noise": noise,
                "temperature": np.full((n, 1), self.temperature, dtype=np.float32),
            }
        )
        rows.next_letter, rows.choreography = made.letter, made.state
        if self._guests.copycat.on:
            asked = self._guests.copycat.letter_at(self._step + STEPS_PER_LETTER)
            rows.next_dance = np.full(n, -1)
            rows.next_letter = made.letter if asked is None else np.full(n, asked)
        self._mend(made.failed)

    def _told(self, beat: float, energy: float) -> dict[str, NDArray[Any]]:
        """What the dancer network is told at a step."""
        rows, n = self._rows, len(self._plan)
        noise = self._random.standard_normal((MOST_DANCERS, self.pack.latent_size), dtype=np.float32)[:n]
        own = {
            "letter": rows.letter,
            "next_letter": rows.next_letter,
            "place": np.full((n, 1), self._step % STEPS_PER_LETTER / STEPS_PER_LETTER, dtype=np.float32),
            **self._conditions(beat, energy, rows.style, rows.dance),
        }
        told, noise = self._sync.share(own), self._sync.share_noise(noise)
        return {"latent": rows.latent, "state": rows.body, **told, "noise": noise}

    def _conditions(
        self, beat: float, energy: float, style: NDArray[np.int64], dance: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float32]]:
        return {
            "bar_phase": np.broadcast_to(bar_phase(beat), (len(style), 6)),
            "energy": self._rescue.urge(energy),
            "style": self._style_rows[style],
            "dance": self._dance_rows[dance],
        }

    def _begin_rows(self, numbers: range) -> Rows:
        """Rows of dancers who begin with a pose of the training data in the style in force."""
        plan = self._plan
        return begin_rows(self.pack, [plan.pick_seed(i) for i in numbers], [plan.style_of(i) for i in numbers])

    def _let_go(self) -> None:
        """Drop the leavers, the last first, who are out of every picture."""
        count, edge = len(self._plan), self._formation.edge
        while count > self.troupe and all(s.place[count - 1] > edge([s.seen]) for s in self._steps):
            count -= 1
        if count == len(self._plan):
            return
        self._rows = self._rows.map(lambda a: a[:count].copy())
        for each in (self._steps, self._formation):
            each.keep(count)
        for each in (self._plan, self._rescue, self._camera, self._wardrobe, self._dressing, self._feet):
            each.resize(count)

    # --- what goes wrong

    def _mend(self, failed: NDArray[np.bool_]) -> None:
        """Those (N,) whose networks failed begin again from a pose of the training data."""
        if not failed.any():
            return
        self._recovery.failed(self._step / STEPS_PER_BEAT, self._networks.reason)
        for i in np.flatnonzero(failed):
            self._rows.begin(int(i), self._plan.pick_seed(int(i)))
        self._rescue.forget(failed)
        self._feet.forget(failed)

    def _replace_pack(self) -> None:
        """A pack that has failed too often, or is too slow, gives way to the one that ships."""
        if self._networks.slow:
            self._recovery.slow(self._networks.slow)
        if not self._recovery.given_up or (pack := self._recovery.replace()) is None:
            return
        self._plan = self._plan.follow(pack)
        self._sync.forget()
        self._formation.follow(pack)
        self._wardrobe = self._wardrobe.follow(figure_names(pack.info), self._seed, flat_figures(pack.info))
        self._begin(pack)
        self._steps.replace_latents(self._camera.turn(self.pack.body, self._rows.latent))

    # --- drawing

    def between(self, musical_time: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Latents (N, D) and places (N,) at a moment between the steps; `step_to` must have reached it.

        Times outside the last step taken are held at its ends.
        """
        now = self.find_step(musical_time)
        return now.latent, now.place

    def picture(self, musical_time: float) -> Bodies:
        """Decode the troupe at `musical_time`, as `between` gives it."""
        now = self._guests.mix(self.find_step(musical_time), musical_time, self.beat_seconds, self.troupe)
        dress = Dress(self._wardrobe.weights(musical_time), now.sway, now.hands)
        bodies = self.draw(now.latent, now.place, now.seen, now.depth, dress)
        return dataclasses.replace(bodies, near=now.near) if now.near.any() else bodies

    def dress(self, sway: NDArray[np.float32], hands: NDArray[np.float32]) -> Dress:
        """The figures that the troupe are now, with that sway (N, 7) and those hands (N, 4)."""
        return Dress(self._wardrobe.weights(self.beat), sway, hands)

    def find_step(self, musical_time: float) -> Step:
        """All of the troupe at a moment between the steps, as `between` gives it."""
        if not self._steps:
            raise RuntimeError("step_to comes first")
        first = self._step - LOOK_AHEAD
        return self._steps.between(min(max(musical_time * STEPS_PER_BEAT - first, 0.0), 1.0))

    def draw(
        self, latent: NDArray[np.float32], place: NDArray[np.float32],
        seen: NDArray[np.floating] | None = None, depth: NDArray[np.floating] | None = None,
        dress: Dress | None = None,
    ) -> Bodies:  # fmt: skip
        """Decode latents (N, D) of dancers at places (N,); span, rise and deep are `seen`; None: as they stand. `dress`
        of those of a pack with figures; None: as they are, with nothing that sways.

        Those whose frames fail are shown as they were before. So are latents of another size, of a pack that was
        replaced.
        """
        if seen is None or depth is None:
            stood = stand(len(place), self.view)
            seen, depth = stood.seen, stood.depth
        span, rise, deep = map(float, seen)
        if latent.shape[1] != self.pack.latent_size:
            shown = self._last_good.hold(len(latent), joints=True)
        else:
            dress = dress or plain_dress(self._wardrobe.weights(self.beat), len(latent))
            shown = self._last_good.mend(self._networks.show(latent, dress, self.wants_inside))
            if len(shown.failed) == len(self._plan):
                self._mend(shown.failed)
            self._replace_pack()
        bodies = Bodies(shown.frame, shown.joints, place, span, insides=shown.insides)
        if deep < FLAT:
            return bodies
        return dataclasses.replace(bodies, depth=np.maximum(depth, 0), rise=rise, deep=deep)


def _check_troupe(troupe: int) -> None:
    if not 1 <= troupe <= MOST_DANCERS:
        raise UserError(f"a troupe has 1 to {MOST_DANCERS} dancers, not {troupe}")
