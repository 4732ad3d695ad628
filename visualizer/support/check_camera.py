"""What the doctor looks at for guests: the extra, its network, and cameras. No camera is opened."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from visualizer.support.finding import ABSENT, OK, WORSE, Finding

EXTRA = "for guests: pip install 'dancing-screen[camera]'"


def camera() -> Finding:
    """Whether guests could be seen, by what is installed and listed."""
    from visualizer.camera.bundle import COMMAND, find_bundle
    from visualizer.camera.devices import list_cameras
    from visualizer.camera.landmarker import is_there
    from visualizer.camera.watch import SIZES

    cameras = list_cameras()
    names = "by number only" if cameras is None else ", ".join(f"{c.number} {c.name}" for c in cameras) or "none"
    details: dict[str, Any] = {"cameras": names}
    if not is_there():
        return Finding(ABSENT, f"cameras: {names}; the extra camera is not installed", EXTRA, details)
    version = importlib.metadata.version("mediapipe")
    bundle = find_bundle(SIZES)
    found = f"cameras: {names}; MediaPipe {version}"
    if bundle is None:
        return Finding(ABSENT, f"{found}; the network that sees people is not there", f"{COMMAND} fetches it", details)
    details["network"] = bundle.path.name
    found = f"{found}, {bundle.path.stem}"
    if cameras == []:
        return Finding(ABSENT, found, "plug a camera in; a film does as well: --camera FILE", details)
    trouble = next((c.trouble for c in cameras or () if c.trouble), "")
    return Finding(WORSE if trouble else OK, found, trouble, details)
