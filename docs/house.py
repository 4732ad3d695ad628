"""Draws docs/pictures/house.svg, the diagram of the house: python docs/house.py"""

from __future__ import annotations

from pathlib import Path

WIDE, HIGH = 168, 46  # of a room
ROOMS = {  # name: left, top, title, what is said below it, kind
    "sources": (16, 60, "sources", "room, computer, song, Link", "live"),
    "features": (204, 60, "features", "128 bands, 100 a second", "live"),
    "beat": (392, 60, "beat", "tempo, bar; a network", "live"),
    "clock": (580, 60, "clock", "musical time", "live"),
    "keys": (16, 190, "keys", "remote/keys.py", "live"),
    "choreographer": (580, 190, "choreographer", "writes half-beat moves", "live"),
    "dancer": (580, 290, "dancer", "moves to codes, 16 a beat", "live"),
    "decoder": (392, 290, "decoder", "codes to outlines", "live"),
    "stage": (204, 290, "stage", "shader or painter, guard", "live"),
    "screen": (16, 290, "screen or film", "window.py, film/", "live"),
    "material": (16, 424, "clips, footage, dances", "captured, filmed, written", "offline"),
    "training": (298, 424, "training", "PyTorch", "offline"),
    "pack": (580, 424, "pack", "ONNX networks, names", "offline"),
}
ARROWS = (  # from, to, what passes
    ("sources", "features", ""), ("features", "beat", ""), ("beat", "clock", ""), ("clock", "choreographer", "beats"),
    ("choreographer", "dancer", "letters"), ("dancer", "decoder", ""), ("decoder", "stage", ""),
    ("stage", "screen", ""), ("keys", "choreographer", "which style, which dance, how wild"),
    ("material", "training", ""), ("training", "pack", ""), ("pack", "dancer", "opened once"),
)  # fmt: skip
STYLE = """
  text { font: 14px sans-serif; fill: #222 }
  .small { font-size: 11px; fill: #555 } .area { font-size: 12px; fill: #777 }
  rect { rx: 8px; stroke-width: 1.5 }
  .live { fill: #fde7f3; stroke: #b0156f } .offline { fill: #e6f2fb; stroke: #1c6aa8 }
  .arrow { stroke: #444; stroke-width: 1.5; marker-end: url(#tip) }
"""


def arrow(start: str, end: str, word: str) -> str:
    """A line from the side of one room to the side of another, and what passes along it."""
    (x1, y1), (x2, y2) = ROOMS[start][:2], ROOMS[end][:2]
    if y1 == y2:
        a, b = (x1 + WIDE, x2 - 2) if x1 < x2 else (x1, x2 + WIDE + 2)
        y = y1 + HIGH / 2
        line, at = (a, y, b, y), ((a + b) / 2, y - 6, "middle")
    else:
        x = x1 + WIDE / 2
        a, b = (y1 + HIGH, y2 - 2) if y1 < y2 else (y1, y2 + HIGH + 2)
        line, at = (x, a, x, b), (x + 8, (a + b) / 2 + 4, "start")
    drawn = '<line class="arrow" x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}"/>'.format(*line)
    return drawn + (
        f'<text class="small" x="{at[0]:g}" y="{at[1]:g}" text-anchor="{at[2]}">{word}</text>' if word else ""
    )


def house() -> str:
    """The picture, as SVG."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 764 490" role="img" aria-label="The house">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
        '<rect width="764" height="490" fill="#fff"/>',
        '<text class="area" x="16" y="40">visualizer/: the show, while music plays</text>',
        '<text class="area" x="16" y="408">training/: once, before any party</text>',
        '<line x1="16" y1="376" x2="748" y2="376" stroke="#ccc" stroke-dasharray="4 4"/>',
    ]
    for x, y, title, below, kind in ROOMS.values():
        parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}"/>')
        parts.append(f'<text x="{x + WIDE / 2:g}" y="{y + 20}" text-anchor="middle">{title}</text>')
        parts.append(f'<text class="small" x="{x + WIDE / 2:g}" y="{y + 36}" text-anchor="middle">{below}</text>')
    parts += [arrow(*each) for each in ARROWS]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    (Path(__file__).parent / "pictures" / "house.svg").write_text(house(), encoding="utf-8")
