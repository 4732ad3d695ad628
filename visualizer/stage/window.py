"""The window: on which display, how large, full screen or not, and which renderer draws in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pygame

from visualizer.errors import UserError
from visualizer.paths import assets
from visualizer.remote.pin_keys import FIRST_REPEAT, REPEAT
from visualizer.stage.display_follower import DisplayFollower
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.gpu import software_gl
from visualizer.stage.guarded import HELD
from visualizer.stage.renderer import NoGpu, ScreenRenderer
from visualizer.stage.screens.wall import Wall, WallChoice
from visualizer.stage.shots import Camera
from visualizer.stage.video import NoDisplay, open_video

if TYPE_CHECKING:
    from visualizer.moment import Moment
    from visualizer.screen_setup import ScreenTable
    from visualizer.stage.displays import Display
    from visualizer.stage.looks import Look
    from visualizer.stage.screens.surfaces import SurfaceScreens

log = logging.getLogger("visualizer")

IN_MEMORY = ("x11", "offscreen")  # drivers that take a picture from memory; Wayland has none of SDL 2's
TITLE = "The Dancing Screen"
POINTER_SECONDS = 2.0  # for which the pointer is seen in a window after it was moved


class Window:
    """A window on one display, and the renderer that draws in it: a GPU's, or where there is none or it fails, the
    processor's.

    Many lines, for all that opens, moves, fits or replaces the one window is one story.
    """

    def __init__(
        self, size: tuple[int, int] | None, display: int | str = 0, stage: str = "auto",
        notify: Callable[[str], None] = lambda _: None, wall: WallChoice | None = None,
    ) -> None:  # fmt: skip
        """`size` None is fullscreen. `display`: number or name, or several, of which the first has the window. `stage`:
        "auto", "shader" or "painter". `notify` is told what people should know: that there is no GPU, that it has
        failed, that flashes are held back. `wall`: how the picture stands on displays, and which there are besides.

        NoDisplay where there is no screen; UserError if the display or the forced stage does not exist.
        """
        self._notify = notify
        self.vsync = False
        self.guard = FlashGuard()  # one for all renderers: it remembers what was seen in the last window
        self._is_held_told = False  # that flashes are held back
        self.pace = self.refresh = 60.0  # frames a second for the loop to keep to, and those of the display
        self.before_show: Callable[[], None] = lambda: None  # called when a picture is ready to be shown
        self._pointer_until = -1.0  # the show's clock; -1: hidden
        open_video()
        self.camera = Camera()
        self._screens: SurfaceScreens | None = None
        self.wall = Wall(wall or WallChoice(display))
        try:
            self._follower = DisplayFollower(display)
        except UserError:
            pygame.display.quit()
            raise
        width, height = self.display.size
        self._windowed = size or (width * 2 // 3, height * 2 // 3)
        self.fullscreen = size is None
        self.gpu, self._is_forced = stage != "painter", stage == "shader"
        self._detail = 0
        self._renderer = self._open_first()

    def _open_first(self) -> ScreenRenderer:
        if self._is_forced:
            software_gl.forget()  # who asks for it wants to know
        elif self.gpu and (known := software_gl.recall()):
            self.gpu = False
            self._notify(f"no GPU for the picture ({known}, as the last time): painting on the processor")
        if self.gpu:
            try:
                return self._open()
            except NoGpu as error:
                if self._is_forced:
                    pygame.display.quit()
                    raise UserError(f"the shader stage needs OpenGL 3.3: {error}") from error
                self.gpu = False
                self._notify(f"no GPU for the picture ({error}): painting on the processor")
        return self._open()

    @property
    def display(self) -> Display:
        """The one it is on."""
        return self._follower.display

    @property
    def displays(self) -> tuple[Display, ...]:
        """Those there were when it was last looked."""
        return self._follower.displays

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of the picture now."""
        return pygame.display.get_window_size() if self.wall.plan is None else self.wall.plan.size

    @property
    def windowed(self) -> tuple[int, int]:
        """Size of the window when it is not full screen."""
        return self._windowed if self.fullscreen else self.size

    @property
    def stage_name(self) -> str:
        """Who paints, in words."""
        return "shader" if self.gpu else "painter"

    @property
    def rate(self) -> float:
        """Frames a second worth showing here. Displays beyond 75 Hz get a half or a third from the painter."""
        return self.refresh if self.gpu else painter_rate(self.refresh)

    # --- opening

    def _open(self) -> ScreenRenderer:
        """Open the window with what is chosen now, and a renderer in it. NoGpu if it cannot be had with OpenGL."""
        self.vsync = False
        if pygame.display.get_surface() is not None:
            # A window that is there cannot change between full screen and window, nor drop OpenGL, where no window
            # manager runs, as on many a machine behind a projector. A new one always can.
            pygame.display.quit()
            open_video()
            self._follower.find_again()
        pygame.display.set_caption(TITLE)
        pygame.display.set_icon(pygame.image.load(str(assets() / "icon.png")))
        pygame.display.set_allow_screensaver(False)
        size = (0, 0) if self.fullscreen else self._windowed
        flags = pygame.FULLSCREEN if self.fullscreen else pygame.RESIZABLE
        if self.gpu:
            self.vsync = open_gl_window(size, flags, self.display.number)
        else:
            open_plain_window(size, flags, self.display.number)
        if pygame.display.get_allow_screensaver():
            log.info("this system does not let a program keep the display awake")
        pygame.mouse.set_visible(False)
        self._pointer_until = -1.0
        self.wall.make_plan(self.display, self.displays, self.fullscreen)
        renderer = self._make_renderer()
        self.refresh = float(pygame.display.get_current_refresh_rate() or 60)
        # With vsync the flip waits for the display; this only keeps a hidden window from racing.
        self.pace = self.rate * (2 if self.vsync else 1)
        return renderer

    def _make_renderer(self) -> ScreenRenderer:
        screens = self._prepare_screens()
        if self.gpu:
            from visualizer.stage.gpu.renderer import GpuRenderer

            return GpuRenderer(self.size, self.guard, self.camera, self._notify, self._is_forced, self._wait, screens)
        from visualizer.stage.cpu.renderer import CpuRenderer

        return CpuRenderer(self.size, self.guard, self.camera, self._detail, self._wait, screens)

    def _prepare_screens(self) -> SurfaceScreens | None:
        """What shows the picture where that is more than this window as it comes; its windows stay if they can."""
        plan, screens = self.wall.plan, self._screens
        if screens is not None and plan is not None and screens.can_replan(plan, skip_first=self.gpu):
            screens.replan(plan)
            return screens
        self._close_screens()
        if plan is not None:
            from visualizer.stage.screens.surfaces import SurfaceScreens

            self._screens = SurfaceScreens(plan, self._notify, skip_first=self.gpu)
        return self._screens

    def _close_screens(self) -> None:
        if self._screens is not None:
            self._screens.release()
            self._screens = None

    def _wait(self) -> None:
        if not self.vsync:
            self.before_show()

    def _open_again(self) -> None:
        """In the middle of the show: without OpenGL if it can no longer be had."""
        self._release()
        try:
            self._renderer = self._open()
        except NoGpu as error:
            self._replace_gpu(str(error))

    def _replace_gpu(self, why: str) -> None:
        """The GPU has failed: the show goes on without it, in a new window. Not tried again before the next show."""
        self.gpu = False
        self._notify(f"the GPU has failed ({why}): painting on the processor")
        self._release()
        self._renderer = self._open()

    def _release(self) -> None:
        self.camera.forget()
        self._renderer.release()
        self._close_screens()

    def toggle_fullscreen(self) -> None:
        """From window to full screen and back."""
        if not self.fullscreen:
            self._windowed = self.size
        self.fullscreen = not self.fullscreen
        self._open_again()

    # --- displays

    def next_display(self) -> bool:
        """On to the next display, as it is, full screen or window; False if there is no other."""
        size = self.size
        if not self._follower.choose_next():
            return False
        if not self.fullscreen:
            self._windowed = size
        self._open_again()
        return True

    def dragged_to(self, number: int) -> None:
        """Somebody has pulled the window over to that display."""
        self._follower.choose(number)

    def miss(self, name: str) -> None:
        """The display of that name is where the show belongs; it moves there as soon as it is plugged in."""
        self._follower.miss(name)

    def follow_displays(self) -> str | None:
        """To be asked now and then: what there is to say if displays were plugged in or out, or changed.

        A show whose display is gone moves to another, and back once it is there again, if it was full screen.
        """
        before = self.displays
        text, is_to_move = self._follower.look(self.fullscreen)
        if is_to_move or (self.wall.plan is not None and self.displays != before):
            if not self.fullscreen:
                self._windowed = self.size
            self._open_again()
        return text

    # --- the pointer

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

    # --- pictures

    def draw(self, moment: Moment) -> None:
        """Draw one picture with its text and show it; on the processor from now on if the GPU fails. While displays are
        fitted they show the test picture."""
        if self.wall.pinning.on:
            self._draw_grid()
            return
        try:
            self._renderer.draw(moment)
        except NoGpu as error:
            self._replace_gpu(str(error))
            self._renderer.draw(moment)
        if self.guard.held and not self._is_held_told:
            self._is_held_told = True
            self._notify(HELD)

    # --- fitting the picture to displays

    def _draw_grid(self) -> None:
        """Once for each change."""
        if not self.wall.is_grid_stale:
            self.before_show()
            return
        self.wall.is_grid_stale = False
        try:
            self._renderer.draw_grid(self.wall.draw_grid)
        except NoGpu as error:
            self._replace_gpu(str(error))
            self._renderer.draw_grid(self.wall.draw_grid)

    @property
    def pinning(self) -> bool:
        """Whether the test picture is shown."""
        return self.wall.pinning.on

    @property
    def screens(self) -> ScreenTable:
        """What is known of how the picture stands on displays."""
        return self.wall.pinning.table

    def adjust_screen(self, what: str, argument: str) -> str:
        """Do a command of the displays; what to say. UserError, and nothing is changed."""
        pinning, plan = self.wall.pinning, self.wall.plan
        if not self.fullscreen:
            raise UserError("the picture is fitted in full screen: F first")
        if what == "pin":
            if pinning.turn(argument):
                pygame.key.set_repeat(*((FIRST_REPEAT, REPEAT) if pinning.on else (0,)))
                self._renew_renderer()
            return "the picture is fitted" if pinning.on else "fitted"
        said = pinning.adjust(what, argument, tuple(s.display for s in plan.screens) if plan else (self.display,))
        new = self.wall.make_plan(self.display, self.displays, self.fullscreen)
        if new is not None and plan is not None:
            self._renderer.replan(new)
        elif new is not plan:
            self._renew_renderer()
        return said

    def _renew_renderer(self) -> None:
        """In the same window, whose displays are planned anew."""
        self.wall.make_plan(self.display, self.displays, self.fullscreen)
        self.camera.forget()
        self._renderer.release()
        try:
            self._renderer = self._make_renderer()
        except NoGpu as error:
            self.gpu = False
            self._notify(f"the GPU has failed ({error}): painting on the processor")
            self._renderer = self._open()

    def set_detail(self, detail: int) -> None:
        """How much is left out where the processor paints, 0 nothing to 2; a GPU has time for all."""
        self._detail = self._renderer.detail = detail

    def find_details(self, look: Look) -> tuple[int, ...]:
        """The details that save work in this look."""
        if self.gpu:
            return (0,)
        from visualizer.stage.cpu.painter import find_details

        return find_details(look)

    def follow_size(self) -> bool:
        """Fit the renderer to the window if it was resized; whether that was so."""
        if self._renderer.size == self.size:
            return False
        self.camera.forget()
        try:
            self._renderer.resize(self.size)
        except NoGpu as error:
            self._replace_gpu(str(error))
        return True

    def save(self, path: str) -> None:
        """The last picture as a PNG. UserError where it cannot be written."""
        surface = self._renderer.read()
        if surface is None:
            return
        try:
            with open(path, "wb") as file:  # SDL itself opens no name that is not UTF-8
                pygame.image.save(surface, file, "picture.png")
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error

    def close(self) -> None:
        """Give the screen back."""
        self._release()
        pygame.display.quit()


