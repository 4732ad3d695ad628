"""Nothing leaves the machine: no name is looked up and no address is tried, by a show, a film or a training."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support.cut_off import lingering, run_cut_off
from tests.support.needs import needs
from visualizer import paths

SECONDS = 15.0  # onnxruntime sends what it has gathered about 10 s after it was imported
CONTROL = "import socket; print(socket.create_connection(('control.example', 80)))"

SEEING = """
import sys, time
from pathlib import Path
import numpy as np
from visualizer.camera.bundle import read_bundle
from visualizer.camera.landmarker import Landmarker
with Landmarker(read_bundle(Path(sys.argv[1]))) as eyes:
    eyes.look(np.zeros((120, 96, 3), np.uint8), 0.1)
time.sleep(float(sys.argv[2]))
"""


def test_seeing_people_calls_nobody(tmp_path: Path, pose_bundle: Path) -> None:
    """Later versions of MediaPipe call their maker within two seconds."""
    command = [sys.executable, "-c", SEEING, str(pose_bundle), "5"]
    tried, _ = run_cut_off({"seeing": command}, tmp_path)
    assert tried["seeing"].code == 0, tried["seeing"].said
    assert tried["seeing"].calls == []


def test_a_show_a_film_and_a_training_call_nobody(tmp_path: Path) -> None:
    needs(paths.models().joinpath("default", "pack.json").is_file(), "a trained pack")
    from tests.support.made_clips import dance_motion, write_clips

    home = tmp_path / "home"
    home.mkdir()
    clips = [("house_1", "house", "jack"), ("house_2", "house", "sidewalk stomp")]
    clips += [("hiphop_1", "hiphop", "bounce and rock"), ("hiphop_2", "hiphop", "wide stomp")]
    motion = write_clips(tmp_path / "motion", [(name, style, dance_motion(d, 110, 24)[0]) for name, style, d in clips])
    pack = shutil.copytree(paths.models() / "default", tmp_path / "pack")  # a stranger's: a sandbox tries it
    film = ["film", paths.assets() / "own_music.ogg", "-o", tmp_path / "a.mp4", "--size", "320x180", "--seconds", 2]
    fit = ["fit", "--tiny", "--only", "autoencoder", "--motion", motion, "--out", tmp_path / "fit", "--work", tmp_path]
    tried, asked = run_cut_off(
        {
            "show": lingering(SECONDS, "visualizer", "--window", "320x240", "--seconds", 8, "--no-remember"),
            "film": lingering(SECONDS, "visualizer", *film, "--pack", pack),
            "training": lingering(SECONDS, "training", *fit),
            "control": [sys.executable, "-c", CONTROL],
        },
        home,
    )
    control = tried.pop("control")  # whoever calls is seen: in the trace twice, and by the resolver
    assert any("htons(53)" in call for call in control.calls)
    assert any("htons(80)" in call and "connect" in call for call in control.calls)
    assert set(asked) == {"control.example"}
    for name, what in tried.items():
        assert what.code == 0, f"{name}: {what.said}"
        assert what.seconds > SECONDS
        assert what.calls == [], name
        assert what.sockets == [] or name == "training", name  # a show and a film do not even make one
    # The program's own folder is made, so it was here that anything else would have been.
    assert list(home.rglob("dancing-screen"))
    left = [path for path in home.rglob("*") if any(w in str(path).lower() for w in ("onnx", "microsoft", "deviceid"))]
    assert left == []
