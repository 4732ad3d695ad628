"""The written dances: bodies that are whole, feet that grip, accents on the beat, and no dance twice."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.choreography import DANCES, Dance, Performance, perform
from training.data.choreography.crotch import before_crotch, rests_before_crotch
from training.data.choreography.distinct import distances, distinctness, laid_out
from training.data.choreography.ease import Keys, tween
from training.data.choreography.notation import flip_arms, flip_body, flip_legs, parse
from training.data.motion.skeleton import BONE, INDEX, PARENT, mirror

STEPS = 16
each_dance = pytest.mark.parametrize("dance", DANCES, ids=lambda d: d.name)


@functools.cache
def performed(dance: Dance, energy: float = 0.5, seed: int | None = None) -> Performance:
    return perform(dance, energy, STEPS, seed=seed)


def variants(dance: Dance) -> list[Performance]:
    return [performed(dance), performed(dance, 0.0), performed(dance, 1.0), performed(dance, 0.8, 5)]


def speed(positions: np.ndarray) -> np.ndarray:
    """Mean joint speed (frames,) in metres a beat, from each frame to the next, round the loop."""
    return np.linalg.norm(np.roll(positions, -1, 0) - positions, axis=-1).mean(-1) * STEPS


def slips(performance: Performance) -> np.ndarray:
    """How far the better nailed end of each planted foot moves from frame to frame, metres."""
    out = []
    for side, name in enumerate(("left", "right")):
        down = performance.contacts[:, side]
        both = down & np.roll(down, -1)
        ends = [performance.positions[:, INDEX[f"{name}_{end}"]] for end in ("ankle", "toe")]
        moved = [np.linalg.norm(np.roll(p, -1, 0) - p, axis=-1)[both] for p in ends]
        out.append(np.minimum(*moved))
    return np.concatenate(out)


def test_there_are_many_dances_in_many_styles() -> None:
    assert len(DANCES) >= 210
    styles = Counter(d.style for d in DANCES)
    assert set(styles) == {
        "club", "hiphop", "house", "disco", "pop", "salsa", "shuffle", "robot", "charleston", "jazz", "bhangra",
        "toprock", "twist", "party", "emote",
    }  # fmt: skip
    assert min(styles.values()) >= 8
    assert len({d.name for d in DANCES}) == len(DANCES)
    assert {d.beats for d in DANCES} <= {8, 16}


@each_dance
def test_bones_keep_their_length(dance: Dance) -> None:
    for p in variants(dance):
        assert p.positions.dtype == np.float32
        assert p.positions.shape == (dance.beats * STEPS, 21, 3)
        assert np.isfinite(p.positions).all()
        for joint, parent in PARENT.items():
            length = np.linalg.norm(p.positions[:, INDEX[joint]] - p.positions[:, INDEX[parent]], axis=-1)
            assert np.abs(length - BONE[joint.split("_")[-1]]).max() < 1e-5, joint


@each_dance
def test_planted_feet_do_not_move(dance: Dance) -> None:
    for p in variants(dance):
        assert slips(p).max() < 1e-6
        assert p.contacts.mean() > 0.15, "a dancer who hardly ever stands"


def test_the_slip_measure_sees_a_slide() -> None:
    p = performed(DANCES[0])
    drift = p.positions + np.linspace(0, 0.1, len(p.positions), dtype=np.float32)[:, None, None]
    assert slips(replace(p, positions=drift)).max() > 1e-4


@each_dance
def test_feet_stay_above_the_floor(dance: Dance) -> None:
    for p in variants(dance):
        toes = p.positions[:, [INDEX["left_toe"], INDEX["right_toe"]], 1]
        ankles = p.positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 1]
        assert toes.min() > 0.03 - 1e-4
        assert ankles.min() > 0.08 - 1e-4


@each_dance
def test_knees_stay_above_the_floor(dance: Dance) -> None:
    for p in variants(dance):
        assert p.positions[:, [INDEX["left_knee"], INDEX["right_knee"]], 1].min() > 0.15


@each_dance
def test_no_hand_rests_before_the_crotch(dance: Dance) -> None:
    for p in variants(dance):
        found = rests_before_crotch(p.positions, STEPS)
        assert not found.any(), f"at beats {np.unique(np.flatnonzero(found.any(-1)) // STEPS)}"


def standing(arms: str) -> np.ndarray:
    return perform(Dance("standing", "club", "Ls1+Rs1 . . .", arms=arms, groove=""), 1.0).positions


def test_a_hand_before_the_crotch_is_found_in_the_picture() -> None:
    joints = standing("loose")
    assert not before_crotch(joints).any()
    middle = 0.5 * (joints[:, INDEX["left_hip"]] + joints[:, INDEX["right_hip"]])
    for depth in (0.3, -0.3):  # a silhouette does not tell before from behind
        low = joints.copy()
        low[:, INDEX["left_wrist"]] = middle + np.array([0.1, -0.05, depth])
        low[:, INDEX["left_hand"]] = middle + np.array([0.0, -0.2, depth])
        assert before_crotch(low)[:, 0].all()
        assert not before_crotch(low)[:, 1].any()
        np.testing.assert_array_equal(before_crotch(low[..., :2]), before_crotch(low))
        assert rests_before_crotch(low, STEPS)[:, 0].all()
        # A hand that swings through from side to side is no rest.
        swing = low.copy()
        to_and_fro = 0.6 * np.sin(2 * np.pi * np.arange(len(low)) / STEPS)
        swing[:, [INDEX["left_wrist"], INDEX["left_hand"]], 0] += to_and_fro[:, None]
        assert before_crotch(swing)[:, 0].any()
        assert not rests_before_crotch(swing, STEPS).any()


@each_dance
def test_knees_bend_forwards_and_legs_are_never_locked(dance: Dance) -> None:
    for p in variants(dance):
        hips = p.positions[:, INDEX["left_hip"]] - p.positions[:, INDEX["right_hip"]]
        for side in ("left", "right"):
            hip, knee, ankle, toe = (p.positions[:, INDEX[f"{side}_{j}"]] for j in ("hip", "knee", "ankle", "toe"))
            thigh, shin = knee - hip, ankle - knee
            # The hinge of a knee that bends forwards points to the dancer's left: thigh x shin against hip or foot.
            hinge = np.cross(thigh, shin)
            heading = (toe - ankle) * [1, 0, 1]
            left_of_foot = np.cross([0.0, 1.0, 0.0], heading)
            flat = np.linalg.norm(left_of_foot, axis=-1, keepdims=True)
            left_of_foot = np.where(flat > 0.1, left_of_foot / np.maximum(flat, 1e-6), 0)  # a hanging foot has no front
            left = left_of_foot + hips / np.linalg.norm(hips, axis=-1, keepdims=True)
            assert (np.sum(hinge * left, -1) > 0).all()
            assert np.linalg.norm(ankle - hip, axis=-1).max() < 0.86 * 0.987


@each_dance
def test_the_loop_has_no_seam(dance: Dance) -> None:
    for p in variants(dance):
        step = np.linalg.norm(np.roll(p.positions, -1, 0) - p.positions, axis=-1).max(-1)
        assert step[-1] <= step[:-1].max() * 1.0001
        # The acceleration of the three frames that look across the seam is no larger than the dance's own hits.
        bend = np.linalg.norm(np.diff(p.positions, 2, axis=0, prepend=p.positions[-2:]), axis=-1).max(-1)
        assert bend[:3].max() <= bend[3:].max() * 1.25


@each_dance
def test_nothing_jumps(dance: Dance) -> None:
    """At 120 beats a minute no joint, not even a finger tip, is faster than 13 m/s (a hard punch: 10)."""
    for p in variants(dance):
        step = np.linalg.norm(np.roll(p.positions, -1, 0) - p.positions, axis=-1)
        assert step.max() * STEPS * 2 < 13.0


def accent(positions: np.ndarray, phase: float) -> float:
    """Mean deceleration of all joints within an eighth of a beat before or after beat + `phase`, metres a beat^2."""
    velocity = np.roll(positions, -1, 0) - positions
    change = np.linalg.norm(velocity - np.roll(velocity, 1, 0), axis=-1).mean(-1) * STEPS**2
    v = speed(positions)
    slows = change * (v <= np.roll(v, 1))
    wanted = round(phase * STEPS)
    near = [(k + wanted) % STEPS for k in range(-2, 3)]
    return float(slows[np.isin(np.arange(len(positions)) % STEPS, near)].mean())


def on_beat(positions: np.ndarray) -> float:
    """How much stronger the accents on the beat are than those half-way, -1..1."""
    beat, middle = accent(positions, 0.0), accent(positions, 0.5)
    return (beat - middle) / (beat + middle)


@each_dance
def test_accents_fall_on_the_beat(dance: Dance) -> None:
    p = performed(dance).positions
    # Between beats there may be half-beat steps, so compare with the quarters as well as with the middle.
    beat, off = accent(p, 0.0), min(accent(p, 0.25), accent(p, 0.5), accent(p, 0.75))
    assert beat > 1.1 * off


def test_as_a_whole_the_repertoire_is_on_the_beat() -> None:
    stronger = [on_beat(performed(d).positions) for d in DANCES]
    assert np.median(stronger) > 0.15
    # The rest: jumps, which gravity brakes in mid-air, and twists and waves that do the same on every half beat.
    assert np.mean(np.array(stronger) > 0) > 0.87


def test_a_dance_shifted_by_half_a_beat_is_off_the_beat() -> None:
    shifted = [np.roll(performed(d).positions, STEPS // 2, 0) for d in DANCES]
    assert np.median([on_beat(p) for p in shifted]) < -0.15


@each_dance
def test_mirrored_is_the_mirror_image(dance: Dance) -> None:
    straight, mirrored = performed(dance), perform(dance, mirrored=True)
    np.testing.assert_array_equal(mirrored.positions, mirror(straight.positions))
    np.testing.assert_array_equal(mirrored.contacts, straight.contacts[:, ::-1])


def test_most_dances_have_a_left_and_a_right() -> None:
    apart = [np.abs(mirror(performed(d).positions) - performed(d).positions).max() for d in DANCES]
    assert np.mean(np.array(apart) > 0.05) > 0.95


@each_dance
def test_a_flipped_dance_is_its_own_mirror_half_way(dance: Dance) -> None:
    if not dance.flip:
        return
    p = performed(dance).positions
    half = len(p) // 2
    assert np.abs(mirror(p[:half]) - p[half:]).max() < 1e-4


@each_dance
def test_energy_scales_the_motion(dance: Dance) -> None:
    speeds = [speed(performed(dance, e).positions).mean() for e in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert (np.diff(speeds) > 0).all()
    assert speeds[-1] > 1.1 * speeds[0]


def test_club_dances_bounce_like_captured_ones() -> None:
    """The 95th percentile of the pelvis' vertical speed at 120 beats a minute; in captured clips it is .47 m/s."""
    for style in ("club", "house", "disco", "party", "pop", "hiphop"):
        fast = []
        for dance in (d for d in DANCES if d.style == style):
            height = performed(dance).positions[:, 0, 1]
            fast.append(np.percentile(np.abs(np.roll(height, -1) - np.roll(height, 1)) * STEPS, 95))
        assert 0.42 < np.median(fast) < 0.9, style


