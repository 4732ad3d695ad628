"""The report on what was kept and what was not, and why: `report.html` with pictures, and `contact.png`."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.video import Picture

Bytes = NDArray[np.uint8]
Field = NDArray[np.float32]

CELL = 128  # pixels of a frame in the contact sheet
INK, LINE = (60, 60, 60), (40, 120, 255)  # blue, green, red
REASONS = {
    "kept": "Kept",
    "no figure": "Dropped: no figure",
    "two figures": "Dropped: two figures",
    "cut off by the border": "Dropped: cut off by the border of the picture",
    "too short": "Dropped: in a stretch of less than two seconds",
}


@dataclass(frozen=True)
class Shown:
    """A picture in the report. `picture`: as it was filmed, small, with the outline drawn; `frame`: the field
    (128, 128) made of it."""

    seconds: float
    picture: Picture
    frame: Field | None = None


@dataclass
class VideoReport:
    """What became of one video."""

    name: str
    seconds: float
    looked: int
    counts: dict[str, int]
    clips: list[str] = field(default_factory=list)  # a line each
    notes: list[str] = field(default_factory=list)
    shown: dict[str, list[Shown]] = field(default_factory=dict)  # by reason

    @property
    def kept(self) -> int:
        return self.counts.get("kept", 0)


def clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def drawn(frame: Field, size: int = CELL) -> Bytes:
    """A field as a dark figure on white, (size, size)."""
    big = cv2.resize(frame, (size, size), interpolation=cv2.INTER_CUBIC)
    return (255 * np.clip(0.5 + big * size, 0, 1)).astype(np.uint8)


def outlined(still: bytes, box: Sequence[int], mask: Bytes | None, size: tuple[int, int]) -> Picture:
    """A kept picture with the outline of what was seen in it; `size` (width, height) of the view that `box` is in."""
    picture = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    picture = np.asarray(picture, np.uint8)
    if mask is not None and mask.size:
        scale = picture.shape[1] / size[0]
        outlines, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        moved = [np.round((o + np.array(box[:2])) * scale * 16).astype(np.int32) for o in outlines]
        cv2.polylines(picture, moved, True, LINE, 1, cv2.LINE_AA, shift=4)
    return picture


def _label(picture: Picture, text: str) -> Picture:
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)
    picture[:16, : wide + 6] = 255
    cv2.putText(picture, text, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38, INK, 1, cv2.LINE_AA)
    return picture


def _cell(shown: Shown, reason: str) -> Picture:
    """The picture, with its frame below it."""
    wide = 170
    high = max(1, round(wide * shown.picture.shape[0] / shown.picture.shape[1]))
    top = cv2.resize(shown.picture, (wide, high), interpolation=cv2.INTER_AREA)
    top = _label(np.asarray(top, np.uint8), f"{clock(shown.seconds)} {'' if reason == 'kept' else reason}")
    bottom = np.full((CELL, wide, 3), 255, np.uint8)
    if shown.frame is not None:
        left = (wide - CELL) // 2
        bottom[:, left : left + CELL] = drawn(shown.frame)[..., None]
    cell = np.concatenate([top, bottom])
    return np.pad(cell, ((0, 3), (0, 3), (0, 0)), constant_values=204)


def contact_sheet(reports: Sequence[VideoReport], columns: int = 8) -> Picture:
    """For each video what was kept, then what was not, and why."""
    rows: list[Picture] = []
    for report in reports:
        head = np.full((24, columns * 173, 3), 255, np.uint8)
        text = f"{report.name}: {report.kept} of {report.looked} pictures kept, in {len(report.clips)} clips"
        rows.append(_label(head, text.encode("ascii", "replace").decode()))
        cells = [_cell(s, reason) for reason, shown in report.shown.items() for s in shown]
        for start in range(0, len(cells), columns):
            line = cells[start : start + columns]
            high = max(c.shape[0] for c in line)
            line = [np.pad(c, ((0, high - c.shape[0]), (0, 0), (0, 0)), constant_values=255) for c in line]
            line += [np.full((high, 173, 3), 255, np.uint8)] * (columns - len(line))
            rows.append(np.concatenate(line, axis=1))
    return np.concatenate(rows) if rows else np.full((24, columns * 173, 3), 255, np.uint8)


def _image(picture: NDArray[np.uint8], kind: str) -> str:
    data = base64.b64encode(cv2.imencode(f".{kind}", picture)[1].tobytes()).decode()
    return f'<img src="data:image/{"jpeg" if kind == "jpg" else kind};base64,{data}" alt="">'


def page(reports: Sequence[VideoReport], title: str, how: str) -> str:
    """Write the report as one self-contained HTML page."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>",
        "<meta name=viewport content='width=device-width'><style>"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:1200px;margin:2em auto;padding:0 1em;color:#222}"
        "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}"
        "td:first-child,th:first-child{text-align:left}.g{display:flex;flex-wrap:wrap;gap:8px;margin:.5em 0 1.5em}"
        "figure{margin:0;font-size:13px;color:#555}figure img{display:block}.f img{margin:auto}"
        "</style>",
        f"<h1>{html.escape(title)}</h1><p>{html.escape(how)}</p>",
        "<table><tr><th>video<th>length<th>pictures"
        + "".join(f"<th>{html.escape(r)}" for r in REASONS)
        + "<th>clips</tr>",
    ]
    for r in reports:
        row = "".join(f"<td>{r.counts.get(reason, 0)}" for reason in REASONS)
        parts.append(f"<tr><td>{html.escape(r.name)}<td>{clock(r.seconds)}<td>{r.looked}{row}<td>{len(r.clips)}</tr>")
    parts.append("</table>")
    for r in reports:
        parts.append(f"<h2>{html.escape(r.name)}</h2>")
        parts += [f"<p><b>{html.escape(note)}</b></p>" for note in r.notes]
        if r.clips:
            parts.append("<ul>" + "".join(f"<li>{html.escape(c)}" for c in r.clips) + "</ul>")
        for reason, shown in r.shown.items():
            parts.append(f"<h3>{REASONS[reason]}</h3><div class=g>")
            for s in shown:
                frame = _image(drawn(s.frame), "png") if s.frame is not None else ""
                parts.append(f"<figure>{_image(s.picture, 'jpg')}<div class=f>{frame}</div>{clock(s.seconds)}</figure>")
            parts.append("</div>")
    return "\n".join(parts) + "\n</html>\n"


def write_report(reports: Sequence[VideoReport], folder: Path, title: str, how: str) -> None:
    (folder / "report.html").write_text(page(reports, title, how), encoding="utf-8")
    (folder / "contact.png").write_bytes(cv2.imencode(".png", contact_sheet(reports))[1].tobytes())
