"""A show that ended badly goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.resume import Resume, find_mark, open_resume


def test_a_show_that_ended_badly_goes_on(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "show.json"
    first = Resume("mark", kept)
    assert first.find() == 0
    first.keep(2)
    first.keep(3)
    first.close(ended=False)
    assert Resume("mark", kept).find() == 3
    assert Resume("another list", kept).find() == 0
    last = Resume("mark", kept)
    last.close(ended=True)
    assert not kept.exists()
    assert list(kept.parent.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"mark": "mark", "cue": -1}', '{"mark": "mark", "cue": true}',
                                  '{"mark": "mark", "cue": "2"}', "[" * 100_000, "\0" * 5000])  # fmt: skip
def test_a_broken_file_is_no_reason_not_to_begin(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "show.json"
    kept.write_text(text, encoding="utf-8")
    assert Resume("mark", kept).find() == 0


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    resume = Resume("mark", tmp_path / "file" / "show.json")
    resume.keep(1)
    resume.close(ended=False)
    assert resume.find() == 0


def test_a_list_that_was_edited_begins_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text("[[cue]]\n")
    before = find_mark(path)
    path.write_text("[[cue]]\n\n")
    assert find_mark(path) != before
    said: list[str] = []
    assert open_resume(tmp_path / "none.toml", said.append) is None
    assert "cannot be read" in said[0]