def test_a_drop_moves_half_as_much_again_as_a_quiet_break() -> None:
    ratios = [speed(performed(d, 1.0).positions).mean() / speed(performed(d, 0.0).positions).mean() for d in DANCES]
    assert np.median(ratios) > 1.5


def test_a_seed_is_a_take() -> None:
    for dance in DANCES[::7]:
        one, again, other = perform(dance, seed=1), perform(dance, seed=1), perform(dance, seed=2)
        np.testing.assert_array_equal(one.positions, again.positions)
        gap = np.linalg.norm(one.positions - other.positions, axis=-1).mean()
        assert 0.005 < gap < 0.08


@pytest.mark.parametrize("energy", [-0.1, 1.1, float("nan")])
def test_energy_out_of_range_is_refused(energy: float) -> None:
    with pytest.raises(ValueError, match="energy"):
        perform(DANCES[0], energy)


@pytest.mark.slow
def test_no_dance_is_another_one() -> None:
    """Every two dances differ by more than the two takes of either that differ most, small against big included."""
    found = distinctness(DANCES)
    assert found.doubles == []
    i, j = found.nearest(1)[0]
    assert found.margin[i, j] > 1.1, f"{found.names[i]} is nearly {found.names[j]}"
    assert found.within.max() < 0.2
    assert found.apart.min() > 0.1


