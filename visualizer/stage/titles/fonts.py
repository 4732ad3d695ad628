"""Letters of any script: which font has them, in which direction they run, and their shapes on a surface.

Bold letters come from the font that ships with the program; what it lacks from the other one that ships, then from the
fonts of the system. pygame's fonts shape one run of letters of one script and one direction (by HarfBuzz), so a line is
cut into such runs here. They are put in the order of reading by the first rules of Unicode's bidirectional algorithm
(UAX #9: P2, P3, L2 for one level within another), which is all that titles need.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import pygame

from visualizer.paths import assets

log = logging.getLogger("visualizer")

SHIPPED = ("DejaVuSansCondensed-Bold.ttf", "DejaVuSans.ttf")
# Looked at first among the fonts of a system, for they have many letters and are made for screens.
KNOWN = (
    "notosans", "notosanscjk", "notocoloremoji", "applecoloremoji", "segoeuiemoji", "dejavusans", "arialunicodems",
    "segoeui", "nirmalaui", "malgungothic", "yugothic", "microsoftyahei", "msgothic", "hiraginosans", "pingfangsc",
    "applesdgothicneo", "kohinoordevanagari", "thonburi", "leelawadeeui", "freesans", "unifont",
)  # fmt: skip
MOST_FONTS = 400  # of the system that are looked at
NO_LETTER = "\U0010fffe"  # which no font may have
PROBE = 20  # pixels: of a font that is asked which letters it has


@dataclass(frozen=True)
class Run:
    """Letters of one font and one direction, in the order in which they are typed."""

    text: str
    path: str
    leftwards: bool

    @property
    def script(self) -> str:
        """See `find_script`."""
        return find_script(self.text)


class FontChain:
    """The fonts there are, looked for only when a letter asks for them. For one thread."""

    def __init__(self) -> None:
        if not pygame.font.get_init():
            pygame.font.init()
        self._paths = [str(assets() / name) for name in SHIPPED]
        self._probes: dict[str, pygame.font.Font] = {}
        self._fonts: dict[tuple[str, int, bool], pygame.font.Font] = {}
        self._found: dict[str, str] = {}  # letter -> font
        self._others: Iterator[str] | None = None

    def font(self, path: str, size: int, leftwards: bool) -> pygame.font.Font:
        """A font `size` pixels high."""
        key = path, size, leftwards
        if key not in self._fonts:
            if len(self._fonts) > 32:
                self._fonts.clear()
            self._fonts[key] = pygame.font.Font(path, size)
            self._fonts[key].set_direction(pygame.DIRECTION_RTL if leftwards else pygame.DIRECTION_LTR)
        return self._fonts[key]

    def find(self, letter: str) -> str:
        """The first font that has it; the first of all if none does, which draws nothing."""
        if letter not in self._found:
            path = next((path for path in self._paths if self._has(path, letter)), None) or self._look_on(letter)
            if path is None:
                log.info("no font has U+%04X", ord(letter[0]))
            self._found[letter] = path or self._paths[0]
        return self._found[letter]

    def _look_on(self, letter: str) -> str | None:
        """Among the fonts that were not looked at yet; those are kept for letters to come."""
        if self._others is None:
            self._others = find_system_fonts()
        for path in self._others:
            self._paths.append(path)
            if self._has(path, letter):
                return path
        return None

    def _has(self, path: str, letter: str) -> bool:
        try:
            if path not in self._probes:
                self._probes[path] = pygame.font.Font(path, PROBE)
            missing, found = self._probes[path].metrics(NO_LETTER + letter[0])[:2]
        except (pygame.error, OSError, UnicodeError, ValueError):  # a broken font is no font
            return False
        # What a font lacks it answers with its sign for that, which has a size too.
        return found is not None and found != missing and (any(found[:4]) or letter.isspace())

    def split(self, line: str) -> list[Run]:
        """The runs of a line in the order of reading from the left."""
        runs: list[Run] = []
        clusters = split_clusters(line)
        starts, ways = find_directions(clusters)
        for cluster, leftwards in zip(clusters, ways, strict=True):
            path = runs[-1].path if runs and cluster.isspace() else self.find(cluster[0])
            same = runs and (runs[-1].path, runs[-1].leftwards) == (path, leftwards)
            if same and (not cluster[0].isalpha() or find_script(cluster) == runs[-1].script):
                runs[-1] = Run(runs[-1].text + cluster, path, leftwards)
            else:
                runs.append(Run(cluster, path, leftwards))
        return order_runs(runs, starts)

    def render(self, line: str, size: int, spacing: float = 0.0) -> pygame.Surface:
        """White letters (emoji in their colours) `size` pixels high on nothing; `spacing`: pixels between letters."""
        pieces = [self._render_run(run, size, spacing) for run in self.split(line)]
        height = max((piece.get_height() for piece, _ in pieces), default=size)
        base = max((ascent for _, ascent in pieces), default=size)
        bottom = max((piece.get_height() - ascent for piece, ascent in pieces), default=0)
        whole = pygame.Surface((max(sum(piece.get_width() for piece, _ in pieces), 1), max(base + bottom, height)),
                               pygame.SRCALPHA, 32)  # fmt: skip
        left = 0
        for piece, ascent in pieces:
            whole.blit(piece, (left, base - ascent))
            left += piece.get_width()
        return whole

    def measure(self, line: str, size: int, spacing: float = 0.0) -> int:
        """About how wide `render` would make it, pixels; quicker."""
        width = 0
        for run in self.split(line):
            wide, high = self.font(run.path, size, run.leftwards).size(run.text)
            width += round(wide * 0.95 * size / high) if high > 1.6 * size else wide
            width += round(spacing) * len(split_clusters(run.text)) if _stand_apart(run.text) else 0
        return width

    def _render_run(self, run: Run, size: int, spacing: float) -> tuple[pygame.Surface, int]:
        """Its picture and how far below its top letters stand."""
        font = self.font(run.path, size, run.leftwards)
        font.set_script(run.script)  # or letters are not joined
        if spacing and _stand_apart(run.text):
            letters = [font.render(c, True, (255, 255, 255)) for c in split_clusters(run.text)]
            gap = round(spacing)
            image = pygame.Surface((sum(each.get_width() + gap for each in letters), font.get_height()),
                                   pygame.SRCALPHA, 32)  # fmt: skip
            left = 0
            for each in letters:
                image.blit(each, (left, 0))
                left += each.get_width() + gap
        else:
            image = font.render(run.text, True, (255, 255, 255))
        ascent = font.get_ascent()
        if image.get_height() > 1.6 * size or is_coloured(image):  # pictures of letters come in one size of their own
            share = 0.95 * size / image.get_height()
            image = pygame.transform.smoothscale_by(image, share)
            ascent = round(0.78 * size)
        return image, ascent


def find_system_fonts() -> Iterator[str]:
    """Paths of the system's fonts: bold where there are, known ones first."""
    names = pygame.font.get_fonts()[:4000]
    known = [name for name in KNOWN if name in names]
    more = [name for name in names if name not in known and name.startswith("noto")]
    rest = [name for name in names if name not in known and name not in more]
    for name in [*known, *more, *rest][:MOST_FONTS]:
        path = pygame.font.match_font(name, bold=True) or pygame.font.match_font(name)
        if path:
            yield path


