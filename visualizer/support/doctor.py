"""What works on this machine, tried and not guessed: one check a function, a remedy for each that fails.

A driver may hang or take the whole process with it. So a check that touches one runs in a process of its own, which
`python -m visualizer.support.doctor NAME` is; one that does not answer in time is ended, and that is its answer.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer.errors import UserError
from visualizer.support.log import aside, log_folder, versions, what

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from visualizer.music.line import Line
    from visualizer.settings import Settings

OK = "ok"
ABSENT = "absent"  # nobody needs it to dance, and it is not here
WORSE = "worse"  # it dances, but not as well as it could
BROKEN = "broken"
FINE, LACKING, NO_DANCE = 0, 1, 2  # exit codes

LISTEN = 1.0  # seconds
QUIET, LOUD = -65.0, -3.0  # dBFS: below hardly anything is heard, above it is distorted
STEPS = 32  # of the dancer, two beats, and as many pictures decoded
SLOWEST = 1 / 30  # seconds a picture may take
WINDOW = (320, 180)  # pixels of the window that is opened for a moment
ANSWER = "answer: "  # begins the line in which a process tells what it found

REINSTALL = "install the program anew: pip install --force-reinstall dancing-screen"


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    state: str  # OK, ABSENT, WORSE or BROKEN
    found: str  # one line
    remedy: str = ""  # one line; "" where nothing is wrong
    details: dict[str, Any] = field(default_factory=dict)  # for --json


@dataclass(frozen=True)
class Check:
    """A row of the table: a function, and how it is to be run."""

    name: str
    look: Callable[[], Finding]
    seconds: float = 0.0  # after which a process of its own is given up; 0: it touches nothing that may hang
    vital: bool = False  # without it nothing dances


# --- the checks: each may raise, which is then what was found -----------------------------------------------------


def chosen() -> Settings:
    """What a show would begin with; defaults where the file is broken, which is a finding of its own."""
    from visualizer.settings import Settings, read_settings, settings_file

    try:
        return read_settings(settings_file())[0]
    except (OSError, UnicodeDecodeError, UserError):
        return Settings()


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
    from visualizer.music.own import own_hearing
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
        return Finding(BROKEN, f"no window can be opened: {reason}", "log in to the desktop anew, and start it there")
    seconds = []
    for step in range(5):
        begun = time.perf_counter()
        window.draw(Moment(_figure(), find_look("paper"), own_hearing(step / 60, 120.0, step / 30), step / 30))
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
    from visualizer.dancer.pack import NETWORKS, find_pack, load_pack

    try:
        loaded = load_pack(find_pack(chosen().pack), "cpu")
    except UserError as error:
        remedy = REINSTALL if chosen().pack is None else "get the pack anew, or take 'pack' out of the settings file"
        return Finding(BROKEN, str(error), remedy)
    digests = loaded.info.get("sha256")
    digests = digests if isinstance(digests, dict) else {}
    files = [loaded.folder / f"{network}.onnx" for network in NETWORKS]
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
        return Finding(BROKEN, f"{found}, but nobody is to be seen in it", REINSTALL, details)
    if asked:
        return Finding(WORSE, found + asked, "change 'device' in the settings file to auto", details)
    if step + decode > SLOWEST:
        remedy = "end other programs, and let one or two dance instead of a troupe"
        return Finding(WORSE, f"{found}: too slow for 30 pictures a second", remedy, details)
    if loaded.provider == "cpu" and Path("/proc/driver/nvidia/version").exists():
        remedy = "one processor core is enough; for the card: pip install 'dancing-screen[gpu]'"
        return Finding(OK, f"{found}; the NVIDIA card is not used", remedy, details)
    return Finding(OK, found, details=details)


def ear() -> Finding:
    """Lets the ear's network, and what tells styles apart, hear a second of noise."""
    import numpy as np

    from visualizer.music.ear import Listening, find_model
    from visualizer.music.features import RATE
    from visualizer.music.taste import Taste

    try:
        listening = Listening(find_model())
        Taste()
    except UserError as error:
        return Finding(WORSE, f"{error}: beats are heard by onsets alone", REINSTALL)
    noise: NDArray[np.float32] = (np.random.default_rng(0).standard_normal(RATE) / 10).astype(np.float32)
    listening.push(noise)  # the first second pays for what is compiled
    begun = time.thread_time()
    heard = listening.push(noise)
    taken = time.thread_time() - begun
    if heard is None or not np.isfinite(heard.music):
        return Finding(WORSE, "the network of the ear gives nothing", REINSTALL)
    found = f"the network of the ear runs; {taken:.3f} s of the processor a second of sound"
    return Finding(OK, found, details={"model": str(find_model()), "seconds_a_second": round(taken, 4)})


