"""The window: which display, how large, and whether a GPU or the processor paints in it."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from visualizer.errors import UserError
from visualizer.music import taken
from visualizer.paths import assets
from visualizer.stage import renderer as known_renderer
from visualizer.stage import x11
from visualizer.stage.displays import Display, displays, find_display, is_called, same_display
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.guarded import HELD, GuardedSurface, GuardedTarget
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.gpu.gpu_probe import GpuProbe
from visualizer.stage.shots import Camera

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.music.clock import Hearing
    from visualizer.stage.looks import Look
    from visualizer.stage.gpu.shader import Shader

log = logging.getLogger("visualizer")

TITLE = "The Dancing Screen"
NOT_SEEN = ("offscreen", "dummy")  # SDL's drivers without a screen; fine if asked for
POINTER_SECONDS = 2.0  # for which the pointer is seen in a window after it was moved


class NoDisplay(Exception):
    """This machine has no screen that a window could open on."""


class NoGpu(Exception):
    """OpenGL is absent, too old, or runs on the processor."""


class Window:
    """A window on one display. `draw` paints and shows; `notes` holds what there is to say about it."""

    def __init__(self, size: tuple[int, int] | None, display: int | str = 0, stage: str = "auto") -> None:
        """`size` None is fullscreen. `display`: number or name. `stage`: "auto", "shader" or "painter".

        NoDisplay where there is no screen; UserError if the display or the forced stage does not exist.
        """
        self.notes: list[str] = []
        self.vsync = False
        self._shader: Shader | None = None
        self._painter: Painter | None = None
        self._detail = 0
        self.guard = FlashGuard()  # one for all windows: it remembers what was seen in the last one
        self._guarded: GuardedSurface | None = None
        self._target: GuardedTarget | None = None
        self._told = False  # that flashes are held back
        self._messages: deque[str] = deque()
        self._probe: GpuProbe | None = None
        self.pace = 60.0  # frames a second for the loop to keep to
        open_video()
        self.camera = Camera()
        self._pointer_until = -1.0  # the show's clock; -1: hidden
        self.displays = displays()  # as they were when last looked at
        try:
            self.display = find_display(self.displays, display)
        except UserError:
            pygame.display.quit()
            raise
        # The display where the show belongs, while it is not there: its name, or what it was and who was beside it.
        self._missed: str | tuple[Display, tuple[Display, ...]] | None = None
        desktop = self.display.size
        self._windowed = size or (desktop[0] * 2 // 3, desktop[1] * 2 // 3)
        self.fullscreen = size is None
        self.gpu = stage != "painter"
        self._forced = stage == "shader"
        if self._forced:
            known_renderer.forget()  # who asks for it wants to know
        elif self.gpu and (known := known_renderer.recall()):
            self.gpu = False
            self.notes.append(f"no GPU for the picture ({known}, as the last time): painting on the processor")
        if self.gpu:
            try:
                self._open()
            except NoGpu as error:
                if stage == "shader":
                    pygame.display.quit()
                    raise UserError(f"the shader stage needs OpenGL 3.3: {error}") from error
                self.gpu = False
                self.notes.append(f"no GPU for the picture ({error}): painting on the processor")
        if not self.gpu:
            self._open()

    @property
    def size(self) -> tuple[int, int]:
        """Pixels now."""
        return pygame.display.get_window_size()

    @property
    def stage_name(self) -> str:
        """Who paints, in words."""
        return "shader" if self.gpu else "painter"

    @property
    def rate(self) -> float:
        """Frames a second worth showing here. Displays beyond 75 Hz get a half or a third from the painter."""
        rate = float(pygame.display.get_current_refresh_rate() or 60)
        return rate if self.gpu else painter_rate(rate)

    def _open(self) -> None:
        """(Re)open the window with what is chosen now. NoGpu if it cannot be had with OpenGL."""
        self._release()
        self.vsync = False
        if pygame.display.get_surface() is not None:
            # A window that is there cannot change between full screen and window, nor drop OpenGL, where no window
            # manager runs, as on many a machine behind a projector. A new one always can.
            pygame.display.quit()
            open_video()
            there = displays()
            self.display, self.displays = same_display(there, self.display, self.displays) or there[0], there
        pygame.display.set_caption(TITLE)
        pygame.display.set_icon(pygame.image.load(str(assets() / "icon.png")))
        pygame.display.set_allow_screensaver(False)
        size = (0, 0) if self.fullscreen else self._windowed
        flags = pygame.FULLSCREEN if self.fullscreen else pygame.RESIZABLE
        if self.gpu:
            self._open_gl(size, flags)
        else:
            if pygame.display.get_driver() == "x11":
                # SDL would send each frame through OpenGL, which is slow here; shared memory is 8 times faster.
                os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
            try:
                pygame.display.set_mode(size, flags, display=self.display.number)
            except pygame.error as error:
                raise NoDisplay(str(error)) from error
        if pygame.display.get_allow_screensaver():
            log.info("this system does not let a program keep the display awake")
        pygame.mouse.set_visible(False)
        self._pointer_until = -1.0
        self._fit()
        # With vsync the flip waits for the display; this only keeps a hidden window from racing.
        self.pace = self.rate * (2 if self.vsync else 1)

    def _open_gl(self, size: tuple[int, int], flags: int) -> None:
        flags |= pygame.OPENGL | pygame.DOUBLEBUF
        for attribute, value in (
            (pygame.GL_CONTEXT_MAJOR_VERSION, 3),
            (pygame.GL_CONTEXT_MINOR_VERSION, 3),
            (pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE),
        ):
            pygame.display.gl_set_attribute(attribute, value)
        try:
            pygame.display.set_mode(size, flags, display=self.display.number, vsync=1)
            self.vsync = True
        except pygame.error:  # some drivers have OpenGL but no vsync: the loop paces itself then
            try:
                pygame.display.set_mode(size, flags, display=self.display.number)
            except pygame.error as error:
                raise NoGpu(str(error)) from error

    def _fit(self) -> None:
        """Make a stage for the size the window has."""
        self._release()
        if not self.gpu:
            self._painter = Painter(self.size, patient=False)
            self._painter.detail = self._detail
            self._guarded = GuardedSurface(self.guard, self.size)
            if (screen := pygame.display.get_surface()) is not None:
                self._guarded.begin(screen, time.perf_counter())
            return
        import moderngl

        from visualizer.stage.gpu.shader import Shader

        try:
            moderngl.init_context()  # not create_context, which finds only the first context, and none made by EGL
        except (RuntimeError, OSError, ValueError, moderngl.Error) as error:
            raise NoGpu(str(error)) from error
        context = moderngl.get_context()
        renderer = str(context.info["GL_RENDERER"])
        log.debug("OpenGL %s on %s", context.info["GL_VERSION"], renderer)
        if context.version_code < 330:
            raise NoGpu(f"{renderer} has only OpenGL {context.version_code / 100:.1f}")
        if not self._forced and known_renderer.on_processor(renderer):
            known_renderer.remember(renderer)
            raise NoGpu(renderer)
        try:
            self._target = GuardedTarget(self.guard, context, self.size, context.screen)
            self._shader = Shader(context, self.size, self._target.canvas, patient=False)
            self._probe = GpuProbe(context)
        except moderngl.Error as error:  # a driver that does not take our GLSL, or has no memory left
            raise NoGpu(first_line(error)) from error

    def _open_anyhow(self) -> None:
        """As `_open`, in the middle of the show: without OpenGL if it can no longer be had."""
        try:
            self._open()
        except NoGpu as error:
            self._paint_from_now_on(str(error))

    def _paint_from_now_on(self, why: str) -> None:
        """The GPU has failed: the show goes on without it, in a new window. Not tried again before the next show."""
        self.gpu = False
        self._messages.append(f"the GPU has failed ({why}): painting on the processor")
        self._open()

    def _release(self) -> None:
        self.camera.forget()
        if self._shader is not None:
            self._shader.release()
        if self._painter is not None:
            self._painter.close()
        if self._target is not None:
            self._target.release()
        if self._probe is not None:
            self._probe.release()
        self._shader = self._painter = self._guarded = self._target = self._probe = None

    def toggle_fullscreen(self) -> None:
        """From window to full screen and back."""
        if not self.fullscreen:
            self._windowed = self.size
        self.fullscreen = not self.fullscreen
        self._open_anyhow()

    @property
    def windowed(self) -> tuple[int, int]:
        """Size of the window when it is not full screen."""
        return self._windowed if self.fullscreen else self.size

    def next_display(self) -> bool:
        """On to the next display, as it is, full screen or window; False if there is no other."""
        self.displays = displays()
        if len(self.displays) < 2:
            return False
        self._missed = None
        self._move_to(self.displays[(self.display.number + 1) % len(self.displays)])
        return True

    def _move_to(self, display: Display) -> None:
        if not self.fullscreen:
            self._windowed = self.size
        self.display = display
        self._open_anyhow()

    def dragged_to(self, number: int) -> None:
        """Somebody has pulled the window over to that display."""
        if number < len(self.displays) and number != self.display.number:
            self.display, self._missed = self.displays[number], None

    def miss(self, name: str) -> None:
        """The display of that name is where the show belongs; it moves there as soon as it is plugged in."""
        self._missed = name

    def follow_displays(self) -> str | None:
        """To be asked now and then: what there is to say if displays were plugged in or out, or changed.

        A show whose display is gone moves to another, and back once it is there again, if it was full screen.
        """
        before, there = self.displays, displays()
        if there == before or not there:
            return None
        self.displays = there
        back = None
        if isinstance(self._missed, tuple):
            back = same_display(there, *self._missed)
        elif self._missed is not None:
            back = next((d for d in there if is_called(d, self._missed)), None)
        if back is not None and self.fullscreen:
            self._missed = None
            self._move_to(back)
            return f"display {back} is back"
        now = same_display(there, self.display, before)
        if now is None:
            gone, self._missed = self.display, self._missed or ((self.display, before) if self.fullscreen else None)
            self._move_to(there[0])
            return f"display {gone} is gone: on {self.display} now"
        changed = now.size != self.display.size
        self.display = now
        if changed and self.fullscreen:
            self._open_anyhow()
            return f"display {now} has changed"
        return None

    def pointer_moved(self, now: float) -> None:
        """In a window the pointer is shown for a moment; on a full screen there is nothing to point at."""
        if not self.fullscreen:
            if self._pointer_until < 0:
                pygame.mouse.set_visible(True)
            self._pointer_until = now + POINTER_SECONDS

    def rest_pointer(self, now: float) -> None:
        """Hide the pointer again if it was not moved of late."""
        if 0 <= self._pointer_until < now:
            pygame.mouse.set_visible(False)
            self._pointer_until = -1.0

    def draw(
        self,
        picture: Bodies,
        look: Look,
        hearing: Hearing,
        musical_time: float,
        writing: pygame.Surface | None,
        changed: bool,
    ) -> None:
        """Paint one picture, lay `writing` over it and show it; by the painter from now on if the GPU fails."""
        now = time.perf_counter()
        if self.gpu:
            import moderngl

            try:
                self._draw_gl(picture, look, hearing, musical_time, writing, changed, now)
                return
            except (moderngl.Error, pygame.error, NoGpu) as error:
                self._paint_from_now_on(first_line(error))
        assert self._painter is not None
        assert self._guarded is not None
        surface = self._painter.paint(picture, look, hearing, musical_time)
        self.camera.of_surface(surface)
        screen = pygame.display.get_surface()
        if screen is not None:
            pygame.display.update(self._guarded.show(surface, self._painter.dirty, writing, screen, now))

    def _draw_gl(
        self,
        picture: Bodies,
        look: Look,
        hearing: Hearing,
        musical_time: float,
        writing: pygame.Surface | None,
        changed: bool,
        now: float,
    ) -> None:
        """NoGpu, moderngl.Error or pygame.error if the GPU does not do it."""
        assert self._shader is not None
        assert self._target is not None
        assert self._probe is not None
        self._shader.draw(picture, look, hearing, musical_time)
        self.camera.of_gl(self._shader.target, self._shader.size)
        if writing is not None:
            self._shader.write(writing, changed)
        self._target.show(now)
        if not self._probe.alive(now):
            raise NoGpu("it no longer does what it is told")
        pygame.display.flip()

    def toasts(self) -> list[str]:
        """What there is to say since the last time."""
        texts = taken(self._messages) + ([] if self._shader is None else taken(self._shader.complaints))
        if self.guard.held and not self._told:
            self._told = True
            texts.append(HELD)
        return texts

    def set_detail(self, detail: int) -> None:
        """How much the painter leaves out, 0 nothing to 3; a GPU has time for all."""
        self._detail = detail
        if self._painter is not None:
            self._painter.detail = detail

    def follow_size(self) -> bool:
        """Fit the stage to the window if somebody resized it; whether that was so."""
        stage = self._shader or self._painter
        if stage is None or stage.size == self.size:
            return False
        try:
            self._fit()
        except NoGpu as error:
            self._paint_from_now_on(str(error))
        return True

    def save(self, path: str) -> None:
        """The last picture as a PNG."""
        surface = self._target.read() if self._target is not None else pygame.display.get_surface()
        if surface is not None:
            pygame.image.save(surface, path)

    def close(self) -> None:
        """Give the screen back."""
        self._release()
        pygame.display.quit()


def painter_rate(rate: float) -> float:
    """Of a display with that rate, as much of it as the painter can keep up with."""
    while rate > 75:
        rate /= 2
    return rate


def first_line(error: Exception) -> str:
    """Of what a driver says, which may be pages."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def open_video() -> None:
    """Start SDL's video; does nothing if it runs. NoDisplay where there is no screen."""
    if not (asked := os.environ.get("SDL_VIDEODRIVER")):
        os.environ.pop("SDL_VIDEODRIVER", None)  # SDL takes an empty name for a driver that does not exist
        if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
            # The one way left is the bare console. SDL would try all others too, some of which complain on stderr.
            if not any(Path("/dev/dri").glob("card*")):
                raise NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set")
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplay(str(error)) from error
    driver = pygame.display.get_driver()
    if driver == "x11":
        x11.watch()
    if driver in NOT_SEEN and not asked:
        pygame.display.quit()
        raise NoDisplay(f"SDL found only its '{driver}' driver")
    desktops = ", ".join(f"{w}x{h}" for w, h in pygame.display.get_desktop_sizes())
    log.debug("SDL %s on %s: %s", ".".join(map(str, pygame.version.SDL)), driver, desktops)
