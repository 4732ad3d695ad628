"""`python -m training person-model`: fetches the network that sees people from its maker, once.

No other command fetches anything. What comes is checked before it is kept; see visualizer/camera/bundle.py.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from visualizer.camera import bundle as bundles
from visualizer.camera.bundle import LARGEST_BUNDLE, SIZES, Bundle
from visualizer.errors import UserError
from visualizer.support.printable import say

# Where MediaPipe's own page tells people to download it.
_FOLDER = "https://storage.googleapis.com/mediapipe-models/pose_landmarker"
MAKER = _FOLDER + "/pose_landmarker_{size}/float16/1/pose_landmarker_{size}.task"
LICENCE = "Apache License 2.0, by Google (MediaPipe pose landmarker)"
PATIENCE = 20.0  # seconds without an answer
BLOCK = 1 << 16  # bytes read at a time


def add_person_model(size: str = "full", file: Path | None = None, address: str = MAKER) -> Bundle:
    """Fetch the bundle of a `size`, or take that of a `file`, and keep it. Says how large it is and under which licence
    before it comes. UserError where it cannot be had, or is none; nothing is kept then."""
    if size not in SIZES:
        raise UserError(f"size {size!r}: must be {', '.join(SIZES)}")
    if file is not None:
        data, origin = bundles.read_bundle(file).data, str(file)
    else:
        origin = address.format(size=size)
        data = fetch(origin)
    try:
        kept = bundles.keep_bundle(data, size, origin)
    except OSError as error:
        raise UserError(f"{error.filename or bundles.kept_path(size)}: cannot be written ({error.strerror})") from error
    say(f"kept as {kept.path}, SHA-256 {kept.sha256}")
    return kept


def fetch(address: str) -> bytes:
    """The bytes at an address. UserError where they cannot be had, or are too many."""
    without = "on a machine without a network, --person-model FILE takes it from a file"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            told = answer.headers.get("Content-Length")
            length = int(told) if told and told.isdigit() else None
            known = f"{length / 1e6:.1f} MB" if length is not None else "of unknown size"
            say(f"from {address}\n{known}, {LICENCE}")
            if length is not None and length > LARGEST_BUNDLE:
                raise UserError(f"{address}: too large, more than {LARGEST_BUNDLE} bytes")
            parts, got = [], 0
            while block := answer.read(BLOCK):
                got += len(block)
                if got > LARGEST_BUNDLE:
                    raise UserError(f"{address}: too large, more than {LARGEST_BUNDLE} bytes")
                parts.append(block)
    except urllib.error.HTTPError as error:
        raise UserError(f"{address}: cannot be fetched ({error.code} {error.reason}); {without}") from error
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise UserError(f"{address}: cannot be fetched ({' '.join(str(why).split())[:100]}); {without}") from error
    if length is not None and got != length:
        raise UserError(f"{address}: came only in part, {got} of {length} bytes; try again")
    return b"".join(parts)