def microphone() -> Finding:
    """Opens the microphone that a show would listen to, and listens for a second."""
    from visualizer.music.devices import NoSound, input_devices, portaudio
    from visualizer.music.listener import open_microphone

    audio = chosen().audio
    name = audio.partition(":")[2].strip() if audio.startswith("mic:") else ""
    packages = " (Debian: libportaudio2 libasound2-plugins)" if sys.platform.startswith("linux") else ""
    try:
        sd = portaudio()
    except NoSound as error:
        return Finding(WORSE, str(error), f"install PortAudio{packages}, and start again")
    inputs = [device["name"] for device in input_devices(sd)]
    try:
        line = open_microphone(name)(False, time.monotonic)
    except NoSound as error:
        remedy = "plug one in and choose it in the system's sound settings; 'visualizer devices' lists what there is"
        return Finding(WORSE, str(error), remedy, {"inputs": inputs})
    level = _listen(line)
    found = f"{line.name}: " + ("no sound came" if level is None else f"{level:.0f} dB")
    details = {"name": line.name, "rate": line.rate, "level_db": level, "inputs": inputs}
    if level is None or level <= -100:
        remedy = "is it muted, or is this program not permitted to listen? look in the system's privacy settings"
        return Finding(WORSE, f"{found}: it gives no sound at all", remedy, details)
    if level < QUIET:
        return Finding(OK, f"{found}: hardly a sound", "with music on that is too quiet: turn the input up", details)
    if level > LOUD:
        return Finding(WORSE, f"{found}: distorted", "turn the input down in the system's sound settings", details)
    return Finding(OK, found, details=details)


def loopback() -> Finding:
    """Opens what the computer plays, and listens for a second."""
    from visualizer.music.devices import NoSound
    from visualizer.music.loopback import check_loopback, open_loopback

    state = WORSE if chosen().audio == "loopback" else ABSENT
    try:
        check_loopback()
    except UserError as error:
        return Finding(state, "macOS lets no program hear the others", str(error).partition("; ")[2])
    try:
        line = open_loopback(False, time.monotonic)
    except NoSound as error:
        remedy = "for --audio loopback: PulseAudio or PipeWire must run, with ALSA's plugin for it"
        return Finding(state, str(error), remedy)
    level = _listen(line)
    now = "nothing plays now" if level is None or level <= -100 else f"{level:.0f} dB"
    return Finding(OK, f"what the computer plays: {now}", details={"rate": line.rate, "level_db": level})


def _listen(line: Line) -> float | None:
    """dBFS of the last half of LISTEN seconds, None if nothing came; closes the line."""
    from visualizer.music.meters import Meter

    meter, end = Meter("", line.name, line), time.monotonic() + LISTEN
    level = None
    while time.monotonic() < end and meter.line is not None:
        time.sleep(0.05)
        level = meter.level()
    if meter.line is not None:
        meter.line.close()
    return level


def link() -> Finding:
    """Joins the Ableton Link session of this network for a second."""
    from visualizer.music.meters import link_session

    with link_session() as say:
        if say().startswith("needs"):
            state = WORSE if chosen().audio == "link" else ABSENT
            return Finding(state, "not installed", "for --audio link: pip install 'dancing-screen[link]'")
        time.sleep(LISTEN)
        return Finding(OK, say())


