"""A title set in type: pieces one below the other, in the place that the look has for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pygame

from visualizer.moment import Logo, Titles
from visualizer.stage.looks import TitleLook
from visualizer.stage.titles.fonts import FontChain
from visualizer.stage.titles.lettering import draw_letters, find_margin, from_pixels

COUNTER = 1.9  # height of a countdown's figures in lines of the title
SMALL = 0.45  # of the small line; with the shortest side's share
LEAST_SMALL = 0.055
LEAST = 0.06  # share of the shorter side that a line of the title has at least, to be read across a room
KEPT = 0.62  # share of their size down to which letters are made smaller to keep a line whole
LOGO = 0.22  # share of the picture's shorter side that a logo is high
EDGE = 0.05  # of it, that stays free at each edge
BESIDE = 0.33  # share of the width for titles beside the dancer; of an upright picture they have all
ALONG = 0.9  # for those above or below
MOST_HEIGHT = {"beside": 0.88, "along": 0.42}
CODE = 0.3  # height of a QR code
CODE_BORDER = 4  # modules that a reader wants about it
CARD, CARD_INK = (250, 250, 252), (10, 10, 14)

Placed = tuple[pygame.Surface, tuple[int, int]]


@dataclass(frozen=True)
class Piece:
    """One part of a block. Its `margin` is for shadow and glow and takes no room."""

    image: pygame.Surface
    margin: int = 0
    gap: int = 0  # pixels above

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.image.get_size()
        return width - 2 * self.margin, height - 2 * self.margin


def set_titles(titles: Titles, style: TitleLook, size: tuple[int, int], fonts: FontChain) -> list[Placed]:
    """Surfaces with straight alpha and where each belongs in a picture of `size` pixels."""
    placed: list[Placed] = []
    if titles.text or titles.counter or titles.small or titles.logo:
        placed += _stack(_make_pieces(titles, style, size, fonts), style, size)
    if titles.qr:
        code = draw_code(titles.qr, round(CODE * min(size)), fonts)
        placed.append((code, _find_corner(code.get_size(), find_code_place(style.place, size), size)))
    return placed


def find_place(place: str, size: tuple[int, int]) -> str:
    """An upright picture has room above and below, and none beside the dancer."""
    if size[0] >= size[1]:
        return place
    return {"left": "top left", "right": "top right"}.get(place, place)


def find_code_place(place: str, size: tuple[int, int]) -> str:
    """A corner that the title leaves free."""
    place = find_place(place, size)
    down = "top" if "bottom" in place else "bottom"
    return f"{down} {'left' if 'right' in place else 'right'}"


def _make_pieces(titles: Titles, style: TitleLook, size: tuple[int, int], fonts: FontChain) -> list[Piece]:
    place, unit = find_place(style.place, size), min(size)
    beside = place in ("left", "right") or (size[0] >= size[1] and " " in place)
    room = round((BESIDE if beside else ALONG) * size[0] - (EDGE * unit if beside else 0))
    tall = MOST_HEIGHT["beside" if place in ("left", "right") else "along"] * size[1]
    line = max(style.size * unit, 8.0)
    text = make_capitals(titles.text) if style.upper else titles.text
    widest = max((fonts.measure(each, round(line), style.spacing * line) for each in text.split("\n")), default=0)
    if room < widest <= room / KEPT:  # rather smaller than cut
        line = max(line * room / widest - 1, LEAST * unit)
    while True:  # smaller until all fits, but never too small to be read
        plan = _plan(titles, style, (room, unit, line), fonts)
        height = sum(each.height + each.gap for each in plan)
        width = max((each.width for each in plan), default=0)
        over = max(height / tall, width / room)
        if over <= 1 or line <= LEAST * unit:
            return [each.make() for each in plan]
        line = max(line / max(over**0.7, 1.08), LEAST * unit)


@dataclass(frozen=True)
class Planned:
    """A piece before it is drawn; its letters, if it has any, are drawn last, for that takes time."""

    width: int
    height: int
    gap: int
    make: Callable[[], Piece]


def _plan(
    titles: Titles, style: TitleLook, rooms: tuple[int, int, float], fonts: FontChain
) -> list[Planned]:  # fmt: skip
    """All pieces; `rooms`: width that there is, shorter side of the picture, height of a line, pixels."""
    room, unit, line = rooms
    plan: list[Planned] = []
    if titles.logo is not None:
        image = _scale_logo(titles.logo, round(LOGO * unit), room)
        plan.append(Planned(*image.get_size(), 0, lambda: Piece(image)))
    if titles.counter:
        plan.append(_plan_letters(titles.counter, style, COUNTER * line, fonts))
    lines = wrap(make_capitals(titles.text) if style.upper else titles.text, style, line, room, fonts)
    for k, text in enumerate(lines):
        gap = round((style.leading - 1.12) * line) if k else round(0.1 * line) if titles.logo is not None else 0
        plan.append(_plan_letters(text, style, line, fonts, gap))
    if titles.small:
        small = max(SMALL * line, LEAST_SMALL * unit)
        if style.rule is not None and plan:
            plan.append(_plan_rule(style, round(min(room, 2.2 * line)), max(round(0.05 * line), 2)))
        plain = make_small_style(style)
        for k, text in enumerate(wrap(titles.small, plain, small, room, fonts)[:3]):
            plan.append(_plan_letters(text, plain, small, fonts, round(0.2 * small) if plan and not k else 0))
    return plan


def make_small_style(style: TitleLook) -> TitleLook:
    """Of the small line: one colour that covers, and no noise."""
    colours, is_hollow = style.colours, style.colours is not None and not (style.colours[:, 4] > 0.5).any()
    if colours is not None:
        colours = style.outline if is_hollow else colours[colours[:, 4] > 0.5][-1:]
    return replace(
        style, colours=colours if style.small is None else style.small, spacing=style.spacing / 2, grain=0.0,
        outline=None if is_hollow else style.outline,
    )  # fmt: skip


def _plan_letters(text: str, style: TitleLook, line: float, fonts: FontChain, gap: int = 0) -> Planned:
    size = max(round(line), 6)
    spacing = style.spacing * line

    def make() -> Piece:
        letters = fonts.render(text, size, spacing)
        return Piece(draw_letters(letters, style, size), find_margin(style, size), gap)

    return Planned(fonts.measure(text, size, spacing), round(1.165 * size), gap, make)


def _plan_rule(style: TitleLook, width: int, height: int) -> Planned:
    def make() -> Piece:
        assert style.rule is not None
        image = pygame.Surface((width, height), pygame.SRCALPHA, 32)
        image.fill([round(255 * part) for part in style.rule[0, 1:5]])
        return Piece(image, 0, 3 * height)

    return Planned(width, height, 3 * height, make)


def make_capitals(text: str) -> str:
    """Capitals; Greek ones have no accents."""
    if not any("\u0370" <= char <= "\u03ff" for char in text):
        return text.upper()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).replace("\u0301", "").upper())


def wrap(text: str, style: TitleLook, line: float, room: int, fonts: FontChain) -> list[str]:
    """The lines of a text, those that are too wide cut between words."""
    lines: list[str] = []
    for paragraph in text.split("\n") if text else []:
        words, now = paragraph.split(" "), ""
        for word in words:
            longer = f"{now} {word}".strip()
            if now and fonts.measure(longer, max(round(line), 6), style.spacing * line) > room:
                lines.append(now)
                now = word
            else:
                now = longer
        lines.append(now)
    return lines


def _scale_logo(logo: Logo, height: int, room: int) -> pygame.Surface:
    image = from_pixels(logo.pixels)
    share = min(height / image.get_height(), room / image.get_width())
    return pygame.transform.smoothscale(
        image, (max(round(image.get_width() * share), 1), max(round(image.get_height() * share), 1))
    )


def _stack(pieces: list[Piece], style: TitleLook, size: tuple[int, int]) -> list[Placed]:
    """The pieces one below the other; as one, on the look's card, if it has one or tilts them."""
    place, unit = find_place(style.place, size), min(size)
    width = max(each.size[0] for each in pieces)
    height = sum(each.size[1] + each.gap for each in pieces)
    pad = round(0.035 * unit) if style.plate is not None else 0
    left, top = _find_corner((width + 2 * pad, height + 2 * pad), place, size)
    placed: list[Placed] = []
    y = top + pad
    for each in pieces:
        y += each.gap
        spare = width - each.size[0]
        x = left + pad + (0 if "left" in place else spare if "right" in place else spare // 2)
        placed.append(_trim(each.image, (x - each.margin, y - each.margin)))
        y += each.size[1]
    if style.plate is None and not style.tilt:
        return placed
    box = pygame.Rect(left, top, width + 2 * pad, height + 2 * pad)
    whole = box.unionall([pygame.Rect(corner, image.get_size()) for image, corner in placed])
    block = pygame.Surface(whole.size, pygame.SRCALPHA, 32)
    if style.plate is not None:
        colour = [round(255 * part) for part in style.plate[0, 1:5]]
        radius = round(style.plate_round * style.size * unit)
        pygame.draw.rect(block, colour, box.move(-whole.left, -whole.top), border_radius=radius)
    for image, (x, y) in placed:
        block.blit(image, (x - whole.left, y - whole.top))
    if style.tilt:
        block = pygame.transform.rotozoom(block, style.tilt, 1)
        whole = block.get_rect(center=whole.center)
    return [_trim(block, whole.topleft)]


def _trim(image: pygame.Surface, corner: tuple[int, int]) -> Placed:
    """Without what shows nothing at the edges, so that less is painted in each picture."""
    seen = image.get_bounding_rect(min_alpha=3)
    return image.subsurface(seen), (corner[0] + seen.left, corner[1] + seen.top)


def _find_corner(block: tuple[int, int], place: str, size: tuple[int, int]) -> tuple[int, int]:
    """The upper left corner of a block in its place."""
    edge = round(EDGE * min(size))
    free = size[0] - block[0], size[1] - block[1]
    left = edge if "left" in place else free[0] - edge if "right" in place else free[0] // 2
    top = edge if "top" in place else free[1] - edge if "bottom" in place else free[1] // 2
    return max(left, 0) if free[0] >= 0 else free[0] // 2, max(top, 0) if free[1] >= 0 else free[1] // 2


def draw_code(text: str, side: int, fonts: FontChain) -> pygame.Surface:
    """A QR code, dark on a light card, at most `side` pixels wide, with the address in short below it."""
    import segno

    rows = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], np.uint8)
    modules = np.pad(rows, CODE_BORDER)
    pixels = max(1, side // len(modules))
    dark = np.kron(modules, np.ones((pixels, pixels), np.uint8)).T.astype(bool)
    image = pygame.surfarray.make_surface(np.where(dark[..., None], CARD_INK, CARD).astype(np.uint8))
    caption = shorten_address(text)
    letters = fonts.render(caption, max(round(0.085 * side), 8))
    letters.fill((*CARD_INK, 255), special_flags=pygame.BLEND_RGBA_MIN)
    room = image.get_width() - 2 * CODE_BORDER * pixels
    if letters.get_width() > room:
        letters = pygame.transform.smoothscale_by(letters, room / letters.get_width())
    card = pygame.Surface((image.get_width(), image.get_height() + letters.get_height()), pygame.SRCALPHA, 32)
    pygame.draw.rect(card, CARD, card.get_rect(), border_radius=CODE_BORDER * pixels)
    inner = image.get_rect().inflate(-4 * pixels, -4 * pixels)
    card.blit(image, inner.topleft, inner)
    card.blit(letters, letters.get_rect(centerx=card.get_width() // 2, top=image.get_height() - 2 * pixels))
    return card


def shorten_address(text: str) -> str:
    """What a person reads: of an address the host, and the path while it is short."""
    bare = text.partition("://")[2] or text
    bare = bare.partition("?")[0].removeprefix("www.").rstrip("/")
    return bare if len(bare) <= 28 else bare.partition("/")[0][:28]
