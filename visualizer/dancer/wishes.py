"""What can be asked of a troupe, and what it says of what it dances."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from visualizer.errors import UserError

from .camera import Camera
from .formation import Formation
from .guest_body import GuestFeed
from .guests import Guests
from .pack import STEPS_PER_BEAT, STEPS_PER_LETTER, Pack
from .planner import TroupePlanner, find_dance, find_suited, split_styles
from .rows import Rows
from .steps import Steps
from .sync import Sync
from .wardrobe import LONG_AGO, Wardrobe, flat_figures


class Wishes:
    """Wishes go to the plan, the sync and the formation of a troupe; the dancer, who steps, makes those."""

    pack: Pack
    beat_seconds: float = 0.5  # that a beat lasts: hair swings as fast as it is long, whatever the tempo
    wants_inside: bool = False  # whether pictures are to say what is inside of the dancers, where the pack has figures
    _plan: TroupePlanner
    _sync: Sync
    _formation: Formation
    _rows: Rows
    _steps: Steps
    _camera: Camera
    _wardrobe: Wardrobe
    _step: int
    _guests: Guests

    @property
    def style(self) -> str:
        """Name of the style that is danced now, or from the next letter on; the first dancer's if there are several."""
        return self._plan.names[0]

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles that the dancers have in turn."""
        return self._plan.names

    @property
    def known_styles(self) -> tuple[str, ...]:
        """Names of all styles that may be asked for: those of the first pack, also where another had to take over."""
        return self._plan.known_styles

    @property
    def dance(self) -> str | None:
        """Name of the dance that was asked for; None: as it comes."""
        return None if self._plan.dance is None else self.pack.dances[self._plan.dance].name

    @property
    def dances(self) -> tuple[str, ...]:
        """Names of the dances of the style."""
        return tuple(d.name for d in self.pack.dances if d.style == self._plan.styles[0])

    def dances_for(self, energy: float) -> tuple[str, ...]:
        """Names of the dances of the style that suit music of that energy, 0..1; see `planner.find_suited`."""
        of_style = [i for i, d in enumerate(self.pack.dances) if d.style == self._plan.styles[0]]
        return tuple(self.pack.dances[i].name for i in find_suited(self.pack.dances, of_style, energy))

    @property
    def danced(self) -> tuple[str | None, ...]:
        """Name of the dance of each own letter that is danced now; None: improvised."""
        return tuple(self.pack.dances[i].name if i >= 0 else None for i in self._rows.dance[: self.troupe])

    @property
    def troupe(self) -> int:
        """How many dance. A picture may have more: those who leave are drawn until they are out of sight."""
        return self._formation.troupe

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures that the dancers can be; none if the pack's dancers are flat."""
        return self._wardrobe.figures

    @property
    def people(self) -> tuple[str, ...]:
        """Those of the figures that are no silhouettes; all where there are only silhouettes."""
        flat = flat_figures(self.pack.info)
        return tuple(name for name in self.figures if name not in flat) or self.figures

    @property
    def worn(self) -> tuple[str, ...]:
        """The figure of each dancer of the troupe; none if the pack's dancers are flat."""
        return self._wardrobe.worn[: self.troupe]

    @property
    def sync(self) -> str:
        """One of SYNCS. The first dancer leads all but "each"."""
        return self._sync.asked

    @property
    def view(self) -> float:
        """Width by height of the window, if it was set: how far off the wings are, and how a troupe stands."""
        return self._formation.view

    @view.setter
    def view(self, view: float) -> None:
        self._formation.set_view(view, begun=len(self._steps) > 0)

    def set_style(self, style: str) -> None:
        """Another style from the next letter on, or several as in "salsa,ballet"; see `set_styles`."""
        self._plan.set_styles(split_styles(style, self._plan.known_styles))

    def set_styles(self, styles: Iterable[str]) -> None:
        """The styles that the dancers have in turn, from the next letter on: the first, the second, and so round.

        In unison and canon all dance as the first does. UserError if the pack has not learned one, or for none.
        """
        self._plan.set_styles(styles)

    def set_dance(self, dance: str | None) -> None:
        """A named dance, and its style, from the next letter on; None: as it comes. UserError for an unknown one."""
        self._plan.set_dance(None if dance is None else find_dance(self.pack, dance))

    def set_figures(self, names: Iterable[str]) -> None:
        """The figures that the dancers are in turn, within a beat, or at once before the first step. UserError for one
        that the pack does not have."""
        self._wardrobe.wear(names, self._step / STEPS_PER_BEAT if self._step >= 0 else LONG_AGO)

    def set_sync(self, sync: str) -> None:
        """One of SYNCS from the next letter on: each their own, all as the first, or one after the other."""
        self._sync.ask(sync)

    def set_never(self, dances: Collection[str]) -> None:
        """Dances that come only if they are asked for by name; names that the pack does not have are ignored."""
        self._plan.set_never(dances)

    def set_held(self, held: bool) -> None:
        """Whether all go on with what they dance, until asked for something else."""
        self._plan.set_held(held)
        self._camera.held = held

    def set_camera(self, moves: bool, yaw: float = 0.0) -> None:
        """Whether the camera walks round by itself at phrase ends, and from where it sees the troupe before, degrees.
        Of packs whose bodies are flat nothing of it is seen."""
        self._camera.moves, self._camera.asked = moves, yaw

    @property
    def guests(self) -> int:
        """How many of the troupe are guests from before a camera."""
        return self._guests.count

    def watch(self, feed: GuestFeed | None) -> None:
        """Guests out of `feed` dance in the place of members; None: no more. UserError where bodies are flat."""
        if feed is not None and not self._guests.possible:
            raise UserError(f"the dancers of the pack {self.pack.name} are flat: guests need a pack of format 3")
        self._guests.feed = feed
        if feed is not None:
            self._guests.copycat.prepare()

    @property
    def copies(self) -> bool:
        """Whether the troupe repeats, or varies, what a guest has danced."""
        return self._guests.copycat.on

    def copy_guest(self, copies: bool) -> None:
        """Repeat what a guest has danced for the last eight beats, and vary it; or no longer. UserError where none has
        danced for so long."""
        if copies:
            self._guests.copycat.begin()
        else:
            self._guests.copycat.end()

    def leap(self, beats: float) -> None:
        """Musical time goes ahead at once by `beats`, a multiple of half a beat; nothing is danced meanwhile. What
        comes next is danced as at its new place in the phrase."""
        self._step += round(2 * beats) * STEPS_PER_LETTER
        self._plan.shift(beats)
