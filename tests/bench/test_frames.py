"""Frame times: what a probe writes down is read rightly, and a probe writes it down."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.frame_probe import PARTS, Parts
from bench.frames import ROOT, Run, Song, describe_shares, make_profile, make_table, measure, read_run
from bench.soak import SOUND_RATE
from tests.support.made_sound import write_song

FLOOR = {"decode": 1.0, "blit": 0.5, "present": 0.5, "floor": 2.0}


def record(frames: list[tuple[float, float, int, float]]) -> dict:
    return {
        "frames": frames,
        "floor": FLOOR,
        "parts": [[True, "present", 0.5], [False, "networks", 1.0]],
        "missing": [],
    }


def made_run() -> Run:
    """Two seconds at 50 a second, of which the second has half the rate and fewer effects; before that, a slow one."""
    slow = [(k / 10, 0.09, 0, 50.0) for k in range(10)]
    fast = [(1 + k / 50, 0.004, 0, 50.0) for k in range(50)]
    coarse = [(2 + k / 25, 0.008, 1, 25.0) for k in range(26)]
    return read_run(record([*slow, *fast, *coarse]), "toast: 25 frames a second: too slow\ntoast: style: disco\n")


def test_the_first_second_does_not_count_and_time_is_shared_out_by_rate_and_detail() -> None:
    run = made_run()
    assert run.rate == pytest.approx(75 / 2)
    assert run.intervals.max() == pytest.approx(40)
    assert np.median(run.work) == pytest.approx(4)
    assert run.shares == {(50.0, 0): pytest.approx(0.49), (25.0, 1): pytest.approx(0.51)}
    assert describe_shares(run.shares) == "25 -1 51%, 50 all 49%"
    assert run.said == ["25 frames a second: too slow"]


def test_too_few_frames_are_an_error_that_tells_what_was_said() -> None:
    with pytest.raises(RuntimeError, match="no display"):
        read_run(record([]), "no display")


def test_the_table_holds_work_over_floor(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("64x36", "paper", "before", made_run())]
    console = Console(width=200)
    console.print(make_table("a test", rows))
    console.print(make_profile(rows))
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if "paper" in line and "before" in line and "│" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")][3:10] == [
        "37.5", "20.0", "40.0", "40.0", "4.0", "2.0", "2.00",
    ]  # fmt: skip
    assert "networks (aside)" in said


def test_a_part_counts_without_the_parts_within_it_and_threads_count_apart() -> None:
    now = 0.0
    parts = Parts(lambda: now)

    def spend(seconds: float) -> None:
        nonlocal now
        now += seconds

    with parts.time("outer"):
        spend(1)
        with parts.time("inner"):
            spend(2)
        spend(4)

    def aside() -> None:
        with parts.time("inner"):
            spend(8)

    thread = threading.Thread(target=aside)
    thread.start()
    thread.join()
    assert parts.seconds == {(True, "outer"): 5, (True, "inner"): 2, (False, "inner"): 8}


def test_what_is_not_there_is_not_timed() -> None:
    parts = Parts()
    assert not parts.attach("visualizer.nothing:here", "nothing")
    assert not parts.attach("visualizer.live:LiveShow.no_such", "nothing")


def test_every_part_of_a_frame_is_found_in_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    parts, found = Parts(), set()
    monkeypatch.setattr("bench.frame_probe.setattr", lambda *_: None, raising=False)  # nothing is to stay timed
    for where, part in PARTS.items():
        if parts.attach(where, part):
            found.add(part)
    assert found == set(PARTS.values())


def test_a_song_is_played_over_and_over(tmp_path: Path) -> None:
    sound = np.sin(np.arange(SOUND_RATE) / 7).astype(np.float32) / 2
    write_song(tmp_path / "song.wav", sound, SOUND_RATE, "pcm_s16le")
    song = Song(tmp_path / "song.wav")
    assert np.allclose(song.samples(SOUND_RATE - 3, 6)[:3], sound[-3:], atol=1e-3)
    assert np.allclose(song.samples(SOUND_RATE - 3, 6)[3:], sound[:3], atol=1e-3)


@pytest.mark.slow
def test_the_program_is_measured_and_its_parts_are_all_found() -> None:
    words = ["--window", "320x180", "--look", "paper", "--stage", "painter", "--audio", "none", "--device", "cpu"]
    words += ["--seed", "1", "--seconds", "1.5", "--no-remember"]
    env = {**os.environ, "SDL_VIDEODRIVER": "offscreen"}
    run = measure(ROOT, words, env, profiled=True)
    assert len(run.work) > 3
    assert set(run.floor) == set(FLOOR)
    assert sum(run.shares.values()) == pytest.approx(1)
    assert {name for _, name, _ in run.parts} <= set(PARTS.values())
    assert "networks" in {name for _, name, _ in run.parts}
