"""The show in the words of the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np

from tests.support.phones import lists_of, make_state, state_of
from visualizer.commands import COMMANDS
from visualizer.remote.controls import REMOTE_COMMANDS
from visualizer.remote.phone.describe import BONES, describe_bodies, describe_music, find_swatches
from visualizer.stage.looks import shipped_looks


def test_a_state_is_what_the_page_shows() -> None:
    shown = state_of(make_state(troupe="3", look="neon", blackout="on"))
    assert (shown["troupe"], shown["look"], shown["dark"], shown["style"]) == (3, "neon", True, "salsa")
    assert json.loads(json.dumps(shown)) == shown


def test_when_a_state_is_seen_is_said_from_now() -> None:
    state = make_state(beat=10.0)
    assert describe_music(state, state.time - 0.02)["at"] == 20.0
    assert describe_music(state, state.time)["beat"] == 10.0


def test_no_phone_ends_the_show() -> None:
    assert set(COMMANDS) - set(REMOTE_COMMANDS) == {"quit", "help"}
    named = {row[0] for _, rows in lists_of(make_state())["commands"] for row in rows}
    assert named == set(REMOTE_COMMANDS)


def test_joints_are_whole_numbers_whatever_a_network_says() -> None:
    state = make_state()
    assert describe_bodies(state) is None  # these dancers have none
    joints = np.full((2, 21, 2), 0.5, np.float32)
    joints[0, 0], joints[1, 3] = (np.nan, np.inf), (-1e30, 0.25)
    bodies = describe_bodies(replace(state, joints=joints, place=np.array([-0.5, 0.5], np.float32)))
    assert bodies is not None
    assert json.loads(json.dumps(bodies)) == bodies
    assert [len(each) for each in bodies["joints"]] == [42, 42]
    assert bodies["joints"][0][:2] == [0, 2000]
    assert bodies["joints"][1][6:8] == [-1000, 250]
    assert bodies["place"] == [-0.5, 0.5]


def test_bones_join_all_joints() -> None:
    assert {joint for bone in BONES for joint in bone} == set(range(21))


def test_each_look_has_three_colours() -> None:
    swatches = find_swatches(shipped_looks())
    assert set(swatches) == {look.name for look in shipped_looks()}
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for each in swatches.values() for colour in each)
    assert {len(each) for each in swatches.values()} == {3}