def films() -> Finding:
    """Which kinds of films PyAV can write here."""
    import av
    import av.codec

    from visualizer.film.video import FILMS, TRANSPARENT

    able: dict[str, str] = {}
    unable: dict[str, str] = {}
    for kind, wanted in (*FILMS.items(), *((f"{name} transparent", each) for name, each in TRANSPARENT.items())):
        here = [name for name in wanted.video if _has_encoder(name)]
        sound = wanted.sound is None or _has_encoder(wanted.sound)
        if here and sound:
            able[kind] = here[0]
        else:
            unable[kind] = f"{' or '.join(wanted.video)} and {wanted.sound}"
    libraries = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    details = {"encoders": able, "lacking": unable, "ffmpeg": libraries}
    if unable:
        found = f"not here: {', '.join(unable)}" if able else "none can be written"
        return Finding(WORSE, found, "pip install --force-reinstall av, whose wheels have all encoders", details)
    return Finding(OK, f"{', '.join(FILMS)} by {', '.join(dict.fromkeys(able.values()))}", details=details)


def _has_encoder(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, "w")
    except UnknownCodecError:
        return False
    return True


def settings() -> Finding:
    """Reads the settings file as a show would, and leaves it where it is."""
    from visualizer.settings import read_settings, settings_file

    path = settings_file()
    details: dict[str, Any] = {"path": str(path)}
    try:
        read, note = read_settings(path)
    except FileNotFoundError:
        trouble = _unwritable(path.parent)
        if trouble:
            return Finding(
                WORSE, f"{path}: none, and none can be written", f"make its folder writable: {trouble}", details
            )
        return Finding(OK, f"{path}: none, so all is as it comes", details=details)
    except (OSError, UnicodeDecodeError) as error:
        return Finding(WORSE, f"{path} cannot be read ({error})", "make it a readable text file, or remove it", details)
    except UserError as error:
        remedy = "put that line right or remove it; the next show keeps the file aside and begins with defaults"
        return Finding(WORSE, str(error), remedy, details)
    details["keys"] = sorted(read.from_file)
    if note:
        return Finding(WORSE, f"{path}: {note}", "change that line", details)
    return Finding(OK, f"{path}: {', '.join(details['keys']) or 'empty'}", details=details)


def folders() -> Finding:
    """Whether the log and what was heard of songs can be kept."""
    from visualizer.music.shelf import folder

    places = {"log": log_folder(), "cache": folder()}
    details = {name: str(path) for name, path in places.items()}
    trouble = {name: why for name, path in places.items() if (why := _unwritable(path))}
    if trouble:
        found = "; ".join(f"{name} in {places[name]} cannot be written" for name in trouble)
        return Finding(
            WORSE, found, f"it works without; else make this writable: {', '.join(trouble.values())}", details
        )
    return Finding(OK, f"log in {places['log']}, cache in {places['cache']}", details=details)


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there, "" if it can; a folder that is not there yet is not made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} ({error.strerror or error})"


def packages() -> Finding:
    """Versions of all that the program stands on."""
    import pygame

    found = versions()
    found["SDL"] = ".".join(map(str, pygame.version.SDL))
    needed = ["numpy", "pygame-ce", "moderngl", "sounddevice", "librosa", "soxr", "numba", "av", "rich"]
    lacking = [name for name in needed if name not in found]
    lacking += [] if {"onnxruntime", "onnxruntime-gpu"} & set(found) else ["onnxruntime"]
    main = ("visualizer", "python", "SDL", "pygame-ce", "moderngl", "onnxruntime", "onnxruntime-gpu", "av", "system")
    line = ", ".join(f"{name} {found[name]}" for name in main if name in found)
    if lacking:
        return Finding(WORSE, f"not installed: {', '.join(lacking)}", REINSTALL, found)
    return Finding(OK, line, details=found)


CHECKS = (
    Check("display", display, 10),
    Check("picture", picture, 20),
    Check("pack", pack, 30, vital=True),
    Check("networks", networks, 60, vital=True),
    Check("ear", ear, 30),
    Check("microphone", microphone, 10),
    Check("loopback", loopback, 10),
    Check("Ableton Link", link, 10),
    Check("films", films, 20),
    Check("settings file", settings, 10),
    Check("log and cache", folders, 10),
    Check("versions", packages),
)


# --- running them --------------------------------------------------------------------------------------------------


def examine(checks: tuple[Check, ...] = CHECKS) -> list[tuple[Check, Finding]]:
    """All of them, side by side, in the order of the table."""
    with ThreadPoolExecutor(4) as pool:
        return list(zip(checks, pool.map(run_check, checks), strict=True))


