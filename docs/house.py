"""Draws docs/pictures/house.svg, the diagram of the house: python docs/house.py"""

from __future__ import annotations

from pathlib import Path

WIDE, HIGH = 170, 46  # of a room
ROOMS = {  # name: left, top, title, what is said below it, kind
    "sources": (16, 60, "music/sources", "room, computer, song, Link", "live"),
    "analysis": (236, 60, "music/analysis", "features, beats, bars, genre", "live"),
    "clock": (456, 60, "music/clock.py", "musical time", "live"),
    "screen": (690, 60, "screen or film", "live.py and film/ drive it all", "live"),
    "remote": (16, 170, "remote/keys.py", "key to command", "live"),
    "commands": (236, 170, "commands.py", "what can be asked for", "live"),
    "show": (456, 170, "show.py", "what is danced, and how", "live"),
    "stage": (690, 170, "stage/", "painter or shader, guard", "live"),
    "dancer": (456, 280, "dancer/", "steps, formation, planner", "live"),
    "networks": (690, 280, "networks/", "letters, latents, outlines", "live"),
    "material": (16, 414, "data/", "clips, footage, dances", "offline"),
    "training": (236, 414, "models/", "fit.py, PyTorch", "offline"),
    "export": (456, 414, "export.py", "and evaluate/", "offline"),
    "pack": (690, 414, "pack", "ONNX networks, names", "offline"),
}
ARROWS = (  # from, to, what passes
    ("sources", "analysis", ""), ("analysis", "clock", ""), ("clock", "show", "Hearing"),
    ("remote", "commands", ""), ("commands", "show", ""), ("show", "stage", "Moment"), ("stage", "screen", "pictures"),
    ("show", "dancer", "what is wanted, when"), ("dancer", "networks", ""), ("networks", "dancer", "bodies"),
    ("material", "training", ""), ("training", "export", ""), ("export", "pack", ""),
    ("pack", "networks", "checked once"),
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
        both_ways = (end, start) in {each[:2] for each in ARROWS}
        y = y1 + HIGH / 2 + (0 if not both_ways else 6 if x1 < x2 else -6)
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
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 876 480" role="img" aria-label="The house">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
        '<rect width="876" height="480" fill="#fff"/>',
        '<text class="area" x="16" y="40">visualizer/: the show, while music plays</text>',
        '<text class="area" x="16" y="398">training/: once, before any party</text>',
        '<line x1="16" y1="346" x2="860" y2="346" stroke="#ccc" stroke-dasharray="4 4"/>',
    ]
    for x, y, title, below, kind in ROOMS.values():
        parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}"/>')
        parts.append(f'<text x="{x + WIDE / 2:g}" y="{y + 20}" text-anchor="middle">{title}</text>')
        parts.append(f'<text class="small" x="{x + WIDE / 2:g}" y="{y + 36}" text-anchor="middle">{below}</text>')
    parts += [arrow(*each) for each in ARROWS]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    (Path(__file__).parent / "pictures" / "house.svg").write_text(house(), encoding="utf-8")
