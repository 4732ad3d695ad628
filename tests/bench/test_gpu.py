"""The benchmark of a graphics card where there is none: what it says, and that a part that fails is a row."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import gpu, gpu_tasks
from bench.gpu import Plan, Row, compare, make_table, measure_all
from bench.networks import inputs
from visualizer.dancer.pack import find_pack, read_info
from visualizer.networks.contract import expected_inputs

PLAN = Plan(("cpu", "cuda"), 0.0, ((64, 36),), 1)


def test_without_a_card_it_says_so_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "has_nvidia", lambda: False)
    monkeypatch.setattr(sys, "argv", ["bench.gpu"])
    gpu.main()
    assert "no NVIDIA card" in capsys.readouterr().out


def test_what_fails_on_one_device_is_said_beside_what_the_other_took() -> None:
    def measure(device: str) -> float:
        if device == "cuda":
            raise RuntimeError("runs on cpu, not on cuda\nand more")
        return 2.0

    row = compare("a step", PLAN, measure)
    assert row.cells() == ("a step", "2.000", "", "", "", "cuda: runs on cpu, not on cuda")
    assert Row("a step", 6.0, 2.0, "≤ 4").cells() == ("a step", "6.000", "2.000", "3.0", "≤ 4", "")


def test_a_part_that_breaks_leaves_the_others_and_time_that_is_over_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Plan) -> Iterator[Row]:
        yield Row("first", 1.0, None)
        raise ValueError("no such thing")

    def goes_on(_: Plan) -> Iterator[Row]:
        yield Row("second", 1.0, None)
        yield Row("third", 1.0, None)

    monkeypatch.setattr(gpu, "PARTS", {"breaks": breaks, "goes on": goes_on})
    later = time.monotonic() + 1000
    rows = measure_all(PLAN, ["breaks", "goes on"], later, lambda _: None)
    assert [row.what for row in rows] == ["first", "breaks", "second", "third"]
    assert "no such thing" in rows[1].note
    rows = measure_all(PLAN, ["goes on"], -1.0, lambda _: None)
    assert [row.what for row in rows] == ["second", "goes on: the rest"]


def test_the_table_goes_between_the_marks_of_its_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A card\n\n<!-- python -m bench.gpu -->\nold\n<!-- end -->\n\nmore\n", encoding="utf-8")
    monkeypatch.setattr(gpu, "PARTS", {"film": lambda _: iter([Row("a frame", 2.0, None)])})
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--dry", "--write", str(page)])
    gpu.main()
    text = page.read_text(encoding="utf-8")
    assert "| a frame | 2.000 |" in text
    assert "old" not in text
    assert text.endswith("<!-- end -->\n\nmore\n")
    assert make_table([]) in text.replace("| a frame | 2.000 |  |  |  |  |\n", "")


def test_the_device_that_is_measured_is_the_one_that_runs() -> None:
    """A session that fell back to the processor is no measurement of a card."""
    folder = find_pack(None)
    info = read_info(folder)
    path, feed = folder / "dancer.onnx", inputs(expected_inputs(info)["dancer"], info["letters"], 1)
    assert gpu_tasks.time_network(path, "cpu", feed, 0.0) > 0
    assert gpu_tasks.time_bound(path, "cpu", feed, 0.0) > 0
    assert set(gpu_tasks.count_nodes(path, "cpu", feed)) == {"CPU"}
    with pytest.raises(RuntimeError, match="not on coreml"):
        gpu_tasks.time_network(path, "coreml", feed, 0.0)


def test_an_encoder_that_pyav_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [np.zeros((36, 64, 4), np.uint8)] * 2
    assert gpu_tasks.time_encoder("cpu", (64, 36), frames) > 0
    monkeypatch.setitem(gpu_tasks.ENCODERS, "cuda", "h264_of_nobody")
    with pytest.raises(RuntimeError, match="no h264_of_nobody"):
        gpu_tasks.time_encoder("cuda", (64, 36), frames)
