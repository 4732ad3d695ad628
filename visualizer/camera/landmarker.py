"""People in pictures: MediaPipe's pose landmarker (Bazarevsky et al., "BlazePose", 2020), one picture after another.

It follows a person from picture to picture, so what it sees depends on the pictures before. MediaPipe's versions from
0.10.35 on report every use to their maker; the extra `camera` keeps to one that calls no one.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.bundle import Bundle
from visualizer.errors import UserError
from visualizer.support.streams import quietly

LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb",
    "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
    "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
POINT = {name: number for number, name in enumerate(LANDMARKS)}
# Pictures are laid into squares of a multiple of this: the network turns people wrongly in others, and masks whose
# width is no multiple of it cannot be read.
SIDE = 16
SURE = 0.5  # of being a person, from which a pixel of a mask is one
CALLS_HOME = (0, 10, 35)  # the first version that reports each use to its maker
MISSING = "seeing people needs MediaPipe: pip install 'dancing-screen[camera]'"


@dataclass(frozen=True)
class Person:
    """One person in a picture. `points` (33, 2) pixels; `world` (33, 3) metres about the middle of the hips, x to the
    right, y down, z away from the camera; `sure` (33,) how likely each is seen; `mask` (height, width): 255 where the
    person is, None where no masks were wanted."""

    points: NDArray[np.float32]
    world: NDArray[np.float32]
    sure: NDArray[np.float32]
    mask: NDArray[np.uint8] | None


def is_there() -> bool:
    """Whether MediaPipe is installed."""
    import importlib.util

    return importlib.util.find_spec("mediapipe") is not None


def _load() -> Any:
    """MediaPipe. UserError where it is missing or of a version that calls its maker."""
    try:
        import mediapipe
    except ImportError as error:
        raise UserError(f"{MISSING} ({error})") from error
    version = tuple(int(part) for part in mediapipe.__version__.split(".")[:3] if part.isdigit())
    if version >= CALLS_HOME:
        raise UserError(
            f"MediaPipe {mediapipe.__version__} reports each use to its maker; this program uses one before "
            f"{'.'.join(map(str, CALLS_HOME))}: pip install 'dancing-screen[camera]'"
        )
    return mediapipe


class Landmarker:
    """Sees up to `people` people in one picture after another; `masks`: also which pixels are theirs; `follow`: the
    pictures are those of a film, else each is looked at on its own. To be closed."""

    def __init__(self, bundle: Bundle, people: int = 1, masks: bool = True, follow: bool = True) -> None:
        mediapipe = _load()
        from mediapipe.tasks.python import BaseOptions, vision

        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        mode = vision.RunningMode.VIDEO if follow else vision.RunningMode.IMAGE
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=bundle.data), running_mode=mode,
            output_segmentation_masks=masks, num_poses=people,
        )  # fmt: skip
        self._now = -1
        self._has_seen = False
        self._masks, self._follow = masks, follow
        try:
            with quietly():
                self._eyes = vision.PoseLandmarker.create_from_options(options)
            self.look(np.zeros((64, 64, 3), np.uint8), 0.0)
        except (RuntimeError, ValueError, NotImplementedError) as error:
            why = " ".join(str(error).split())[:120]
            raise UserError(f"{bundle.path}: MediaPipe cannot use it ({why})") from error

    def look(self, picture: NDArray[np.uint8], seconds: float) -> list[Person]:
        """The people in a picture (height, width, 3) of blue, green, red; `seconds` must grow from call to call."""
        self._now = max(self._now + 1, round(1000 * seconds))
        height, width = picture.shape[:2]
        side = -(-max(height, width) // SIDE) * SIDE
        given = np.zeros((side, side, 3), np.uint8)
        given[:height, :width] = picture[..., ::-1]
        image = self._image(image_format=self._format, data=given)
        with contextlib.nullcontext() if self._has_seen else quietly():  # it says more when it first sees somebody
            found = self._eyes.detect_for_video(image, self._now) if self._follow else self._eyes.detect(image)
        self._has_seen = self._has_seen or bool(found.pose_landmarks)
        people = []
        for number, (points, world) in enumerate(zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)):
            mask = None
            if self._masks and found.segmentation_masks:
                likely = found.segmentation_masks[number].numpy_view().reshape(side, side)[:height, :width]
                mask = np.where(likely > SURE, np.uint8(255), np.uint8(0)).astype(np.uint8)
            people.append(
                Person(
                    np.array([(p.x * side, p.y * side) for p in points], np.float32),
                    np.array([(p.x, p.y, p.z) for p in world], np.float32),
                    np.array([p.visibility or 0.0 for p in points], np.float32),
                    mask,
                )
            )
        return people

    def close(self) -> None:
        self._eyes.close()

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
