"""What the doctor says of guests: what is missing, and how to get it."""

from __future__ import annotations

import pytest

from visualizer.camera import bundle, devices, landmarker
from visualizer.camera.devices import CameraDevice
from visualizer.listings import list_cameras
from visualizer.support.check_camera import camera
from visualizer.support.finding import ABSENT, OK, WORSE

ONE = [CameraDevice(0, "Front Camera")]


def set_up(
    monkeypatch: pytest.MonkeyPatch, cameras: list[CameraDevice] | None, extra: bool = True, network: bool = True
) -> None:
    kept = bundle.Bundle(bundle.kept_path("lite"), b"", "")
    monkeypatch.setattr(devices, "list_cameras", lambda: cameras)
    monkeypatch.setattr(landmarker, "is_there", lambda: extra)
    monkeypatch.setattr(bundle, "find_bundle", lambda sizes: kept if network else None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.10.33")


def test_all_that_guests_need_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, ONE)
    assert camera().state == OK
    assert "Front Camera" in camera().found


@pytest.mark.parametrize(
    ("cameras", "extra", "network", "state", "remedy"),
    [
        (ONE, False, True, ABSENT, "dancing-screen[camera]"),
        (ONE, True, False, ABSENT, "training person-model"),
        ([], True, True, ABSENT, "--camera FILE"),
        ([CameraDevice(0, "Front", "group video")], True, True, WORSE, "group video"),
    ],
)
def test_what_is_missing_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, cameras: list[CameraDevice], extra: bool, network: bool, state: str, remedy: str
) -> None:
    set_up(monkeypatch, cameras, extra, network)
    assert camera().state == state
    assert remedy in camera().remedy


def test_devices_lists_cameras_and_what_they_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, ONE, extra=False)
    list_cameras()
    assert capsys.readouterr().out.splitlines() == [
        "--camera 0  Front Camera", "for guests: pip install 'dancing-screen[camera]'",
    ]  # fmt: skip
    set_up(monkeypatch, [])
    list_cameras()
    assert capsys.readouterr().out == "--camera: no camera\n"
    set_up(monkeypatch, None)
    list_cameras()
    assert "the first is 0" in capsys.readouterr().out
