"""A guest before the camera beside a show of 720p: pictures a second that are looked at, and how late a guest is seen.

`python -m bench.guests [--bundle FILE] [--seconds 25] [--rate 60]`: a made film of a dancer stands in for the camera,
the painter draws into a screen in memory. Goals: at least 15 pictures a second of the camera while the show keeps its
rate, and at most 120 ms from a picture of the camera to the screen. The delay is where what is shown fits best to the
joints that the film was made of, so smoothing counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from bench.xvfb import screen
from training.data.choreography import DANCES, perform
from training.data.footage.made import CONDITIONS, Shot, at_rate, pictures
from training.data.motion.skeleton import mirror

FINE = 48  # steps a beat of the dance before it is resampled
RATE, SECONDS = 30.0, 6.0  # of the film
SIZE = (640, 480)
MOVING = (7, 11, 14, 18)  # wrists and knees
FRAME_METRES = 2.5
LOOKED, LATE = 15.0, 0.120  # goals
BEGIN = 8.0  # seconds of the show that do not count


def make_film(path: Path, motion: NDArray[np.float32], fps: float) -> NDArray[np.float32]:
    """Write the film of a dance (T, 21, 3) at `fps`; gives the joints of its pictures."""
    joints = at_rate(motion, fps, RATE, SECONDS).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=round(RATE))
        stream.width, stream.height, stream.pix_fmt, stream.options = *SIZE, "yuv420p", {"g": "15", "crf": "20"}  # type: ignore[assignment]
        for picture, _ in pictures(Shot(joints, RATE, "room", CONDITIONS["clean"], SIZE)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        out.mux(stream.encode())
    return joints


def read_dance() -> NDArray[np.float32]:
    """The running man at 60 a second, 110 BPM."""
    dance = next(each for each in DANCES if each.name == "running man")
    loops = np.concatenate([perform(dance, 0.8, FINE, seed=k).positions for k in range(4)])
    beats = np.arange(0, SECONDS, 1 / 60) * 110 / 60
    return CubicSpline(np.arange(len(loops)) / FINE, loops, axis=0)(beats).astype(np.float32)


def watch(name: str) -> None:
    """The process that looks, which tells besides when the film began."""
    from visualizer.camera import pictures as source
    from visualizer.camera import watch as watching

    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    class Begun(source.Film):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            told.write(json.dumps({"begun": self._begun}) + "\n")

    source.Film = Begun  # type: ignore[misc]
    os._exit(watching.main(name, sys.stdin, told))


def play(film: Path, seconds: float, rate: float, out: Path) -> None:
    """The show; notes each picture that is shown, and what was looked at."""
    from fractions import Fraction

    from visualizer import live
    from visualizer.camera import camera_thread
    from visualizer.launch import run
    from visualizer.options import Settings

    rows: list[tuple[float, float]] = []
    joints: list[NDArray[np.float32]] = []
    begun: list[float] = []
    cameras: list[camera_thread.CameraThread] = []
    draw, take, start = live.LiveShow.draw_frame, camera_thread.CameraThread._take, camera_thread.WatchProcess.__init__

    def drawn(self: Any, now: float, due: float | None = None) -> None:
        inner = self.window.draw

        def note(moment: Any) -> None:
            inner(moment)
            looked = cameras[0].looked if cameras else 0
            rows.append((time.monotonic(), float(looked)))
            joints.append(moment.bodies.joints[0].copy())

        self.window.draw = note
        try:
            draw(self, now, due)
        finally:
            self.window.draw = inner

    def taken(self: Any, line: str) -> None:
        cameras[:] = [self]
        told = json.loads(line)
        if "begun" in told:
            begun.append(told["begun"])
        else:
            take(self, line)

    def started(self: Any, name: str) -> None:
        popen = subprocess.Popen

        def other(command: list[str], **more: Any) -> Any:
            return popen([sys.executable, "-m", "bench.guests", "--watch", name], **more)

        camera_thread.subprocess.Popen = other  # type: ignore[misc]
        try:
            start(self, name)
        finally:
            camera_thread.subprocess.Popen = popen  # type: ignore[misc]

    live.LiveShow.draw_frame, camera_thread.CameraThread._take = drawn, taken  # type: ignore[method-assign]
    camera_thread.WatchProcess.__init__ = started  # type: ignore[method-assign]
    run(Settings(window=(1280, 720), audio="none", camera=str(film), seconds=seconds, look="neon", auto=False, seed=4,
                 stage="painter", fps=Fraction(rate), remember=False, stats=True, viewpoint="still"))  # fmt: skip
    np.savez(out, rows=np.array(rows), joints=np.array(joints), begun=begun[-1])


def report(noted: Path, truth: NDArray[np.float32]) -> None:
    """Print the figures."""
    found = np.load(noted)
    times, looked = found["rows"].T
    keep = times > times[0] + BEGIN
    times, looked, joints = times[keep], looked[keep], found["joints"][keep]
    span = times[-1] - times[0]
    shown = (joints - joints[:, :1])[:, MOVING] * FRAME_METRES
    true = mirror(truth)
    true = (true - true[:, :1])[:, MOVING, :2] * (1, -1)
    errors = []
    lags = np.arange(-0.05, 0.4, 0.005)
    for lag in lags:
        place = ((times - float(found["begun"]) - lag) % SECONDS) * RATE
        first = np.floor(place).astype(int)
        u = (place - first)[:, None, None]
        there = true[first % len(true)] * (1 - u) + true[(first + 1) % len(true)] * u
        errors.append(float(np.linalg.norm(shown - there, axis=-1).mean()))
    best = int(np.argmin(errors))
    sure = (looked[-1] - looked[0]) / span
    print(f"show: {len(times) / span:.1f} pictures a second of 1280x720")
    print(
        f"camera: {sure:.1f} pictures a second looked at (goal {LOOKED:.0f}): {'met' if sure >= LOOKED else 'MISSED'}"
    )
    verdict = "met" if lags[best] <= LATE else "MISSED"
    print(f"delay: {1000 * lags[best]:.0f} ms (goal {1000 * LATE:.0f}): {verdict}; wrists and knees then "
          f"{100 * errors[best]:.1f} cm off, in the picture")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--folder", type=Path, help="where a film that is made is kept for the next time")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.watch:
        watch(asked.watch)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        film, noted = folder / "guest.mp4", folder / "noted.npz"
        if asked.play:
            play(film, asked.seconds, asked.rate, noted)
            return
        folder.mkdir(parents=True, exist_ok=True)
        truth = folder / "truth.npy"
        if not film.is_file():
            np.save(truth, make_film(film, read_dance(), 60.0))
        if asked.bundle:
            from visualizer.camera.bundle import keep_bundle

            os.environ["XDG_DATA_HOME"] = str(folder / "data")
            keep_bundle(asked.bundle.read_bytes(), "lite", "a benchmark")
        with screen(1280, 720) as there:
            subprocess.run(
                [sys.executable, "-m", "bench.guests", "--play", "yes", "--folder", str(folder), "--seconds",
                 str(asked.seconds), "--rate", str(asked.rate)],
                env={**there, **os.environ, "DISPLAY": there.get("DISPLAY", "")}, check=True,
            )  # fmt: skip
        report(noted, np.load(truth))


if __name__ == "__main__":
    main()