SCRIPTS = {  # ISO 15924, by the first word of a letter's name in Unicode
    "ARABIC": "Arab", "HEBREW": "Hebr", "DEVANAGARI": "Deva", "BENGALI": "Beng", "GURMUKHI": "Guru", "GUJARATI": "Gujr",
    "TAMIL": "Taml", "TELUGU": "Telu", "KANNADA": "Knda", "MALAYALAM": "Mlym", "SINHALA": "Sinh", "THAI": "Thai",
    "LAO": "Laoo", "KHMER": "Khmr", "MYANMAR": "Mymr", "TIBETAN": "Tibt", "GREEK": "Grek", "CYRILLIC": "Cyrl",
    "ARMENIAN": "Armn", "GEORGIAN": "Geor", "ETHIOPIC": "Ethi", "HANGUL": "Hang", "HIRAGANA": "Hira",
    "KATAKANA": "Kana", "CJK": "Hani", "SYRIAC": "Syrc", "THAANA": "Thaa",
}  # fmt: skip


def find_script(text: str) -> str:
    """The script of a run, by its first letter that has one."""
    for char in text:
        if char.isalpha():
            return SCRIPTS.get(unicodedata.name(char, "").partition(" ")[0], "Latn")
    return "Latn"


def split_clusters(line: str) -> list[str]:
    """What belongs together: a letter and its marks, an emoji of several parts."""
    clusters: list[str] = []
    for char in line:
        joins = bool(clusters) and (clusters[-1][-1] == "\u200d" or _is_flag_half(clusters[-1], char))
        if clusters and (joins or _continues(char)):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _continues(char: str) -> bool:
    """Marks, what joins, variants of an emoji and the colours of its skin."""
    return unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_flag_half(cluster: str, char: str) -> bool:
    return len(cluster) == 1 and all("\U0001f1e6" <= c <= "\U0001f1ff" for c in (cluster, char))


def find_directions(clusters: list[str]) -> tuple[bool, list[bool]]:
    """Whether the line begins at the right, and whether each of its clusters runs to the left.

    Letters say so themselves, numbers run to the right, and signs go with their neighbours where those agree, else
    with the line.
    """
    own = [_own_direction(cluster[0]) for cluster in clusters]
    starts = next((way for way, c in zip(own, clusters, strict=True) if way is not None and not c[0].isdigit()), False)
    ways, before = [], starts
    for k, way in enumerate(own):
        if way is None:
            after = next((each for each in own[k + 1 :] if each is not None), starts)
            way = before if before == after else starts
        else:
            before = way
        ways.append(way)
    return starts, ways


def _own_direction(char: str) -> bool | None:
    """Whether it runs to the left; None: as its neighbours do."""
    kind = unicodedata.bidirectional(char)
    return True if kind in ("R", "AL") else False if kind in ("L", "EN", "AN") else None


def _stand_apart(text: str) -> bool:
    """Whether letters may be moved apart: Latin, Greek, Cyrillic and numbers; others are joined or stacked."""
    return all(ord(char) < 0x0590 and unicodedata.category(char)[0] != "M" for char in text)


def order_runs(runs: list[Run], starts: bool) -> list[Run]:
    """From the left: runs against the line's direction keep their own order among themselves."""
    ordered: list[Run] = []
    against: list[Run] = []
    for run in [*runs, None]:
        if run is not None and run.leftwards != starts:
            against.append(run)
            continue
        ordered += against[::-1]  # of a line from the right all is turned below, so these are turned twice
        against = []
        if run is not None:
            ordered.append(run)
    return ordered[::-1] if starts else ordered


def is_coloured(image: pygame.Surface) -> bool:
    """Whether letters have colours of their own."""
    colours = pygame.surfarray.array3d(image)
    seen = pygame.surfarray.array_alpha(image) > 128
    return bool(seen.any()) and bool((colours[seen].min(axis=0) < 250).any())
