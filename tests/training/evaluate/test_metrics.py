"""Each figure on dances whose answer is known, and on dancers that are bad in one way: frozen, jittering, off the
beat, with one dance only, drifting, skating."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.dataset import crop_centre
from training.data.motion.body import project, silhouettes
from training.data.motion.skeleton import INDEX, MIRROR
from training.evaluate import metrics as mt
from training.evaluate import picture_metrics as pm
from training.evaluate.metrics import PHRASE, STEPS_PER_SECOND
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT

SECOND = round(STEPS_PER_SECOND)
SOME = DANCES[::13]  # of every family a few


@functools.cache
def danced(name: str, seed: int = 1, energy: float = 0.6, beats: int = 32) -> np.ndarray:
    """A written dance in the picture, joints (S, 21, 2) metres with its travel."""
    dance = next(d for d in DANCES if d.name == name)
    rounds = [perform(dance, energy, seed=100 * seed + k).positions for k in range(beats // dance.beats)]
    positions = np.concatenate(rounds)
    joints = project(positions, crop_centre(positions)) * FRAME_METRES
    joints[:, :, 0] += crop_centre(positions)[:, None]
    return joints.astype(np.float32)


def centred(dance: np.ndarray) -> np.ndarray:
    return dance - dance[:, :1] * np.array([1, 0], np.float32)


def swinging(seconds: int, metres: float = 0.3, per_beat: float = 1.0) -> np.ndarray:
    """Joints (S, 21, 2) metres that all swing sideways, `per_beat` times there and back a beat."""
    beat = np.arange(seconds * SECOND) / STEPS_PER_BEAT
    joints = np.zeros((len(beat), 21, 2), dtype=np.float32)
    joints[:, :, 0] = (metres * np.sin(2 * np.pi * per_beat * beat))[:, None]
    return joints


def stopping(at: float, beats: int = 64) -> np.ndarray:
    """Joints that dart and stop once a beat, at `at` of it."""
    beat = np.arange(beats * STEPS_PER_BEAT) / STEPS_PER_BEAT
    phase = (beat - at) % 1.0
    joints = np.zeros((len(beat), 21, 2), np.float32)
    joints[:, :, 0] = (np.floor(beat - at) + np.clip((phase - 0.6) / 0.4, 0, 1))[:, None] * 0.2
    return joints


def frozen(dance: np.ndarray) -> np.ndarray:
    return np.repeat(dance[:1], len(dance), axis=0)


def jittering(dance: np.ndarray, metres: float = 0.005) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, metres, dance.shape)
    return (dance + noise).astype(np.float32)


def skating(dance: np.ndarray, metres_a_second: float = 0.2) -> np.ndarray:
    out = dance.copy()
    out[:, :, 0] += (np.arange(len(dance)) / STEPS_PER_SECOND * metres_a_second).astype(np.float32)[:, None]
    return out


# --- phrases


def test_windows_are_cut_on_phrases_and_round_ones_go_on_where_the_loop_begins() -> None:
    line = np.zeros((2 * PHRASE + 5, 21, 2), np.float32)
    line[:, 0, 0] = np.arange(len(line))
    assert [w[0, 0, 0] for w in mt.windows(line)] == [0, PHRASE]
    assert [w[0, 0, 0] for w in mt.windows(line, PHRASE, PHRASE // 2)] == [0, PHRASE // 2, PHRASE]
    assert len(mt.windows(line[: PHRASE - 1])) == 0
    loops = mt.round_windows(line[:PHRASE])
    assert loops.shape == (2, PHRASE, 21, 2)
    assert [loops[1, k, 0, 0] for k in (0, PHRASE // 2 - 1, PHRASE // 2)] == [PHRASE // 2, PHRASE - 1, 0]
    assert mt.round_windows(line[: PHRASE // 2]).shape == (1, PHRASE, 21, 2)  # a dance of half a phrase


def test_the_distance_of_phrases_is_that_of_their_joints() -> None:
    one = mt.windows(centred(danced(SOME[0].name)))[:2]
    moved = one + np.array([0.03, 0.04], np.float32)
    np.testing.assert_allclose(np.diag(mt.phrase_distances(one, moved)), 0.05, rtol=1e-3)
    assert np.diag(mt.phrase_distances(one, one)).max() < 1e-6


def test_the_dance_asked_for_is_told_from_another_and_from_none() -> None:
    names = [d.name for d in SOME]
    known = np.concatenate([mt.round_windows(centred(danced(n))) for n in names])
    known_names = [n for n in names for _ in mt.round_windows(danced(n))]

    def performed(dances: dict[str, np.ndarray]) -> tuple[int, int]:
        phrases = [mt.windows(centred(d)) for d in dances.values()]
        asked = [n for n, p in zip(dances, phrases, strict=True) for _ in p]
        return mt.danced_as_asked(asked, mt.nearest_dance(np.concatenate(phrases), known, known_names))

    count = len(names)
    assert performed({n: danced(n, seed=7, energy=0.3) for n in names}) == (count, count)
    assert performed({n: np.roll(danced(n, seed=7), PHRASE // 2, axis=0) for n in names}) == (count, count)
    assert performed({n: danced(names[0], seed=7) for n in names}) == (1, count)  # one dance only
    assert performed({n: frozen(danced(n, seed=7)) for n in names})[0] < count / 2
    swapped = dict(zip(names, [danced(n, seed=7) for n in names[::-1]], strict=True))
    assert performed(swapped)[0] <= 1


def test_more_than_half_of_a_dances_windows_must_be_right() -> None:
    assert mt.danced_as_asked(list("aabbb"), list("abbbx")) == (1, 2)
    assert mt.danced_as_asked(["a"], ["b"]) == (0, 1)


def test_who_has_one_dance_only_shows_few_phrases() -> None:
    pairs = [
        mt.phrase_distances(*(mt.windows(centred(danced(d.name, s)))[:1] for s in (1, 2)))[0, 0] for d in DANCES[::7]
    ]
    threshold = float(np.median(pairs))
    many = np.concatenate([mt.windows(centred(danced(d.name)))[:1] for d in SOME])
    one = np.concatenate([mt.windows(centred(danced(SOME[0].name, s)))[:1] for s in range(len(SOME))])
    assert mt.distinct_phrases(many, threshold) == len(SOME)
    assert mt.distinct_phrases(one, threshold) < len(SOME) / 2
    assert mt.distinct_phrases(np.concatenate([many, many]), threshold) == len(SOME)  # again is not new
    assert mt.distinct_phrases(np.repeat(many[:1], 9, axis=0), threshold) == 1  # frozen


# --- features


def test_kinetic_features_are_energies() -> None:
    moving = mt.windows(swinging(8, metres=0.3))
    features = mt.kinetic_features(moving)[0].reshape(3, 21)
    pace = 0.3 * 2 * np.pi * 2  # m/s: once a beat, two beats a second
    np.testing.assert_allclose(features[0], pace**2 / 2, rtol=0.02)
    np.testing.assert_allclose(features[1], 0, atol=1e-9)
    np.testing.assert_allclose(features[2], pace * 2 * np.pi * 2 * 2 / np.pi, rtol=0.03)
    assert mt.kinetic_features(mt.windows(frozen(moving[0]))).max() == 0


def test_geometric_features_are_shares_of_time() -> None:
    dance = mt.windows(centred(danced(SOME[0].name)))[:1]
    features = mt.geometric_features(dance)
    assert features.shape == (1, 43)
    assert features.min() >= 0
    assert features.max() <= 1
    reach = dance.copy()
    reach[:, : PHRASE // 2, INDEX["left_wrist"], 1] = 0.1  # above the head, half of the time
    changed = mt.geometric_features(reach)
    assert changed[0, 0] == pytest.approx(0.5, abs=0.01)
    assert changed[0, 16] == features[0, 16]  # the right hand is where it was


def test_the_frechet_distance_of_two_gaussians() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0, [1.0, 2.0], (200_000, 2))
    b = rng.normal([3.0, 0.0], [2.0, 2.0], (200_000, 2))
    assert mt.frechet_distance(a, b) == pytest.approx(9 + (2 - 1) ** 2, rel=0.02)
    assert mt.frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    turned = a @ np.array([[0.0, 1.0], [-1.0, 0.0]])  # the spreads change places
    assert mt.frechet_distance(a, turned) == pytest.approx(2, rel=0.02)


BAD = {
    "frozen": lambda dances: [frozen(d) for d in dances],
    "jittering": lambda dances: [jittering(d, 0.03) for d in dances],
    "one dance only": lambda dances: [dances[0]] * len(dances),
    "skating": lambda dances: [skating(d, 0.6) for d in dances],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_bad_dancers_are_far_from_real_ones_by_their_features(name: str) -> None:
    names = [d.name for d in DANCES[::4]]
    train = np.concatenate([mt.windows(danced(n, 1)) for n in names])
    fresh = [danced(n, 2) for n in names]
    bad = BAD[name](fresh)

    def distances(dances: list[np.ndarray]) -> list[float]:
        out = []
        for features in (mt.kinetic_features, mt.geometric_features):
            mean, std = mt.scale_of(features(train))
            a, b = ((features(x) - mean) / std for x in (np.concatenate([mt.windows(d) for d in dances]), train))
            out.append(mt.frechet_distance(a, b))
        return out

    real, theirs = distances(fresh), distances(bad)
    assert theirs[0] > 3 * real[0]
    assert name in ("skating", "jittering") or theirs[1] > 3 * real[1]


def test_one_dance_only_is_less_diverse() -> None:
    many = np.concatenate([mt.windows(danced(d.name)) for d in SOME])
    one = np.concatenate([mt.windows(danced(SOME[0].name, s)) for s in range(len(SOME))])
    for features in (mt.kinetic_features, mt.geometric_features):
        mean, std = mt.scale_of(features(many))
        a, b = (mt.diversity((features(x) - mean) / std) for x in (many, one))
        assert b < 0.5 * a
    assert mt.diversity(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])) == pytest.approx(10 / 3)


def test_features_that_never_change_are_not_blown_up() -> None:
    mean, std = mt.scale_of(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(mean, [2, 5])
    np.testing.assert_allclose(std, [1, 1])


# --- on the beat


def test_who_stops_on_the_beat_is_aligned_and_who_stops_between_is_not() -> None:
    on, off = [stopping(0.2)], [stopping(0.7)]  # the smoothed speed is least in the middle of the stop
    assert mt.beat_alignment(on, 0.5) > 0.9
    assert mt.beat_alignment(on) < 0.1
    assert mt.beat_alignment(off) > 0.9
    assert mt.beat_alignment(off, 0.5) < 0.1
    for dances in (on, off):
        assert 0.1 < mt.beat_chance(dances) < 0.35
    assert mt.beat_alignment([frozen(on[0])]) == 0  # keeps no beat


def test_kinematic_beats_are_smoothed_and_scored_as_published() -> None:
    """A dance with one slowest moment, a step and a half after a beat: that beat alone scores, exp(-1.5²/2σ²)."""
    steps = np.arange(12 * STEPS_PER_BEAT - 1)
    speed = 1 + ((steps - (6 * STEPS_PER_BEAT + 1)) / 50) ** 2
    dance = np.zeros((len(steps) + 1, 21, 2), np.float32)
    dance[1:, :, 0] = np.cumsum(0.001 * speed)[:, None]
    assert mt.beat_alignment([dance]) * 12 == pytest.approx(np.exp(-(1.5**2) / (2 * 1.6**2)), abs=0.01)
    assert mt.beat_alignment([dance], 1.5 / STEPS_PER_BEAT) * 12 == pytest.approx(1, abs=0.01)


def test_accents_on_the_beat_between_the_beats_and_nowhere() -> None:
    assert mt.accent([stopping(0.0)]) > 5
    assert mt.accent([stopping(0.5)]) < 0.2
    assert mt.accent([swinging(30, per_beat=0.37)]) == pytest.approx(1.0, abs=0.2)


def test_motion_power_is_at_the_beat_that_is_danced() -> None:
    for per_beat in (0.5, 1.0, 2.0):
        spectrum = mt.motion_spectrum([swinging(60, per_beat=per_beat)])
        assert mt.beat_power(spectrum) > 0.95
        assert mt.beat_power(spectrum, 0.87) < 0.05
    off = mt.motion_spectrum([swinging(60, per_beat=0.87)])
    assert mt.beat_power(off) < 0.05
    assert mt.beat_power(off, 0.87) > 0.85  # it lies between two bins
    noise = mt.motion_spectrum([jittering(frozen(swinging(60)))])
    assert mt.beat_power(noise) < 0.05
    assert mt.beat_power(mt.motion_spectrum([frozen(swinging(60))])) == 0


def test_the_spectrum_takes_dances_of_all_lengths() -> None:
    long, take, short = swinging(32), swinging(16), swinging(4)
    assert len(take) == 32 * STEPS_PER_BEAT
    assert mt.beat_power(mt.motion_spectrum([take])) > 0.9  # exactly one window
    assert mt.beat_power(mt.motion_spectrum([long, short])) > 0.9
    assert mt.beat_power(mt.motion_spectrum([short])) > 0.9  # nothing is longer


# --- bodies that move well


def test_a_frozen_dance_is_all_still_and_a_moving_one_is_not() -> None:
    still = np.zeros((10 * SECOND + 1, 21, 2), np.float32)
    assert mt.frozen_seconds([still]) == (10, 10)
    assert mt.frozen_seconds([swinging(10)]) == (0, 9)
    assert mt.frozen_seconds([np.concatenate([swinging(5), still[: 5 * SECOND + 1]])]) == (5, 10)
    slow = still.copy()
    slow[:, :, 0] = np.arange(len(slow))[:, None] * 0.04 / SECOND  # below and above 0.05 m/s
    assert mt.frozen_seconds([slow, 2 * slow]) == (10, 20)


def test_speed_is_in_metres_a_second() -> None:
    joints = np.zeros((SECOND, 21, 2), np.float32)
    joints[:, :, 1] = np.arange(SECOND)[:, None] / SECOND
    np.testing.assert_allclose(mt.joint_speeds(joints), 1.0, rtol=1e-4)
    assert mt.mean_speed([joints, frozen(joints)]) == pytest.approx(0.5, rel=1e-4)


def test_shaking_hands_are_jitter_and_smooth_paths_are_not() -> None:
    t = np.arange(200.0)
    parabola = np.zeros((200, 21, 2), np.float32)
    parabola[:, :, 0] = (0.01 * t + 0.001 * t**2)[:, None]
    assert mt.jitter([parabola]) < 1e-4  # float32 at 42 metres
    assert mt.jitter([jittering(parabola)]) > 0.01
    dance = danced(SOME[0].name)
    assert mt.jitter([jittering(dance)]) > 2 * mt.jitter([dance])


def test_planted_feet_that_slide_are_skating() -> None:
    dances = [danced(d.name) for d in SOME]
    real = mt.foot_skating(dances)
    assert 0 < real < 6
    assert mt.foot_skating([skating(d, 0.2) for d in dances]) > real + 10
    stand = np.zeros((64, 21, 2), np.float32)
    stand[:, :, 1] = FLOOR * FRAME_METRES - 0.055  # every joint where a flat foot is
    assert mt.foot_skating([stand]) == 0
    assert mt.foot_skating([skating(stand, 0.2)]) == pytest.approx(20, rel=1e-3)
    stand[:, :, 1] -= 0.2  # in the air nobody slides
    assert mt.foot_skating([skating(stand, 0.2)]) == 0


def test_a_jump_is_the_longest_step() -> None:
    dance = danced(SOME[0].name)
    cut = np.concatenate([dance[:100], dance[328:]])
    assert mt.step_lengths(cut).argmax() == 99
    assert mt.step_lengths(cut)[99] == pytest.approx(np.linalg.norm(dance[328] - dance[99], axis=-1).max(), rel=1e-5)
    assert mt.step_lengths(cut).max() > 1.5 * mt.step_lengths(dance).max()


def test_who_drifts_leaves_the_poses_that_are_known() -> None:
    dance = centred(danced(SOME[0].name))
    poses = mt.Poses(dance)
    assert poses.distance(dance[::5]).max() < 1e-6
    new = np.median(poses.distance(centred(danced(SOME[0].name, seed=5))))
    swollen = dance * (1 + np.linspace(0, 0.5, len(dance), dtype=np.float32)[:, None, None])
    tenths = [np.median(poses.distance(part)) for part in np.array_split(swollen, 10)]
    assert tenths[-1] > 3 * tenths[0]
    assert tenths[-1] > 3 * new
    raised = dance[:1] + np.array([0.0, 5.0], np.float32)
    nearest = np.sqrt(((dance - raised) ** 2).sum(-1).mean(-1)).min()
    np.testing.assert_allclose(poses.distance(raised), nearest, rtol=1e-4)


# --- pictures


def test_iou() -> None:
    a = np.zeros((4, 4, 4), bool)
    b = np.zeros((4, 4, 4), bool)
    a[0, :2], b[0, :2] = True, True  # the same
    a[1, :2], b[1, 2:] = True, True  # apart
    a[2, :3], b[2, 1:] = True, True  # two rows of four
    np.testing.assert_allclose(pm.iou(a, b), [1.0, 0.0, 0.5, 1.0])  # and two empty pictures


def disc(radius: float, size: int = 512, x: float = 240) -> np.ndarray:
    down, right = np.mgrid[:size, :size] + 0.5
    return ((np.hypot(right - x, down - 280) - radius).clip(-12, 12) / size).astype(np.float32)


@pytest.mark.parametrize("off", [0.0, 0.3, 2.0, -1.5])
def test_the_outline_error_is_how_far_the_outline_lies_off(off: float) -> None:
    assert pm.outline_error(disc(120)[None], disc(120 + off)[None]) == pytest.approx(abs(off), abs=0.02)


def test_the_outline_error_of_flat_fields_of_lost_and_of_moved_bodies() -> None:
    true = disc(120)[None]
    assert pm.outline_error(true, 2 * disc(120.3)[None]) == pytest.approx(0.3, abs=0.02)  # steep, the same outline
    assert pm.outline_error(true, np.full_like(true, 12 / 512)) > 10  # nobody there
    moved = pm.outline_error(true, disc(120, x=243)[None])
    assert 1.5 < moved < 2.5  # the mean of 3 |cos|


def test_variety_is_lost_in_the_mean() -> None:
    frames = bodies()
    mean = np.repeat(frames.mean(axis=0, keepdims=True), len(frames), axis=0).astype(np.float32)
    assert pm.variety_kept(frames, frames) == pytest.approx(1)
    assert pm.variety_kept(frames, 0.5 * (frames + mean)) == pytest.approx(0.5, rel=1e-4)
    assert pm.variety_kept(frames, mean) < 1e-6


@functools.cache
def poses() -> np.ndarray:
    """Frame coordinates of a dance with free arms, (8, 21, 2)."""
    return (centred(danced(SOME[0].name)) / FRAME_METRES + np.array([0.5, 0], np.float32))[:128:16]


def bodies() -> np.ndarray:
    return silhouettes(poses())[:, 0]


def test_whole_bodies_have_no_ghost_limbs() -> None:
    true = bodies()
    assert not pm.ghost_limbs(true, true).any()
    assert not pm.ghost_limbs(true, true + np.float32(0.3 / 128)).any()  # a little thinner


def test_a_lost_hand_a_third_arm_and_a_loose_piece_are_ghosts() -> None:
    true, joints = bodies(), poses()
    lost = joints.copy()
    for name in ("left_elbow", "left_wrist", "left_hand"):
        lost[:, INDEX[name]] = lost[:, INDEX["left_shoulder"]]
    third = joints.copy()
    third[:, INDEX["right_hand"]] = third[:, INDEX["right_shoulder"]] - np.array([0.25, 0.2])
    added = np.minimum(true, silhouettes(third)[:, 0])
    loose = true.copy()
    loose[:, 4:7, 4:7] = -2 / 128
    for bad in (silhouettes(lost)[:, 0], added, loose):
        assert pm.ghost_limbs(true, bad).mean() > 0.8
    assert pm.ghost_limbs(true, np.full_like(true, 3 / 128)).all()  # nobody


def test_joints_are_told_from_each_other_and_sides_exchanged_where_that_fits() -> None:
    true = poses()
    far = np.float32(0.0068)  # of a frame of 2.5 m: 1% of a body of 1.70 m
    np.testing.assert_allclose(pm.joints_error(true, true + np.array([far, 0])), (0.01, 0.01), rtol=1e-3)
    given, best = pm.joints_error(true, true[:, MIRROR])
    assert given > 0.05
    assert best < 1e-6
    half = true.copy()
    half[:, INDEX["left_wrist"]], half[:, INDEX["right_wrist"]] = true[:, INDEX["right_wrist"]], true[:, 7]
    assert pm.joints_error(true, half)[1] > 0.002  # one pair alone is an error, not an exchange
