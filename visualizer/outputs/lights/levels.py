"""What the lamps do at a moment: a pulse on the beat, the energy of the music, the look's colours; off in a blackout.

Lamps that strobe are worse than a screen that does: no more than three flashes begin in a second, whatever the music,
keys or phones want, over all lamps together (the limit of ITU-R BT.1702 and WCAG 2.3.1). Colours change slowly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from visualizer.outputs.lights.fixtures import COLOURS, Fixture, LightMap
from visualizer.remote.state import State

MOST_FLASHES = 3  # that begin within a second
WINDOW = 1.1  # seconds that count as one; three beats of the fastest dance, 160 BPM, take longer
SUDDEN, SLIGHT = 0.25, 0.02  # rises of brightness that are shown at once, and that wait for a beat
PAUSE = 0.6  # seconds without any, after which they wait no longer
COLOUR_SLEW = 0.5  # of a channel's way a second
ENERGY_SLEW = 0.4
FADE_SECONDS = 0.5  # into a blackout, as of the picture's
REST, BEAT = 0.15, 0.85  # brightness between two beats, and what a beat adds
BLACK = (0.0, 0.0, 0.0)

Colour = tuple[float, float, float]  # red, green, blue, 0..1


class FlashLimit:
    """Lamps become brighter together, and at no more than `MOST_FLASHES` moments within a second; darker at any time.

    So no more flashes than that can begin, however lamps are counted.
    """

    def __init__(self, count: int) -> None:
        self._shown = [0.0] * count
        self._rises: deque[float] = deque(maxlen=MOST_FLASHES)  # when they last became brighter, seconds

    def pass_on(self, wanted: Sequence[float], now: float) -> list[float]:
        """Brightness of each lamp, 0..1, that is shown at `now`, seconds: no more than is wanted."""
        rise = max((a - b for a, b in zip(wanted, self._shown, strict=True)), default=0.0)
        waited = not self._rises or now - self._rises[-1] >= PAUSE
        full = len(self._rises) == MOST_FLASHES and now - self._rises[0] < WINDOW
        if (rise >= SUDDEN or (rise >= SLIGHT and waited)) and not full:
            self._rises.append(now)
            self._shown = list(wanted)
        else:
            self._shown = [min(a, b) for a, b in zip(wanted, self._shown, strict=True)]
        return self._shown


class Lamps:
    """The lamps of a map from one moment to the next."""

    def __init__(self, lights: LightMap, swatches: Mapping[str, Sequence[str]]) -> None:
        """`swatches`: the colours of each look as #rrggbb, in the order of `COLOURS`."""
        self._map = lights
        self._swatches = {name: tuple(map(read_colour, found)) for name, found in swatches.items()}
        self._limit = FlashLimit(len(lights.fixtures))
        self._colours: list[Colour] = [BLACK] * len(lights.fixtures)
        self._energy, self._light = 0.0, 0.0  # as shown; 0: a blackout
        self._last: float | None = None
        self._look = ""

    def step(self, state: State, now: float) -> dict[int, bytearray]:
        """All 512 channels of each universe at `now`, seconds on the show's clock."""
        passed = 0.0 if self._last is None else min(max(now - self._last, 0.0), 0.5)
        self._last = now
        self._energy = approach(self._energy, state.energy, ENERGY_SLEW * passed)
        # Back at once: a fade would be several rises, and the next beats would have to wait.
        self._light = max(self._light - passed / FADE_SECONDS, 0.0) if state.dark else 1.0
        beat = state.beat + (now - state.time) * state.bpm / 60
        follows = {"beat": REST + BEAT * find_pulse(beat), "energy": self._energy, "steady": 1.0}
        wanted = [each.most * self._light * follows[each.follow] for each in self._map.fixtures]
        levels = self._limit.pass_on(wanted, now)
        frames = {universe: bytearray(512) for universe in self._map.universes}
        for k, (each, level) in enumerate(zip(self._map.fixtures, levels, strict=True)):
            self._colours[k] = self._find_colour(k, each, state.look, COLOUR_SLEW * passed)
            frames[each.universe][each.address - 1 : each.address - 1 + len(each.channels)] = find_channels(
                each, self._colours[k], level
            )
        return frames

    def _find_colour(self, k: int, fixture: Fixture, look: str, step: float) -> Colour:
        found = self._swatches.get(look)
        if found is None:
            return self._colours[k]
        wanted, now = found[COLOURS.index(fixture.colour)], self._colours[k]
        if now is BLACK:  # the first
            return wanted
        red, green, blue = (approach(a, b, step) for a, b in zip(now, wanted, strict=True))
        return red, green, blue


def approach(value: float, wanted: float, step: float) -> float:
    """`wanted`, or as near to it as one step leads."""
    return min(max(wanted, value - step), value + step)


def find_pulse(beat: float) -> float:
    """How bright a beat is, 1 where it falls and 0 where the next is due; the first of a bar stays longer."""
    place = beat % 1.0
    return (1 - place) ** (2 if int(beat) % 4 == 0 else 3)


def read_colour(text: str) -> Colour:
    """ "#ff8000" -> (1, 0.5, 0), as light: lamps have no gamma, so that dark parts are darker than in the picture."""
    red, green, blue = (int(text[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red**2, green**2, blue**2


def find_channels(fixture: Fixture, colour: Colour, level: float) -> bytes:
    """The channels of a lamp in their order. Where it has a dimmer that alone is the brightness."""
    has_dimmer = "dimmer" in fixture.channels
    scale = 1.0 if has_dimmer else level
    parts = {"red": colour[0], "green": colour[1], "blue": colour[2], "white": min(colour)}
    return bytes(
        each if isinstance(each, int) else round(255 * (level if each == "dimmer" else scale * parts[each]))
        for each in fixture.channels
    )
