"""Faults in the middle of a show of the real program, caused for real: it dances on, and says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.figure import assert_dances, change, figure, is_figure, window
from tests.support.program import Program, Screen

# Put before the program on its path: takes the OpenGL context away from under it after some frames, as a driver that
# restarts does. From then on calls of OpenGL do nothing, and none says so.
TAKE_EGL_AWAY = """
import ctypes, pygame
egl, real, count = ctypes.CDLL("libEGL.so.1"), pygame.event.get, 0
for name in ("eglGetCurrentDisplay", "eglGetCurrentContext"):
    getattr(egl, name).restype = ctypes.c_void_p
egl.eglMakeCurrent.argtypes = [ctypes.c_void_p] * 4
egl.eglDestroyContext.argtypes = [ctypes.c_void_p] * 2
def get():
    global count
    count += 1
    if count == 8:
        display, context = egl.eglGetCurrentDisplay(), egl.eglGetCurrentContext()
        assert context
        assert egl.eglMakeCurrent(display, None, None, None) and egl.eglDestroyContext(display, context)
        print("the context is gone", flush=True)
    return real()
pygame.event.get = get
"""
# The same by GLX, where the X server then calls each flip an error, by which Xlib would end the process.
TAKE_GLX_AWAY = """
import ctypes, pygame
gl, real, count = ctypes.CDLL("libGL.so.1"), pygame.event.get, 0
for name in ("glXGetCurrentDisplay", "glXGetCurrentContext"):
    getattr(gl, name).restype = ctypes.c_void_p
gl.glXMakeCurrent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p]
gl.glXDestroyContext.argtypes = [ctypes.c_void_p] * 2
def get():
    global count
    count += 1
    if count == 8:
        display, context = gl.glXGetCurrentDisplay(), gl.glXGetCurrentContext()
        assert context
        assert gl.glXMakeCurrent(display, 0, None)
        gl.glXDestroyContext(display, context)
        print("the context is gone", flush=True)
    return real()
pygame.event.get = get
"""
# A driver that refuses a call in the middle of a show.
REFUSE_ONE_CALL = """
import moderngl
from visualizer.stage.gpu import shader
real, count = shader.Shader.draw, 0
def draw(self, *given):
    global count
    count += 1
    if count == 8:
        print("the context is gone", flush=True)
        self.gl.program(vertex_shader="no such thing")
    real(self, *given)
shader.Shader.draw = draw
"""
BY_EGL = {"SDL_VIDEO_X11_FORCE_EGL": "1"}


def seconds_of(program: Program, pattern: str) -> float:
    """Until that is said."""
    began = time.monotonic()
    program.wait_for(pattern)
    return time.monotonic() - began


def is_other_figure(grey: NDArray[np.uint8], before: NDArray[np.bool_]) -> bool:
    """Whether there is one, and it has moved."""
    return is_figure(grey) and change(figure(grey), before) > 0.15


def sabotage(folder: Path, code: str) -> dict[str, str]:
    """An environment in which the program runs `code` before itself."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    paths = [str(folder), str(Path(__file__).parents[2])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


@pytest.mark.parametrize(
    ("fault", "driver"),
    [(TAKE_EGL_AWAY, BY_EGL), (TAKE_GLX_AWAY, {}), (REFUSE_ONE_CALL, {})],
    ids=["context lost", "context lost and the X server complains", "call refused"],
)
def test_a_gpu_that_fails_in_the_middle_of_the_show(
    screen: Screen, home: dict[str, str], tmp_path: Path, fault: str, driver: dict[str, str]
) -> None:
    words = ["--window", "640x400", "--audio", "none", "--look", "paper", "--stage", "shader", "--seed", "4"]
    environment = {**screen.env, **home, **driver, **sabotage(tmp_path / "before", fault)}
    with Program(*words, env=environment) as program:
        program.wait_for("shader 640x400")
        program.wait_for("the context is gone")
        print(f"said after {seconds_of(program, 'toast: the GPU has failed .*: painting on the processor'):.2f} s")
        # What is on the screen from now on was painted by the processor: a figure that dances, between toasts.
        seen = [figure(window(screen.grab_until(lambda shot: is_figure(window(shot)))))]
        while len(seen) < 6:
            before = seen[-1]
            shot = screen.grab_until(lambda shot, before=before: is_other_figure(window(shot), before))
            seen.append(figure(window(shot)))
        assert_dances(seen)
        screen.press("Escape")
        program.wait_for("toast: Esc again ends the show")
        screen.press("Escape")
        assert program.end() == 0
    assert not any("Traceback" in line for line in program.said)


def test_no_opengl_at_the_start(screen: Screen, home: dict[str, str]) -> None:
    """The driver's library is not there at all."""
    gone = {"SDL_OPENGL_LIBRARY": "/no/such/libGL.so", "SDL_VIDEO_GL_DRIVER": "/no/such/libGL.so"}
    words = ["--window", "320x200", "--audio", "none", "--seconds", "0.5"]
    with Program(*words, env={**screen.env, **home, **gone}) as program:
        program.wait_for("painter 320x200")
        program.wait_for("toast: no GPU for the picture .*painting on the processor")
        program.wait_for("first frame")
        assert program.end() == 0


def pieces(screen: Screen) -> int:
    """Colours of the screen's middle: one where nothing is drawn."""
    shot = screen.grab()
    return len(np.unique(shot[300:500:4, 500:780:4].reshape(-1, 3), axis=0))


def test_a_window_of_one_pixel_and_a_process_that_is_stopped(screen: Screen, home: dict[str, str]) -> None:
    """It is danced on after each as before."""
    words = ["--window", "640x400", "--audio", "none", "--look", "paper", "--stage", "painter", "--seed", "4"]
    with Program(*words, env={**screen.env, **home}) as program:
        program.wait_for("first frame")
        display = {**os.environ, "DISPLAY": screen.name}
        find = ["xdotool", "getwindowfocus"]
        window = subprocess.run(
            find, env=display, capture_output=True, text=True, check=True, timeout=30
        ).stdout.split()[0]
        screen.press("h")  # with writing, which has no room
        program.wait_for("help: shown")
        for size in ("1", "1"), ("640", "400"):
            subprocess.run(["xdotool", "windowsize", "--sync", window, *size], env=display, check=True, timeout=30)
            screen.press("space")  # the window answers: it has drawn since
            program.wait_for("toast: a new dance")
            program.process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)  # what is tested is that time passes
            program.process.send_signal(signal.SIGCONT)
        screen.press("h")
        program.wait_for("help: hidden")
        screen.grab_until(lambda _: pieces(screen) > 2)
        assert program.process.poll() is None
    assert not any("Traceback" in line for line in program.said)
