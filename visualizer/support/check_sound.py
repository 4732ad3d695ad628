"""What the doctor tries of the ear and of what it listens to. Each check may raise, which is then what was found."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from visualizer.errors import UserError
from visualizer.support.finding import ABSENT, OK, REINSTALL, WORSE, Finding, chosen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from visualizer.music.sources.capture import Capture

LISTEN = 1.0  # seconds
QUIET, LOUD = -65.0, -3.0  # dBFS: below hardly anything is heard, above it is distorted


def ear() -> Finding:
    """Lets the ear's network, and what tells styles apart, hear a second of noise."""
    import numpy as np

    from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model
    from visualizer.music.analysis.features import RATE
    from visualizer.music.analysis.genre import GenreClassifier

    try:
        listening = BeatPipeline(find_model())
        GenreClassifier()
    except UserError as error:
        return Finding(WORSE, f"{error}: beats are heard by onsets alone", REINSTALL)
    noise: NDArray[np.float32] = (np.random.default_rng(0).standard_normal(RATE) / 10).astype(np.float32)
    listening.push(noise)  # the first second pays for memory that is taken once
    begun = time.thread_time()
    heard = listening.push(noise)
    taken = time.thread_time() - begun
    if heard is None or not np.isfinite(heard.music):
        return Finding(WORSE, "the network of the ear gives nothing", REINSTALL)
    found = f"the network of the ear runs; {taken:.3f} s of the processor a second of sound"
    return Finding(OK, found, details={"model": str(find_model()), "seconds_a_second": round(taken, 4)})


def microphone() -> Finding:
    """Opens the microphone that a show would listen to, and listens for a second."""
    from visualizer.music.sources.capture_thread import open_microphone
    from visualizer.music.sources.devices import NoSound, input_devices, portaudio

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
    from visualizer.music.sources.devices import NoSound
    from visualizer.music.sources.loopback import check_loopback, open_loopback

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


def _listen(line: Capture) -> float | None:
    """dBFS of the last half of LISTEN seconds, None if nothing came; closes the line."""
    from visualizer.music.sources.meters import Meter

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
    from visualizer.music.sources.meters import link_session

    with link_session() as say:
        if say().startswith("needs"):
            state = WORSE if chosen().audio == "link" else ABSENT
            return Finding(state, "not installed", "for --audio link: pip install 'dancing-screen[link]'")
        time.sleep(LISTEN)
        return Finding(OK, say())
