"""The network that sees people: a bundle of MediaPipe's pose landmarker, which the user has fetched.

A bundle is a zip file whose two members, a detector and a network of landmarks, are stored as they are. Neither comes
with the program. What was fetched is kept in the user's data folder with its SHA-256, and never used if that differs.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from visualizer import paths
from visualizer.errors import UserError
from visualizer.files import check_plain_zip, read_at_most, write_whole

MEMBERS = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
SIZES = ("lite", "full", "heavy")  # of the networks, as their maker calls them: the larger, the surer and the slower
LARGEST_BUNDLE = 64 * 1024 * 1024  # bytes; the heavy one has 31 MB
LARGEST_NOTE = 64 * 1024
LARGEST_CONTENTS = 4096  # bytes of the zip file's table
FLATBUFFER = b"TFL3"  # bytes 4 to 8 of a TensorFlow Lite network
DESCRIBED = b"TFLITE_METADATA"  # the pose landmarker wants to be told how pictures are scaled
COMMAND = "python -m training person-model"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and checked: its file, contents and SHA-256."""

    path: Path
    data: bytes
    sha256: str


def check_bundle(data: bytes, path: Path) -> str:
    """The SHA-256 of a bundle. UserError where the bytes are none; `path` is what it is called in the message."""
    check_plain_zip(io.BytesIO(data), path, len(MEMBERS), LARGEST_CONTENTS)
    wrong = f"{path}: is no bundle of MediaPipe's pose landmarker"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inside:
            listed = inside.infolist()
            if sorted(i.filename for i in listed) != sorted(MEMBERS):
                raise UserError(f"{wrong} (it must hold {' and '.join(MEMBERS)})")
            if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in listed):
                raise UserError(f"{wrong} (its networks must be stored, not packed)")
            for name in MEMBERS:
                network = inside.read(name)
                if network[4:8] != FLATBUFFER or DESCRIBED not in network:
                    raise UserError(f"{wrong} ({name} is no network that it could run)")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise UserError(f"{wrong} ({' '.join(str(error).split())[:80]})") from error
    return hashlib.sha256(data).hexdigest()


def read_bundle(path: Path) -> Bundle:
    """Read a bundle. UserError where it is missing, or is none."""
    paths.must_be_a_file(path, "bundle of a person network")
    try:
        data = read_at_most(path, LARGEST_BUNDLE)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    return Bundle(path, data, check_bundle(data, path))


def kept_path(size: str) -> Path:
    """Where the bundle of a size is kept."""
    return paths.person_models() / f"pose_landmarker_{size}.task"


def keep_bundle(data: bytes, size: str, origin: str) -> Bundle:
    """Keep a bundle in the user's data folder, and remember its SHA-256 and where it came from. UserError if it is
    none; OSError where it cannot be written."""
    path = kept_path(size)
    sha256 = check_bundle(data, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as part:
        part.write_bytes(data)
    note = {"sha256": sha256, "bytes": len(data), "from": origin}
    with write_whole(path.with_suffix(".json")) as part:
        part.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    return Bundle(path, data, sha256)


def find_bundle(sizes: tuple[str, ...] = ("full", "heavy", "lite")) -> Bundle | None:
    """The first bundle that is kept of `sizes`; None where there is none. UserError where one is not what was
    fetched."""
    for size in sizes:
        path = kept_path(size)
        if path.is_file():
            bundle = read_bundle(path)
            if bundle.sha256 != _remembered(path):
                raise UserError(f"{path}: is not what was fetched (its SHA-256 differs); `{COMMAND}` fetches it again")
            return bundle
    return None


def _remembered(path: Path) -> str:
    """The SHA-256 that was written down for a bundle; "" where there is none."""
    note = path.with_suffix(".json")
    try:
        found = json.loads(read_at_most(note, LARGEST_NOTE))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(found.get("sha256", "")) if isinstance(found, dict) else ""
