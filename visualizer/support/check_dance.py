"""What the doctor tries of the picture and of who dances in it. Each check may raise, which is then what was found."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.support.finding import BROKEN, OK, REINSTALL, WORSE, Finding, chosen

STEPS = 32  # of the dancer, two beats, and as many pictures decoded
SLOWEST = 1 / 30  # seconds a picture may take
WINDOW = (320, 180)  # pixels of the window that is opened for a moment


def display() -> Finding:
    """The displays that SDL finds, and whether the one that the settings ask for is among them."""
    import pygame

    from visualizer.stage.displays import displays, find_display
    from visualizer.stage.video import NoDisplay, open_video

    try:
        open_video()
    except NoDisplay as reason:
        remedy = "start it from a desktop, or set DISPLAY; until then it makes films"
        return Finding(WORSE, f"none: {reason}", remedy)
    there, driver = displays(), pygame.display.get_driver()
    found = f"{driver}: " + ", ".join(f"{each}{f' at {each.rate} Hz' if each.rate else ''}" for each in there)
    details = {"driver": driver, "displays": [dataclasses.asdict(each) for each in there]}
    pygame.display.quit()
    try:
        find_display(there, chosen().display)
    except UserError as error:
        remedy = f"plug it in, or change 'display' in the settings file; until then it dances on {there[0]}"
        return Finding(WORSE, f"{found}; the settings: {str(error).partition(';')[0]}", remedy, details)
    return Finding(OK, found, details=details)


def picture() -> Finding:
    """Opens a small window, in memory where there is no screen, paints in it, and says who paints."""
    import pygame

    from visualizer.moment import Moment
    from visualizer.music.sources.free_run import free_run_hearing
    from visualizer.stage.gpu import software_gl
    from visualizer.stage.looks import find_look
    from visualizer.stage.video import NoDisplay, open_video
    from visualizer.stage.window import Window

    where = ""
    try:
        open_video()
    except NoDisplay:
        os.environ["SDL_VIDEODRIVER"], where = "offscreen", ", in memory"
    said: list[str] = []
    software_gl.forget()  # what is found here is found now
    try:
        window = Window(WINDOW, notify=said.append)
    except NoDisplay as reason:
        return Finding(BROKEN, f"no window can be opened: {reason}", "log in to the desktop again, and start it there")
    seconds = []
    for step in range(5):
        begun = time.perf_counter()
        window.draw(Moment(_figure(), find_look("paper"), free_run_hearing(step / 60, 120.0, step / 30), step / 30))
        seconds.append(time.perf_counter() - begun)
    with tempfile.TemporaryDirectory() as folder:
        window.save(str(Path(folder) / "picture.png"))
        painted = pygame.surfarray.array3d(pygame.image.load(str(Path(folder) / "picture.png")))
    gpu, notes, opengl = window.gpu, " ".join(said), {}
    if gpu:
        import moderngl

        info = moderngl.get_context().info
        opengl = {key: str(info[key]) for key in ("GL_RENDERER", "GL_VENDOR", "GL_VERSION")}
    window.close()
    contrast = int(painted.max()) - int(painted.min())
    details = {
        "gpu": gpu,
        "notes": notes,
        "milliseconds": round(1000 * min(seconds), 2),
        "contrast": contrast,
        **opengl,
    }
    if contrast < 100:
        remedy = "start it with the hidden option --stage painter, and update the graphics driver"
        return Finding(
            BROKEN, f"a picture stays empty on {opengl.get('GL_RENDERER', 'the processor')}", remedy, details
        )
    if gpu:
        return Finding(OK, f"OpenGL {opengl['GL_VERSION']} on {opengl['GL_RENDERER']}{where}", details=details)
    packages = " and its OpenGL (Debian: libegl1 libgl1)" if sys.platform.startswith("linux") else ""
    remedy = f"it dances as it is; for finer pictures install the graphics card's driver{packages}"
    return Finding(WORSE, f"{notes or 'painting on the processor'}{where}", remedy, details)


def _figure() -> Any:
    """A round dancer alone on the stage."""
    import numpy as np

    from visualizer.dancer.pack import FRAME_SIZE
    from visualizer.moment import Bodies

    place = (np.arange(FRAME_SIZE, dtype=np.float32) + 0.5) / FRAME_SIZE - 0.5
    frame = np.clip(np.hypot(place, place[:, None]) - 0.3, -0.02, 0.02)
    return Bodies(frame[None, None].astype(np.float32), None, np.zeros(1, np.float32))


def pack() -> Finding:
    """Reads the pack that would dance, holds it against its digests and its contract."""
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.networks.contract import networks_of

    try:
        loaded = load_pack(find_pack(chosen().pack), "cpu")
    except UserError as error:
        remedy = REINSTALL if chosen().pack is None else "get the pack again, or take 'pack' out of the settings file"
        return Finding(BROKEN, str(error), remedy)
    digests = loaded.info.get("sha256")
    digests = digests if isinstance(digests, dict) else {}
    files = [loaded.folder / f"{network}.onnx" for network in networks_of(loaded.info)]
    there = [path for path in files if path.is_file()]
    changed = [p.name for p in there if hashlib.sha256(p.read_bytes()).hexdigest() != digests.get(p.name)]
    size = sum(path.stat().st_size for path in there)
    found = f"{loaded.name}: {len(loaded.styles)} styles, {len(loaded.dances)} dances, {size / 1e6:.0f} MB"
    details = {
        "folder": str(loaded.folder), "name": loaded.name, "styles": len(loaded.styles), "dances": len(loaded.dances),
        "bytes": size, "changed": changed if digests else [], "missing": [p.name for p in files if p not in there],
    }  # fmt: skip
    if digests and changed:
        return Finding(WORSE, f"{found}; not as it was made: {', '.join(changed)}", REINSTALL, details)
    if details["missing"]:
        return Finding(WORSE, f"{found}; without {', '.join(details['missing'])}", REINSTALL, details)
    return Finding(OK, found + ("" if digests else "; no digests to hold it against"), details=details)


def networks() -> Finding:
    """Dances two beats and decodes the pictures, with the clock running."""
    import numpy as np
    import onnxruntime

    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import STEPS_PER_BEAT, find_pack, load_pack

    settings = chosen()
    try:
        loaded = load_pack(find_pack(settings.pack), settings.device)
    except UserError as error:
        if settings.device == "auto":
            raise
        loaded = load_pack(find_pack(settings.pack))
        asked = f"; the settings want {settings.device}: {error}"
    else:
        asked = ""
    dancer = Dancer(loaded, 1)
    steps, decodes, inside = [], [], []
    for step in range(1, STEPS + 1):
        beat = step / STEPS_PER_BEAT
        begun = time.perf_counter()
        dancer.step_to(beat, 0.5)
        danced = time.perf_counter()
        frames = dancer.picture(beat).frames
        steps.append(danced - begun)
        decodes.append(time.perf_counter() - danced)
        inside.append(float((frames < 0).mean()) if np.isfinite(frames).all() else 0.0)
    step, decode = float(np.median(steps)), float(np.median(decodes))
    found = f"{loaded.provider.upper()}: a step {1000 * step:.2f} ms, a picture {1000 * decode:.1f} ms"
    details = {
        "provider": loaded.provider, "step_ms": round(1000 * step, 3), "decode_ms": round(1000 * decode, 3),
        "available": onnxruntime.get_available_providers(), "dancer_restarts": dancer.restarts,
    }  # fmt: skip
    if not 0.002 < min(inside) <= max(inside) < 0.6 or dancer.restarts:
        return Finding(BROKEN, f"{found}, but no one is to be seen in it", REINSTALL, details)
    if asked:
        return Finding(WORSE, found + asked, "change 'device' in the settings file to auto", details)
    if step + decode > SLOWEST:
        remedy = "end other programs, and let one or two dance instead of a troupe"
        return Finding(WORSE, f"{found}: too slow for 30 pictures a second", remedy, details)
    if loaded.provider == "cpu" and Path("/proc/driver/nvidia/version").exists():
        remedy = "one processor core is enough; for the card install dancing-screen-gpu in place of this"
        return Finding(OK, f"{found}; the NVIDIA card is not used", remedy, details)
    return Finding(OK, found, details=details)
