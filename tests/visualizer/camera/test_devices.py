"""Which cameras there are, and which is meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from visualizer.camera import devices
from visualizer.camera.devices import find_camera, list_cameras
from visualizer.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cameras, one of which has a second file, as Linux lists them."""
    monkeypatch.setattr(sys, "platform", "linux")
    for number, name, index in ((40, "Front Camera", 0), (41, "Front Camera", 1), (42, "Capture HD", 0)):
        place = tmp_path / f"video{number}"
        place.mkdir()
        (place / "name").write_text(f"{name}\n")
        (place / "index").write_text(f"{index}\n")
    return tmp_path


def test_each_camera_is_listed_once(folder: Path) -> None:
    found = list_cameras(folder)
    assert found is not None
    assert [(each.number, each.name) for each in found] == [(40, "Front Camera"), (42, "Capture HD")]
    assert list_cameras(folder / "none") == []


def test_a_number_a_name_or_a_film(folder: Path, tmp_path: Path) -> None:
    film = tmp_path / "2"
    film.write_bytes(b"")
    assert find_camera("3", folder) == 3
    assert find_camera("/dev/video5", folder) == 5
    assert find_camera("capture", folder) == 42
    assert find_camera(str(film), folder) == film
    with pytest.raises(UserError, match="cameras: 40 Front Camera, 42 Capture HD"):
        find_camera("sofa", folder)
    with pytest.raises(UserError, match="number"):
        find_camera("99999", folder)
    with pytest.raises(UserError, match="another machine"):
        find_camera("rtsp://somewhere/film", folder)


def test_a_camera_without_permission_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.os, "access", lambda path, mode: False)
    monkeypatch.setattr(devices.Path, "exists", lambda self: True)
    found = list_cameras(folder)
    assert found is not None
    assert "group video" in found[0].trouble


def test_where_cameras_are_not_named_they_have_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert list_cameras() is None
    with pytest.raises(UserError, match="by its number"):
        find_camera("front")