@pytest.mark.slow
def test_many_dances_share_neither_legs_nor_arms_with_any_other() -> None:
    legs, arms = (set(distinctness(DANCES, part).own) for part in ("legs", "arms"))
    assert len(legs & arms) >= 138


def test_parts_are_compared_alone() -> None:
    """The legs of one dance under the arms of another are no dance of their own."""
    legs, arms = DANCES[0], DANCES[11]
    mixed = replace(legs, name="mixed", arms=arms.arms)
    dances = [legs, mixed, DANCES[30]]
    assert legs.name not in distinctness(dances, "legs").own
    assert legs.name in distinctness(dances, "arms").own


def copies() -> list[Dance]:
    """A dance danced mirrored, begun on another beat, and with hardly another way of holding the head."""
    legs, body, arms = "L2 R-1 R2 L-1", "leanL - leanR -", "out|hip clap hip|vee lowout"
    flipped = [changed(line, flip) for line, flip in ((legs, flip_legs), (body, flip_body), (arms, flip_arms))]
    return [
        Dance("written", "club", f"({legs})2", f"({body})2", f"({arms})2"),
        Dance("mirrored", "club", f"({flipped[0]})2", f"({flipped[1]})2", f"({flipped[2]})2"),
        Dance("later", "club", f"({rotated(legs)})2", f"({rotated(body)})2", f"({rotated(arms)})2"),
        Dance("nodding", "club", f"({legs})2", f"({body})2", f"({arms})2", head="(nod*.3 -)4"),
    ]


