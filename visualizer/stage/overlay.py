"""Writing over the picture: toasts, which come and go, the help, drawn from the table of keys, and blackout."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import pygame

from visualizer.moment import Text
from visualizer.paths import assets
from visualizer.remote.keys import GROUPS, Key
from visualizer.stage.code import draw_code
from visualizer.stage.panel import FAINT, HEADING, INK, LAMP, PANEL, draw_hint, draw_panel
from visualizer.support.printable import make_printable

MOST_COLUMNS = 3
SPACING = 1.25  # of the lines of the help
STATUS_WIDTH = 22  # lines: what the ear says takes so much
RECORDING = (225, 30, 35)
CAMERA = (40, 200, 90)

Groups = tuple[tuple[str, tuple[Key, ...]], ...]
Lines = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # groups of keys, and what they do


class Overlay:
    """A surface with alpha, as large as the window, redrawn only when what is written changes."""

    def __init__(self, size: tuple[int, int]) -> None:
        if not pygame.font.get_init():
            pygame.font.init()
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Fit a window of another size."""
        self.size = size
        self.surface = pygame.Surface(size, pygame.SRCALPHA, 32)
        self._font = _font(max(11, round(min(size) * 0.028)))
        self._shown: tuple[object, ...] = (False, False, False, 0, None, "", None)  # what an empty surface shows
        self._panel: tuple[Plan, pygame.Surface] | None = None  # all of the help that does not change

    def render(self, text: Text) -> tuple[pygame.Surface | None, bool]:
        """The surface (None: nothing is written) and whether it changed since the last call."""
        alpha = round(255 * text.black)
        help_shown = text.help and not text.panel and (text.status, text.on_now, text.lamp)
        panel_shown = text.panel and (text.panel, text.panel.lamp and text.lamp)
        wanted = (help_shown, text.recording, text.camera, alpha, text.code, text.hint, panel_shown, *text.toasts)
        changed = wanted != self._shown
        if changed:
            self._shown = wanted
            self.surface.fill((0, 0, 0, alpha))
            if text.panel:
                draw_panel(self.surface, self._font, text.panel, text.lamp)
            elif text.help:
                self._draw_help(text)
            if text.code:
                draw_code(self.surface, self._font, text.code)
            self._draw_toasts(text)
            for number, (lit, colour) in enumerate(((text.recording, RECORDING), (text.camera, CAMERA))):
                if lit:
                    self._draw_dot(colour, number)
        written = text.help or text.toasts or text.code or text.hint or text.panel
        anything = written or text.recording or text.camera or alpha
        return (self.surface if anything else None), changed

    def _draw_dot(self, colour: tuple[int, int, int], number: int) -> None:
        """A lamp in the upper right corner; that of the camera stands left of that of a recording."""
        line = self._font.get_linesize()
        middle = (self.size[0] - line - number * line, line)
        pygame.draw.circle(self.surface, PANEL[:3], middle, line // 3 + 2)
        pygame.draw.circle(self.surface, colour, middle, line // 3)

    def _draw_toasts(self, text: Text) -> None:
        line = self._font.get_linesize()
        bottom = self.size[1] - line
        if text.hint:
            bottom = draw_hint(self.surface, self._font, text.hint).top - line // 3
        for toast in reversed(text.toasts):
            room = max(self.size[0] - 2 * line, 1)
            image = self._font.render(toast, True, INK, None, room)  # wrapped where it is too long
            image = image.subsurface((0, 0, image.get_width(), min(image.get_height(), 2 * line)))
            box = image.get_rect().inflate(line, line // 2)
            box.midbottom = (self.size[0] // 2, bottom)
            panel = (*PANEL[:3], max(PANEL[3], round(255 * text.black)))  # nothing shines through a stage made dark
            pygame.draw.rect(self.surface, panel, box, border_radius=line // 3)
            self.surface.blit(image, image.get_rect(center=box.center))
            bottom = box.top - line // 3

    def _draw_help(self, text: Text) -> None:
        plan, panel = self._panel = self._panel or self._make_panel()
        font, line = plan.font, plan.line
        box = panel.get_rect(midtop=(self.size[0] // 2, min(line, (self.size[1] - panel.get_height()) // 2)))
        self.surface.blit(panel, box)
        y, room = box.bottom - line // 2 - 2 * line, box.width - 3 * line
        pygame.draw.circle(self.surface, LAMP[text.lamp], (box.left + line, y + line // 2), line // 3)
        _write(self.surface, font, text.status, INK, (box.left + 2 * line, y), line, room)
        _write(self.surface, font, text.on_now, INK, (box.left + 2 * line, y + line), line, room)

    def _make_panel(self) -> tuple[Plan, pygame.Surface]:
        plan = plan_help(self.size, GROUPS, self._font.get_height())
        font, line = plan.font, plan.line
        panel = pygame.Surface(plan.size, pygame.SRCALPHA, 32)
        pygame.draw.rect(panel, PANEL, panel.get_rect(), border_radius=line // 3)
        left = line // 2
        for column in plan.columns:
            y = line // 2
            for title, rows in column.groups:
                _write(panel, font, title, HEADING, (left, y), line)
                for k, (label, text) in enumerate(rows, 1):
                    _write(panel, font, label, INK, (left, y + k * line), line)
                    _write(panel, font, text, FAINT, (left + column.label, y + k * line), line)
                y += (len(rows) + 2) * line  # one is left empty
            left += column.width
        return plan, panel


def _write(
    surface: pygame.Surface, font: pygame.font.Font, text: str, colour: tuple[int, int, int], at: tuple[int, int],
    line: int, room: int | None = None,
) -> None:  # fmt: skip
    """In the middle of a line that begins at `at`; cut off where there is no more `room`."""
    image = font.render(make_printable(text), True, colour)
    area = (0, 0, image.get_width() if room is None else room, image.get_height())
    surface.blit(image, (at[0], at[1] + (line - image.get_height()) // 2), area)


@dataclass(frozen=True)
class Column:
    """Some groups of keys, one below the other. In pixels."""

    groups: Lines
    label: int  # from its left edge to the text beside the keys
    width: int
    rows: int


@dataclass(frozen=True)
class Plan:
    """Where the help is written."""

    font: pygame.font.Font
    line: int  # pixels from one line to the next
    columns: tuple[Column, ...]
    size: tuple[int, int]  # of the panel


def help_lines(groups: Groups) -> Lines:
    """Keys and what they do; neighbours that have the same help share a line."""
    return tuple(
        (title, tuple((" ".join(c.label for c in same), text) for text, same in groupby(controls, lambda c: c.help)))
        for title, controls in groups
    )


def plan_help(size: tuple[int, int], groups: Groups, wanted: int) -> Plan:
    """The help in letters as large as fit, up to `wanted` pixels high, in one column, two or three.

    Below it there is room for a toast.
    """
    lines = help_lines(groups)
    best: Plan | None = None
    for count in range(1, MOST_COLUMNS + 1):
        split = _split(lines, count)
        height = wanted
        while height > (best.font.get_height() if best else 4):
            plan = _plan(split, height, size[0])
            over = max(plan.size[0] / (0.98 * size[0]), (plan.size[1] + 3 * plan.line) / size[1])
            if over <= 1:
                best = plan
                break
            height = min(height - 1, int(height / over) + 1)
    return best or _plan(_split(lines, MOST_COLUMNS), 5, size[0])


def _plan(split: tuple[Lines, ...], height: int, room: int) -> Plan:
    font = _font(max(round(height * 0.86), 4))
    line = round(font.get_linesize() * SPACING)
    columns = []
    for part in split:
        rows = [row for _, rows in part for row in rows]
        label = max(font.size(label)[0] for label, _ in rows) + line // 2
        text = max(font.size(text)[0] for _, text in rows)
        columns.append(Column(part, label, label + text + line, _height(part)))
    width, rows = sum(column.width for column in columns), max(column.rows for column in columns)
    width = max(width, min(round(0.95 * room), STATUS_WIDTH * line))
    return Plan(font, line, tuple(columns), (width, (rows + 4) * line))  # an empty line, two of status, and margins


def _height(part: Lines) -> int:
    """Lines, with headings and an empty one between two groups."""
    return sum(len(rows) + 2 for _, rows in part) - 1


def _split(groups: Lines, count: int) -> tuple[Lines, ...]:
    """The groups in `count` columns or fewer, in their order, the longest column as short as can be."""
    if count == 1 or len(groups) == 1:
        return (groups,)
    ways = [(groups[:k], *_split(groups[k:], count - 1)) for k in range(1, len(groups))]
    return min(ways, key=lambda way: max(_height(part) for part in way))


def _font(size: int) -> pygame.font.Font:
    return pygame.font.Font(str(assets() / "DejaVuSans.ttf"), size)
