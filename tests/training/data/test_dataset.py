"""The data set: nothing leaks over the split, what is stored comes back, foreign folders are left alone."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from tests.support.training_run import TinyFit
from training.data import dataset, sampling
from training.data.choreography import DANCES, perform
from training.data.dataset import Motion, from_bytes, held_out_clips, open_takes, to_bytes
from training.data.motion.clips import Clip
from training.data.motion.skeleton import BONES, INDEX, LENGTHS
from training.data.sampling import frame_batches
from visualizer.dancer.pack import FRAME_METRES, FRAME_SIZE, STEPS_PER_BEAT
from visualizer.errors import UserError

SHORT = np.zeros((4, 21, 3), dtype=np.float32)


def clips_named(*names: str, style: str = "house") -> list[Clip]:
    return [Clip(n, style, SHORT, 60.0, "MIT") for n in names]


# --- the split


def test_split_holds_out_the_same_share_for_the_same_seed() -> None:
    clips = [*clips_named(*(f"a{i}" for i in range(30))), *clips_named(*(f"b{i}" for i in range(10)), style="robot")]
    chosen = held_out_clips(clips, 7)
    assert len(chosen) == round(0.15 * 40)
    assert chosen == held_out_clips(list(reversed(clips)), 7)
    assert any(held_out_clips(clips, seed) != chosen for seed in (8, 9, 10))


def test_split_never_empties_a_style() -> None:
    clips = [Clip(f"{s}{i}", s, SHORT, 60.0, "MIT") for s in "abcdefgh" for i in range(2)] + clips_named(
        "only", style="z"
    )
    for seed in range(20):
        chosen = held_out_clips(clips, seed)
        left = {c.style for c in clips if c.name not in chosen}
        assert left == {c.style for c in clips}
        assert chosen


def test_partners_of_one_dance_stay_together() -> None:
    clips = clips_named(*(f"cmu_{who}_{i:02d}" for i in range(1, 13) for who in (60, 61)))
    some = False
    for seed in range(10):
        chosen = held_out_clips(clips, seed)
        for i in range(1, 13):
            assert (f"cmu_60_{i:02d}" in chosen) == (f"cmu_61_{i:02d}" in chosen)
        some |= bool(chosen)
    assert some


def test_no_clip_lies_on_both_sides(tiny_fit: TinyFit) -> None:
    takes, styles = open_takes(tiny_fit.work / "data.zarr")
    seen, held = ({t.clip for t in takes if t.held_out is side} for side in (False, True))
    assert held
    assert not seen & held
    assert held <= {"house_1", "house_2", "hiphop_1", "hiphop_2"}
    assert {"house", "hiphop"} <= set(styles)


def test_all_cameras_of_a_clip_are_on_the_same_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_fit: TinyFit
) -> None:
    monkeypatch.setattr(dataset.choreography, "DANCES", DANCES[:1])
    takes, _ = open_takes(dataset.build(tmp_path / "data.zarr", tiny_fit.motion, seed=7))
    sides: dict[str, set[bool]] = {}
    cameras: dict[str, set[tuple[bool, float]]] = {}
    for take in takes:
        sides.setdefault(take.clip, set()).add(take.held_out)
        cameras.setdefault(take.clip, set()).add((take.mirrored, take.yaw))
    assert all(len(s) == 1 for s in sides.values())
    assert len(cameras["house_1"]) == 6  # from the front and from two sides, each both ways round
    assert {abs(yaw) for _, yaw in cameras["house_1"]} - {0.0}
    assert all(abs(yaw) <= 40 for yaws in cameras.values() for _, yaw in yaws)
    assert any(t.held_out for t in takes)
    assert not any(t.held_out for t in takes if not t.captured)


# --- motions


def test_energy_is_the_rank_within_a_style(tiny_fit: TinyFit) -> None:
    motions = dataset.captured_motions(dataset.read_clips(tiny_fit.motion), 7)
    for style in ("house", "hiphop"):
        energy = np.concatenate([m.energy for m in motions if m.style == style])
        assert energy.min() >= 0
        assert energy.max() <= 1
        assert energy.mean() == pytest.approx(0.5, abs=0.01)
        speed = np.concatenate([dataset.joint_speed(m.positions) for m in motions if m.style == style])
        assert np.corrcoef(np.argsort(np.argsort(speed)), energy)[0, 1] > 0.99
    assert all(m.timed for m in motions)


def test_a_style_of_one_clip_that_is_too_short_is_left_out(tiny_fit: TinyFit) -> None:
    clips = [*dataset.read_clips(tiny_fit.motion)[:1], *clips_named("blink", style="brief")]
    assert [m.clip for m in dataset.captured_motions(clips, 7)] == ["house_1"]


def test_speed_is_in_metres_a_beat() -> None:
    positions = np.zeros((64, 21, 3), dtype=np.float32)
    positions[:, :, 1] = np.arange(64)[:, None] * 0.02  # two centimetres a step
    np.testing.assert_allclose(dataset.joint_speed(positions), 0.02 * STEPS_PER_BEAT, rtol=1e-4)


# --- bytes


def test_bytes_round_trip() -> None:
    fields = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32)).astype(np.float32) * dataset.FIELD_RANGE
    back = from_bytes(to_bytes(fields))
    assert back.dtype == np.float32
    assert np.abs(back - fields).max() * FRAME_SIZE <= 3 / 255 + 1e-5  # half a level, in pixels
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(from_bytes(every)), every)
    np.testing.assert_array_equal(to_bytes(np.array([-1, 1], np.float32)), [0, 255])


def test_frames_are_the_joints_drawn(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    take = next(t for t in takes if t.captured)
    part = slice(5, 9)
    drawn = dataset.silhouettes(take.read("joints", part))[:, 0]
    assert np.abs(from_bytes(take.read("frames", part)) - drawn).max() * FRAME_SIZE < 0.02
    assert len(take) == len(take.read("frames")) == len(take.read("energy")) == len(take.read("travel"))


def test_travel_gives_back_what_the_crop_took(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    motion = dataset.captured_motions(dataset.read_clips(tiny_fit.motion), 7)[0]
    take = next(t for t in takes if t.clip == motion.clip)
    place = np.cumsum(take.read("travel")) / STEPS_PER_BEAT * FRAME_METRES
    pelvis = (take.read("joints")[:, INDEX["pelvis"], 0] - 0.5) * FRAME_METRES + place
    true = motion.positions[:, INDEX["pelvis"], 0]
    np.testing.assert_allclose(pelvis - pelvis[0], true - true[0], atol=0.02)
    assert np.ptp(true) > 0.05  # it does travel


def test_a_foot_that_stands_while_the_body_moves_does_not_slide() -> None:
    """Live the crop is led on by the travel of each step: what the crop took away in a step must come back in it."""
    beats = np.arange(96) / STEPS_PER_BEAT
    positions = np.zeros((96, 21, 3), np.float32)
    positions[:, INDEX["pelvis"], 0] = 0.2 * np.sin(2 * np.pi * beats)  # and the left toe stays at 0
    place = dataset.crop_place(positions)
    seen = positions[:, INDEX["left_toe"], ::2] - place
    travel = dataset.crop_speed(place) * FRAME_METRES / STEPS_PER_BEAT
    assert np.abs(np.diff(seen, axis=0) + travel[1:]).max() < 1e-5
    assert np.abs(travel).max() > 0.003


def test_crossed_dances_have_no_name_and_are_of_a_style() -> None:
    motions = dataset.crossed_motions(DANCES[:12], 7)
    assert motions
    assert all(m.dance == "" and m.timed and not m.captured and not m.held_out for m in motions)
    assert {m.style for m in motions} <= {d.style for d in DANCES[:12]}


# --- bodies and cameras


def test_a_camera_sees_what_a_take_holds(tiny_fit: TinyFit) -> None:
    """The cameras of training and those of takes agree, mirrored and turned."""
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    mine = [t for t in takes if not t.held_out][:1]
    bodies = sampling.gather_bodies(mine)
    index, count = np.arange(len(mine[0])), len(mine[0])
    straight = bodies.seen(index, np.zeros(count), np.zeros(count, bool))
    np.testing.assert_allclose(straight, mine[0].read("body"), atol=1e-5)
    in_picture = dataset.project(straight, np.zeros(count, np.float32))
    np.testing.assert_allclose(in_picture, mine[0].read("joints"), atol=1e-5)
    positions = mine[0].read("positions")
    for yaw, mirrored in ((35.0, False), (-20.0, True)):
        turned = dataset.turn(dataset.mirror(positions) if mirrored else positions, -yaw if mirrored else yaw)
        wanted = dataset.about_crop(turned, dataset.crop_place(turned))
        found = bodies.seen(index, np.full(count, yaw), np.full(count, mirrored))
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_body_batches_hold_bodies_and_their_pictures(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    bodies = sampling.gather_bodies([t for t in takes if not t.held_out])
    stream = sampling.body_batches(bodies, 12, 3, between=0.5)
    frames, body = next(stream)
    assert frames.shape == (12, 1, 128, 128)
    assert body.shape == (12, 21, 3)
    np.testing.assert_array_equal(frames, dataset.silhouettes(dataset.project(body, np.zeros(12, np.float32))))
    bones = np.linalg.norm(body[:, BONES[:, 1]] - body[:, BONES[:, 0]], axis=-1)
    assert np.abs(bones[:3] / LENGTHS - 1).max() < 1e-4  # those between two bodies
    same, _ = next(sampling.body_batches(bodies, 12, 3, between=0.5))
    np.testing.assert_array_equal(frames, same)
    assert (next(stream)[0] != frames).any()
    assert (next(sampling.body_batches(bodies, 12, 3, start=1))[0] != frames).any()
    with pytest.raises(UserError, match="bodies"):
        sampling.gather_bodies([t for t in takes if t.mirrored])


def test_written_takes_hold_their_hands_and_captured_ones_keep_them_open(tiny_fit: TinyFit) -> None:
    takes, _ = open_takes(tiny_fit.work / "data.zarr")
    assert {t.captured for t in takes} == {True, False}
    for take in takes:
        hands = take.read("hands")
        assert hands.shape == (len(take), dataset.HANDS)
        assert not hands.any() or not take.captured
        assert take.read("hands", slice(3, 9)).shape == (6, dataset.HANDS)
        if take.dance and not take.mirrored:
            other = next(t for t in takes if t.clip == take.clip and t.mirrored)
            assert np.array_equal(other.read("hands"), hands[:, [2, 3, 0, 1]])
    pointing = next(d for d in DANCES if d.hands == "point")
    assert all(m.hands is not None and m.hands.any() for m in dataset.written_motions((pointing,), 7))


def test_hands_are_put_into_a_data_set_that_was_made_before_it_had_any(tiny_fit: TinyFit, tmp_path: Path) -> None:
    path = shutil.copytree(tiny_fit.work / "data.zarr", tmp_path / "data.zarr")
    wanted = [t.read("hands") for t in open_takes(path)[0]]
    root = zarr.open_group(path, mode="r+")
    for _, group in root.groups():
        if "hands" in group:
            del group["hands"]
    del root.attrs["hands"]
    assert not any(t.read("hands").any() for t in open_takes(path)[0])
    seed = int(str(root.attrs["recipe"]).split("seed=")[1].split()[0])
    dataset.build(path, tiny_fit.motion, seed, tiny=True)
    assert all(np.array_equal(t.read("hands"), hands) for t, hands in zip(open_takes(path)[0], wanted, strict=True))


def test_joined_takes_have_no_seam() -> None:
    loops = [perform(DANCES[0], 0.5, seed=k).positions for k in range(3)]
    joined = dataset.join_takes(loops)
    assert joined.shape == (sum(map(len, loops)), 21, 3)
    around = np.concatenate([joined, joined[:2]])
    largest = lambda p: np.linalg.norm(np.diff(p, axis=0), axis=-1).max()  # noqa: E731
    bare = np.concatenate([*loops, loops[0][:2]])
    seams = np.cumsum([len(p) for p in loops])
    for seam in seams:
        assert largest(around[seam - 1 : seam + 1]) <= 1.05 * largest(loops[0])
    assert any(largest(bare[s - 1 : s + 1]) > largest(around[s - 1 : s + 1]) for s in seams)
    middle = len(loops[0]) // 2
    np.testing.assert_array_equal(joined[STEPS_PER_BEAT : middle + 1], loops[0][STEPS_PER_BEAT : middle + 1])


# --- what is there already


def test_a_finished_data_set_is_kept_as_it_is(tiny_fit: TinyFit) -> None:
    path = tiny_fit.work / "data.zarr"
    before = (path / "zarr.json").stat().st_mtime_ns
    assert dataset.build(path, tiny_fit.motion, 7, tiny=True) == path
    assert (path / "zarr.json").stat().st_mtime_ns == before


def test_a_finished_data_set_of_another_recipe_is_not_thrown_away(tiny_fit: TinyFit) -> None:
    path = tiny_fit.work / "data.zarr"
    with pytest.raises(UserError, match="another recipe"):
        dataset.build(path, None, 7, tiny=True)
    with pytest.raises(UserError, match="another recipe"):
        dataset.build(path, tiny_fit.motion, 8, tiny=True)
    assert open_takes(path)[0]


def test_an_unfinished_data_set_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset.choreography, "DANCES", DANCES[:1])
    path = tmp_path / "data.zarr"

    def stop(joints: np.ndarray) -> np.ndarray:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(dataset, "crop_place", stop)
        with pytest.raises(KeyboardInterrupt):
            dataset.build(path, None, 7, tiny=True)
    with pytest.raises(UserError, match="not finished"):
        open_takes(path)
    takes, styles = open_takes(dataset.build(path, None, 7, tiny=True))
    assert styles == [DANCES[0].style]
    assert {t.dance for t in takes} == {DANCES[0].name}


def test_a_removal_that_was_stopped_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an unfinished data set is still known as the program's own."""
    monkeypatch.setattr(dataset.choreography, "DANCES", DANCES[:1])
    path = dataset.build(tmp_path / "data.zarr", None, 7, tiny=True)
    zarr.open_group(path).attrs["finished"] = False

    def stop(folder: Path) -> None:
        assert (folder / "zarr.json").unlink() is None
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(dataset.shutil, "rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            dataset.build(path, None, 7, tiny=True)
    assert open_takes(dataset.build(path, None, 7, tiny=True))[0]


@pytest.mark.parametrize("kind", ["file", "empty folder", "photos", "array", "broken", "other zarr"])
def test_foreign_things_are_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "data.zarr"
    if kind == "file":
        path.write_text("mine")
    elif kind == "array":
        zarr.create_array(path, shape=(2,), dtype="f4")
    elif kind == "other zarr":
        zarr.open_group(path, mode="w", attributes={"mine": True})
    else:
        path.mkdir()
        if kind == "photos":
            (path / "holiday.jpg").write_bytes(b"mine")
        if kind == "broken":
            (path / "zarr.json").write_text("{mine")
    before = sorted((p.name, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file())
    with pytest.raises(UserError, match=r"data\.zarr"):
        dataset.build(path, None, 7, tiny=True)
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()) == before


def test_the_digest_tells_other_motions_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for name, dances in (("a", DANCES[:1]), ("b", DANCES[:1]), ("c", DANCES[1:2])):
        monkeypatch.setattr(dataset.choreography, "DANCES", dances)
        digests.append(dataset.motions_digest(dataset.build(tmp_path / name, None, 7, tiny=True)))
    assert digests[0] == digests[1] != digests[2]


# --- batches


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> list[dataset.Take]:
    """Takes whose first pixels hold the number of the take and of the frame."""
    root = zarr.open_group(
        tmp_path_factory.mktemp("numbered") / "z", mode="w", attributes={"finished": True, "styles": ["x"]}
    )
    for number, length in enumerate((130, 64, 7)):
        group = root.create_group(f"{number:05d}", attributes={
            "clip": f"c{number}", "style": "x", "dance": "", "mirrored": False, "yaw": 0.0, "timed": True,
            "held_out": False, "captured": True, "licence": "MIT", "phrase": 0})  # fmt: skip
        frames = np.zeros((length, 4, 4), np.uint8)
        frames[:, 0, 0], frames[:, 0, 1] = number, np.arange(length)
        group.create_array("frames", data=frames, chunks=(dataset.CHUNK, 4, 4))
        joints = np.repeat(np.arange(length, dtype=np.float32), 42).reshape(length, 21, 2)
        group.create_array("joints", data=joints)
        group.create_array("energy", data=np.zeros(length, np.float32))
    return open_takes(Path(str(root.store_path).removeprefix("file://")))[0]


def take_batches(takes: list[dataset.Take], count: int, **options: int) -> list[tuple[np.ndarray, np.ndarray]]:
    stream = frame_batches(takes, **{"batch": 16, "seed": 3, "buffer": 128, **options})
    try:
        return list(itertools.islice(stream, count))
    finally:
        stream.close()


def test_batches_reach_every_frame(numbered: list[dataset.Take]) -> None:
    found = set()
    for frames, joints in take_batches(numbered, 60):
        assert frames.shape == (16, 4, 4)
        assert joints.shape == (16, 21, 2)
        np.testing.assert_array_equal(joints[:, 0, 0], frames[:, 0, 1])  # frames keep their joints
        found |= {(int(f[0, 0]), int(f[0, 1])) for f in frames}
    assert len(found) == 130 + 64 + 7


def test_batches_are_the_same_for_the_same_seed(numbered: list[dataset.Take]) -> None:
    one, two = take_batches(numbered, 20), take_batches(numbered, 20)
    for (a, _), (b, _) in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    resumed = take_batches(numbered, 20, start=10)
    assert any((a != b).any() for (a, _), (b, _) in zip(one, resumed, strict=True))


def test_batches_read_no_more_than_the_buffer_at_once(
    numbered: list[dataset.Take], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    permutation = np.random.Generator.permutation

    class Spy:
        """Sees how many frames each buffer held when it was shuffled."""

        def __init__(self, seed: list[int]) -> None:
            self.rng = np.random.Generator(np.random.PCG64(seed))

        def permutation(self, count: int) -> np.ndarray:
            sizes.append(count)
            return permutation(self.rng, count)

    monkeypatch.setattr(np.random, "default_rng", Spy)
    take_batches(numbered, 40, buffer=128)
    frames = [s for s in sizes if s != 5]  # five chunks in all
    assert frames
    assert max(frames) <= 128


def test_a_few_frames_fill_a_large_batch(numbered: list[dataset.Take]) -> None:
    (frames, _), *_ = take_batches(numbered[2:], 1, batch=100)
    assert frames.shape == (100, 4, 4)
    assert set(frames[:, 0, 1].tolist()) == set(range(7))


def test_no_frames_are_a_user_error() -> None:
    with pytest.raises(UserError, match="no frames"):
        next(frame_batches([], 4, 0))


def test_trouble_while_reading_is_raised_to_the_reader(
    numbered: list[dataset.Take], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: dataset.Take, name: str, part: slice = slice(None)) -> np.ndarray:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(dataset.Take, "read", broken)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        next(frame_batches(numbered, 4, 0))


def test_views_are_the_same_for_the_same_clip() -> None:
    motion = Motion("c", "x", SHORT, SHORT[:, 0, 0], True, False, True, "", "MIT")
    assert dataset.views(motion, 7, False) == dataset.views(motion, 7, False)
    assert dataset.views(motion, 7, False) != dataset.views(replace(motion, clip="d"), 7, False)
    assert dataset.views(motion, 7, True) == [(False, 0.0), (True, 0.0)]
    assert len(dataset.views(replace(motion, captured=False), 7, False)) == 3