def changed(line: str, flip: Callable[[str], str]) -> str:
    return " ".join(flip(token) for token in line.split())


def rotated(line: str) -> str:
    first, *rest = line.split()
    return " ".join([*rest, first])


def test_copies_of_a_dance_are_found_out() -> None:
    found = distinctness([*copies(), DANCES[0]])
    pairs = {frozenset(p) for p in found.doubles}
    names = [d.name for d in copies()]
    assert pairs == {frozenset((a, b)) for a in names for b in names if a != b}


def test_the_distance_of_a_dance_to_its_shifted_self_is_nothing() -> None:
    shapes = np.stack([laid_out(d, 0.5) for d in DANCES[:2]])
    for shift in (8, 2):  # two beats, half a beat
        apart = distances(shapes, np.roll(shapes, shift, 1))
        assert np.diag(apart).max() < 1e-3  # float32
        assert apart[0, 1] > 0.02
    assert np.diag(distances(shapes, np.roll(shapes, 1, 1))).min() > 0.005  # a quarter of a beat is no shift


def test_the_distance_is_the_root_mean_square_over_joints() -> None:
    shapes = np.stack([laid_out(d, 0.5) for d in DANCES[:1]])
    assert distances(shapes, shapes + np.float32(0.1))[0, 0] == pytest.approx(0.1 * 3**0.5, rel=1e-3)


def test_the_command_tells_the_nearest_pairs_and_the_verdict() -> None:
    done = command("--distinct", "--style", "twist")
    assert done.returncode == 0, done.stderr
    assert "classic twist / twist down" in done.stdout
    assert "10 dances in 1 style are distinct" in done.stdout
    alone = command("--distinct", "--dance", DANCES[0].name)
    assert alone.returncode == 2
    assert len(alone.stderr.strip().splitlines()) == 1


def test_the_command_ranks_dances_by_energy() -> None:
    done = command("--rank", "--dance", "cloud hands", "--dance", "star jumps")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().splitlines()[1:]
    assert first.startswith("0.00")
    assert "cloud hands" in first
    assert second.startswith("1.00")
    assert "star jumps" in second


def test_notation() -> None:
    assert parse("a [b c] . d") == ([(0, "a"), (1, "b"), (1.5, "c"), (3, "d")], 4)
    assert parse("(a b)2") == ([(0, "a"), (1, "b"), (2, "a"), (3, "b")], 4)
    assert parse("2: a [b c]") == ([(0, "a"), (0.5, "b"), (0.75, "c")], 1)
    assert flip_legs("L3f2+@-2+^90") == "R3f2+@2+^-90"
    assert flip_body("leanL*.5+low!") == "leanR*.5+low!"
    assert flip_arms("up|hip!") == "hip|up!"


def test_home_moves_in_depth() -> None:
    walk = Dance("walk", "club", "@0f3+L0 @1f6+R0 @0b2+L0 @0+R0", groove="")
    p = perform(walk, 0.5)
    pelvis = p.positions[:, 0]
    assert np.ptp(pelvis[:, 2]) > 0.4
    assert np.ptp(pelvis[:, 0]) > 0.02
    mirrored = perform(replace(walk, legs=changed(walk.legs, flip_legs)), 0.5)
    np.testing.assert_allclose(mirrored.positions, mirror(p.positions), atol=1e-5)


@pytest.mark.parametrize("home", ["@", "@1x2", "@f2", "@1f"])
def test_a_home_that_is_none_is_refused(home: str) -> None:
    with pytest.raises(ValueError, match=r"wrong home.*not a place"):
        perform(Dance("wrong home", "club", f"{home}+L R L R"))


