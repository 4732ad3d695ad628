"""Guests in the troupe: people before the camera take the place of members, drawn as those are drawn.

The networks dance on meanwhile, as if nobody were there, so a guest who leaves, or is lost from sight, fades into that
dance within a beat, and back. What is mixed are bodies in space; packs whose bodies are flat (format 2) have no guests.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from .body_space import BodySpace
from .copycat import Copycat
from .guest_body import MOST_GUESTS, Floats, GuestBody, GuestFeed, mix_bodies
from .pack import FRAME_METRES, Pack
from .steps import Step

FADE_BEATS = 1.0
SOFT_SECONDS = 0.02  # time constant in which joints follow: pictures of the camera are fewer than ours
ROAM = 0.3  # frame widths that a guest alone on the stage may walk to either side
LONGEST_BEATS = 1.0  # between two pictures: what is longer was a pause


@dataclasses.dataclass
class _Place:
    """One who may be there: `share` 0..1 of the member's body that is theirs, before it is softened."""

    member: int | None = None
    share: float = 0.0
    body: GuestBody | None = None  # as it was shown last


class Guests:
    """Guests of a troupe. The thread that makes pictures calls; `feed` may be set from another."""

    def __init__(self, pack: Pack) -> None:
        self.feed: GuestFeed | None = None
        self._space: BodySpace | None = pack.body
        self.copycat = Copycat(pack)
        self._places = [_Place() for _ in range(MOST_GUESTS)]
        self._time: float | None = None  # beats, of the last picture
        self._shown: dict[int, tuple[float, NDArray[np.float32]]] = {}  # of members: share, and latent as it was seen

    def follow(self, pack: Pack) -> Guests:
        """The same feed with another pack."""
        if pack.body is self._space:
            return self
        made = Guests(pack)
        made.feed = self.feed
        return made

    @property
    def possible(self) -> bool:
        """Whether bodies of this pack can be mixed."""
        return self._space is not None

    @property
    def count(self) -> int:
        """How many are there now."""
        return sum(place.share > 0 for place in self._places)

    def still(self, travel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Travel (N, 2) without that of members who are guests: these go where they go."""
        out = travel.copy() if self._shown else travel
        for member, (share, _) in self._shown.items():
            if member < len(out):
                out[member] *= 1 - share
        return out

    def wear(self, latent: NDArray[np.float32], yaw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (N, D) in the room, those of guests as they were shown last: hair and clothes follow what is seen.
        `yaw` (N,) degrees, of the camera that sees the stage."""
        if self._space is None or not self._shown:
            return latent
        out = latent.copy()
        for member, (_, shown) in self._shown.items():
            if member < min(len(out), len(yaw)):
                out[member] = self._space.turn(shown[None], -yaw[member : member + 1])[0]
        return out

    def mix(self, step: Step, musical_time: float, beat_seconds: float, troupe: int) -> Step:
        """The stage at `musical_time`, beats, with the guests on it."""
        if self._space is None:
            return step
        passed = 0.0 if self._time is None else min(max(musical_time - self._time, 0.0), LONGEST_BEATS)
        self._time = musical_time
        feed = self.feed
        bodies = {} if feed is None else {body.slot: body for body in feed.look()}
        copying = self.copycat.follow(musical_time)
        for slot, place in enumerate(self._places):
            self._admit(place, bodies.get(slot), step, troupe)
            is_there = slot in bodies and place.member is not None and not copying
            place.share = min(max(place.share + (passed if is_there else -passed) / FADE_BEATS, 0.0), 1.0)
            if place.share == 0 and slot not in bodies:
                place.member = place.body = None
            elif slot in bodies:
                place.body = _soften(place.body, bodies[slot], passed * beat_seconds)
        self._shown = {}
        if all(place.share == 0 for place in self._places) and not self.copycat.share:
            self.copycat.record(musical_time, None)
            return step
        return self._draw(step, musical_time, troupe)

    def _draw(self, step: Step, musical_time: float, troupe: int) -> Step:
        space = self._space
        assert space is not None
        latent, at = step.latent.copy(), step.place.copy()
        joints = {}
        for place in self._places:
            if place.share == 0 or place.body is None or place.member is None or place.member >= len(latent):
                continue
            share, who = _ease(place.share), place.member
            own = space.joints(latent[who]).astype(np.float64)
            joints[who] = mix_bodies(own, place.body.joints, share, place.body.legs)
            self._shown[who] = share, latent[who]
            if troupe == 1:
                at[who] += share * np.clip(place.body.place / FRAME_METRES, -ROAM, ROAM)
        first = self._places[0]
        danced = first if first.share == 1 else next((p for p in self._places if p.share == 1), None)
        self.copycat.record(musical_time, None if danced is None else joints.get(danced.member or 0))
        if self.copycat.share:
            repeated = self.copycat.body(musical_time)
            for who in range(min(troupe, len(latent))):
                own = joints.get(who)
                own = space.joints(latent[who]).astype(np.float64) if own is None else own
                joints[who] = mix_bodies(own, repeated, _ease(self.copycat.share))
                before = self._shown[who][0] if who in self._shown else 0.0
                self._shown[who] = max(before, _ease(self.copycat.share)), latent[who]
        for who, body in joints.items():
            latent[who] = space.latents(body.astype(np.float32))
            self._shown[who] = self._shown[who][0], latent[who].copy()
        return dataclasses.replace(step, latent=latent, place=at)

    def _admit(self, place: _Place, body: GuestBody | None, step: Step, troupe: int) -> None:
        """Give somebody who has come the place of a member: of those in the middle of the front, on their side."""
        if place.member is not None and place.member >= troupe:
            place.member, place.share = None, 0.0
        if body is None or place.member is not None:
            return
        taken = [other for other in self._places if other.member is not None]
        order = sorted(range(troupe), key=lambda k: (round(float(step.depth[k])), abs(float(step.place[k])), k))
        front = sorted(order[:MOST_GUESTS], key=lambda k: float(step.place[k])) if taken else order[:1]
        free = [k for k in front if all(other.member != k for other in taken)]
        if free:
            place.member = free[0]


def _ease(share: float) -> float:
    """Begins and ends gently."""
    return share * share * (3 - 2 * share)


def _soften(before: GuestBody | None, now: GuestBody, seconds: float) -> GuestBody:
    """A body that is on its way from where it was to where it is."""
    if before is None:
        return now
    share = 1 - math.exp(-seconds / SOFT_SECONDS)
    joints: Floats = before.joints + share * (now.joints - before.joints)
    place = before.place + share * (now.place - before.place)
    return GuestBody(now.slot, joints, place, before.legs + share * (now.legs - before.legs))