def open_gl_window(size: tuple[int, int], flags: int, display: int) -> bool:
    """Open a window with OpenGL 3.3; whether its flip waits for the display. NoGpu if that cannot be had."""
    if find_spec("moderngl") is None:  # not every kind of computer has a wheel of it
        raise NoGpu("moderngl is not installed")
    flags |= pygame.OPENGL | pygame.DOUBLEBUF
    for attribute, value in (
        (pygame.GL_CONTEXT_MAJOR_VERSION, 3),
        (pygame.GL_CONTEXT_MINOR_VERSION, 3),
        (pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE),
    ):
        pygame.display.gl_set_attribute(attribute, value)
    try:
        pygame.display.set_mode(size, flags, display=display, vsync=1)
    except pygame.error:  # some drivers have OpenGL but no vsync: the loop paces itself then
        try:
            pygame.display.set_mode(size, flags, display=display)
        except pygame.error as error:
            raise NoGpu(str(error)) from error
        return False
    return True


def open_plain_window(size: tuple[int, int], flags: int, display: int) -> None:
    """Open a window that the processor paints in. NoDisplay if there is none to be had."""
    if pygame.display.get_driver() in IN_MEMORY:
        # SDL would send each frame through OpenGL: 3 ms of 1280x720 where that runs on the processor, against 0.1 ms.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    try:
        pygame.display.set_mode(size, flags, display=display)
    except pygame.error as error:
        raise NoDisplay(str(error)) from error


def painter_rate(rate: float) -> float:
    """Of a display with that rate, as much of it as the painter can keep up with."""
    while rate > 75:
        rate /= 2
    return rate