def test_feet_that_always_go_together_keep_the_weight_between_them() -> None:
    p = perform(Dance("together", "club", "Ls3y35+Rs3y-10 Lq-10+Rq35 Lq35+Rq-10 Lq-10+Rq35", groove=""))
    ankles = p.positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 0].mean(1)
    assert np.abs(p.positions[:, 0, 0] - ankles).max() < 0.08


def test_dances_turn_round_and_travel_in_depth() -> None:
    turning = [d for d in DANCES if "^360" in d.legs]
    assert len(turning) >= 8
    for dance in turning:
        across = performed(dance).positions[:, INDEX["left_hip"]] - performed(dance).positions[:, INDEX["right_hip"]]
        assert across[:, 0].min() < -0.1, f"{dance.name} never shows its back"
    deep = [d for d in DANCES if np.ptp(performed(d).positions[:, 0, 2]) > 0.3]
    assert len(deep) >= 10


def test_hands_are_open_unless_a_dance_says_otherwise() -> None:
    quiet = perform(Dance("quiet", "club", "L R L R"))
    assert quiet.hands.shape == (64, 2, 2)
    assert quiet.hands.dtype == np.float32
    assert not quiet.hands.any()
    shaped = Dance("shaped", "club", "L R L R", hands="open|fist . point|fist .")
    hands = perform(shaped).hands
    assert hands[16, 1] == pytest.approx([1, 0], abs=0.01)
    assert hands[16, 0] == pytest.approx([0, 0], abs=0.01)
    assert hands[40, 0] == pytest.approx([0, 1], abs=0.01)
    assert ((hands >= 0) & (hands <= 1)).all()
    np.testing.assert_array_equal(perform(shaped, mirrored=True).hands, hands[:, ::-1])
    with pytest.raises(ValueError, match="shaped"):
        perform(replace(shaped, hands="paw"))
    assert {d.style for d in DANCES if performed(d).hands.any()} >= {"hiphop", "robot", "disco"}


@pytest.mark.parametrize("text", ["a ]", "[a", "(a b", "a)"])
def test_brackets_must_match(text: str) -> None:
    with pytest.raises(ValueError, match=r"[\[\]()]"):
        parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"legs": "X3 R"}, {"legs": "L R L"}, {"arms": "nosuch rest"}, {"body": "nosuch"}, {"groove": "sideways"},
        {"legs": "L R L R", "arms": "up rest up"}, {"legs": "L+L3 . . ."},
    ],
)  # fmt: skip
def test_a_wrong_dance_is_refused_by_name(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="my dance"):
        perform(replace(Dance("my dance", "club", "L R L R"), **wrong))


def test_easing() -> None:
    keys = Keys(np.array([0.0, 2.0]), np.array([[0.0], [1.0]]), "~!", 4.0)
    t = np.arange(64) / 16
    y = tween(keys, t, 1.0)[:, 0]
    assert abs(y[0]) < 1e-9
    assert abs(y[32] - 1) < 1e-6
    assert abs(y[18]) < 1e-4, "a hit waits"
    assert y[20:32].min() < -0.02, "a hit draws back"
    assert 1.02 < y[32:48].max() < 1.2, "a hit overshoots"
    np.testing.assert_allclose(tween(keys, t + 4.0)[:, 0], tween(keys, t)[:, 0], atol=1e-12)
    spin = Keys(np.array([0.0]), np.array([[10.0]]), "=", 4.0, wrap_add=360.0)
    np.testing.assert_allclose(tween(spin, np.array([0.0, 1.0, 4.0, 6.0]))[:, 0], [10.0, 100.0, 370.0, 550.0])


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.data.choreography", *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_contact_sheet_shows_figures(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    assert command("--sheet", str(out), "--dance", DANCES[0].name, "--columns", "4").returncode == 0
    picture = np.asarray(Image.open(out).convert("RGB")).astype(int)
    red = (picture[..., 0] - picture[..., 2] > 80).sum()
    blue = (picture[..., 2] - picture[..., 0] > 80).sum()
    assert red > 200
    assert blue > 200
    before = out.read_bytes()
    refused = command("--sheet", str(out))
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert out.read_bytes() == before


@pytest.mark.parametrize("arguments", [("--dance", "no such"), ("--style", "no such"), ("--sheet", "/no/such/x.png")])
def test_bad_input_is_one_line_and_two(arguments: tuple[str, ...]) -> None:
    refused = command(*arguments)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "no" in refused.stderr