def run_check(check: Check) -> Finding:
    """What it finds; its own failure is a finding too."""
    begun = time.monotonic()
    finding = _in_process(check) if check.seconds else _safely(check)
    aside.info("doctor: %s: %s, %s (%.1f s)", check.name, finding.state, finding.found, time.monotonic() - begun)
    return dataclasses.replace(finding, details={**finding.details, "seconds": round(time.monotonic() - begun, 2)})


def _safely(check: Check) -> Finding:
    try:
        return check.look()
    except UserError as error:
        return Finding(BROKEN, str(error), "see the line above it" if check.name == "networks" else REINSTALL)
    except Exception as error:  # noqa: BLE001 - whatever fails in a check is what the check has found
        aside.exception("doctor: %s", check.name)
        remedy = (
            f"'{REINSTALL.partition(': ')[2]}' helps if a package is torn; else send what 'visualizer report' packs"
        )
        return Finding(BROKEN, what(error), remedy)


def _in_process(check: Check) -> Finding:
    """In a process of its own, so that nothing it does can stop or end us."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[1])]))
    # Files, not pipes: a sound server that the process has started would hold a pipe open after it.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "visualizer.support.doctor", check.name],
            stdin=subprocess.DEVNULL, stdout=said, stderr=complained, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        try:
            code = process.wait(check.seconds)
        except subprocess.TimeoutExpired:
            process.kill()  # and not waited for: one that sleeps in a driver does not even die
            found = f"no answer within {check.seconds:g} s: a driver or device hangs"
            return Finding(BROKEN, found, "unplug and plug in what it is about, or start the computer anew")
        said.seek(0)
        complained.seek(0)
        lines = said.read().decode("utf-8", "replace").splitlines()
        story = complained.read().decode("utf-8", "replace").strip()
    for line in lines:
        if line.startswith(ANSWER):
            if story:
                aside.info("doctor: %s says besides: %s", check.name, story)
            return Finding(**json.loads(line.removeprefix(ANSWER)))
    aside.warning("doctor: %s ended with %d: %s", check.name, code, story)
    how = f"a driver has ended it (signal {-code})" if code < 0 else f"it ended with code {code}"
    return Finding(BROKEN, f"no answer: {how}", "update the driver of what it is about; 'visualizer report' packs more")


def exit_code(findings: list[tuple[Check, Finding]]) -> int:
    """0 all fine, 1 it dances and something is missing or worse than it could be, 2 it cannot dance."""
    if any(check.vital and finding.state == BROKEN for check, finding in findings):
        return NO_DANCE
    return LACKING if any(finding.state in (WORSE, BROKEN) for _, finding in findings) else FINE


VERDICTS = {
    FINE: "All fine.",
    LACKING: "It dances; what is marked could be better.",
    NO_DANCE: "It cannot dance.",
}


def as_json(findings: list[tuple[Check, Finding]]) -> dict[str, Any]:
    """For other programs; the names and states stay as they are."""
    code = exit_code(findings)
    rows = [{"name": check.name, "vital": check.vital, **dataclasses.asdict(finding)} for check, finding in findings]
    return {"exit_code": code, "verdict": VERDICTS[code], "checks": rows}


def show(findings: list[tuple[Check, Finding]], console: Console) -> None:
    """One screen for people."""
    from rich.table import Table
    from rich.text import Text

    marks = {OK: ("✓", "green"), ABSENT: ("–", "dim"), WORSE: ("!", "yellow"), BROKEN: ("✗", "bold red")}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check, finding in findings:
        mark, style = marks[finding.state]
        words = Text(finding.found)
        if finding.remedy:
            words.append(f"\n→ {finding.remedy}", style="" if finding.state == OK else style)
        table.add_row(Text(mark, style=style), check.name, words)
    console.print(table)
    console.print(VERDICTS[exit_code(findings)])


def _answer(name: str) -> None:
    """In the process of one check: say what it finds."""
    from visualizer.support.log import start_log

    start_log()
    faulthandler.enable()  # says where a driver has ended us
    finding = _safely(next(check for check in CHECKS if check.name == name))
    sys.stdout.write(f"\n{ANSWER}{json.dumps(dataclasses.asdict(finding))}\n")
    sys.stdout.flush()
    os._exit(0)  # a driver that cannot end well has answered all the same


if __name__ == "__main__":
    _answer(sys.argv[1])
