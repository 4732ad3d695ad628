"""What the commands of the terminal list: displays, sources of sound with their levels, dances, packs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from visualizer.errors import UserError
from visualizer.support.printable import make_printable, say

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from visualizer.music.sources.meters import Meter


def list_displays() -> None:
    """Number, size, rate and name of each display. UserError where there is none."""
    import pygame

    from visualizer.stage.displays import displays
    from visualizer.stage.video import NoDisplay, open_video

    try:
        open_video()
    except NoDisplay as reason:
        raise UserError(f"no display: {reason}") from reason
    for display in displays():
        width, height = display.size
        rate = f"{display.rate} Hz" if display.rate else "? Hz"
        say(f"{display.number}  {width}x{height}  {rate}  {make_printable(display.name)}".rstrip())
    pygame.display.quit()


def list_dances(pack: str | None) -> None:
    """The dances of a pack that can be asked for by name, by style."""
    from visualizer.dancer.pack import find_pack, read_info

    info = read_info(find_pack(pack))
    for number, style in enumerate(info["styles"]):
        names = [d["name"] for d in info["dances"] if d["style"] == number]
        say(style)
        for name in names or ["(improvised only)"]:
            say(f"  {name}")


def list_figures(pack: str | None, sheet: Path | None) -> None:
    """The figures of a pack, and how tall each is; with `sheet` also drawn, as a PNG. UserError if it has none."""
    from visualizer.dancer.pack import find_pack, load_pack, read_info

    folder = find_pack(pack)
    figures = read_info(folder).get("figures", ())
    if not figures:
        raise UserError(f"the dancers of the pack {folder.name} are flat: it has no figures")
    for figure in figures:
        say(f"{figure['name']:<16} {figure['height']:.2f} m  {make_printable(figure['title'])}")
    if sheet is not None:
        from visualizer.figure_sheet import draw_figures

        draw_figures(load_pack(folder, "cpu"), {each["name"]: each["title"] for each in figures}, sheet)
        say(f"drawn: {sheet}")


def list_sources(seconds: float) -> None:
    """What there is to listen to, with its level: live on a terminal, once at the end in a pipe."""
    from rich.live import Live

    from visualizer.music.sources.meters import link_session, open_meters
    from visualizer.support.console import make_console

    with open_meters(time.monotonic) as meters, link_session() as session:
        end = time.monotonic() + seconds
        console = make_console()
        if not console.is_terminal:  # into a file or another program
            time.sleep(seconds)
            console.print(_levels(meters, session()))
            return
        with Live(console=console, auto_refresh=False) as live:
            while (left := end - time.monotonic()) > 0:
                live.update(_levels(meters, session()), refresh=True)
                time.sleep(min(left, 0.1))


def list_cameras() -> None:
    """The cameras that guests could stand before, and what else they need."""
    from visualizer.camera.devices import list_cameras as find_cameras
    from visualizer.support.check_camera import camera
    from visualizer.support.finding import OK

    cameras = find_cameras()
    if cameras is None:
        say("--camera: cameras have numbers here, the first is 0")
    for each in cameras or ():
        say(f"--camera {each.number}  {make_printable(each.name)}{f'  ({each.trouble})' if each.trouble else ''}")
    if cameras == []:
        say("--camera: no camera")
    finding = camera()
    if finding.state != OK and cameras != []:
        say(make_printable(finding.remedy))


def _levels(meters: list[Meter], link: str) -> Table:
    """How each source is asked for, what it is, and how loud it is now."""
    from rich.table import Table

    table = Table("--audio", "is", "level", "", box=None, pad_edge=False)
    for meter in meters:
        level = meter.level()
        full = 0 if level is None else min(max(round((level + 60) / 5), 0), 12)
        bar = "" if meter.trouble else "▮" * full + "▯" * (12 - full)
        word = meter.trouble or ("no sound yet" if level is None else f"{level:.0f} dB")
        table.add_row(make_printable(meter.audio), make_printable(meter.name), bar, make_printable(word))
    table.add_row("link", "Ableton Link", "", link)
    return table


def list_packs() -> None:
    """The trained dancers there are."""
    from rich.table import Table

    from visualizer.dancer import pack_store
    from visualizer.support.console import make_console

    table = Table("--pack", "styles", "dances", "", box=None, pad_edge=False)
    for pack in pack_store.list_packs():
        numbers = ("", "") if pack.trouble else (str(pack.styles), str(pack.dances))
        where = "" if pack.shipped else make_printable(pack.folder)
        table.add_row(make_printable(pack.name), *numbers, make_printable(pack.trouble) or where)
    make_console(width=200).print(table)
