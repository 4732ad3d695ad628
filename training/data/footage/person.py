"""A figure found by a segmentation network of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.mask_types import Mask, Step
from training.data.footage.video import Picture
from visualizer.errors import UserError

LARGEST_NETWORK = 1 << 30  # bytes

FREE_SIDE = 320  # pixels, where the network leaves its size free

NORMS = {
    "unit": (np.zeros(3, np.float32), np.ones(3, np.float32)),
    "signed": (np.full(3, 0.5, np.float32), np.full(3, 0.5, np.float32)),
    "imagenet": (np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)),
}

CONTRACT = (
    "it must take one picture, float32 (1, 3, H, W) or (1, H, W, 3), red green blue, and give as its first output a "
    "mask (1, 1, h, w), (1, h, w, 1), (1, h, w) or, background first, (1, 2, h, w) or (1, h, w, 2)"
)


class Person:
    """A segmentation network of the user's, such as U²-Net or MediaPipe's selfie segmenter, as ONNX.

    In: one picture, float32 (1, 3, H, W) or (1, H, W, 3), red, green, blue, 0..1 less the mean and over the std of
    `norm`; H and W fixed, or free (then 320). Out: the first output is the mask, of any size, one channel 0..1, or two
    (background, person), or their logits. All of it is checked when it is opened, by running it once.
    """

    def __init__(self, path: Path, norm: str = "unit") -> None:
        if norm not in NORMS:
            raise UserError(f"mask norm {norm!r}: must be {', '.join(NORMS)}")
        self._mean, self._std = NORMS[norm]
        self._session = _open_network(path)
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if inputs else []
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(shape) != 4:
            raise UserError(f"{path}: {CONTRACT}")
        self._name = inputs[0].name
        self._first = shape[1] == 3  # channels before the picture
        if not self._first and shape[3] != 3:
            raise UserError(f"{path}: its input is {shape}, but {CONTRACT}")
        sides = shape[2:] if self._first else shape[1:3]
        self._size = tuple(s if isinstance(s, int) and s > 0 else FREE_SIDE for s in sides)  # height, width
        if not all(8 <= s <= 4096 for s in self._size):
            raise UserError(f"{path}: a picture of {self._size} is no size to look at")
        self._output = self._session.get_outputs()[0].name
        try:
            self._run(np.full((*self._size, 3), 128, np.uint8))
        except ValueError as error:
            raise UserError(f"{path}: {error}; {CONTRACT}") from error

    def _run(self, picture: Picture) -> NDArray[np.float32]:
        """How likely each pixel is a person's, (h, w). ValueError where the network does not answer as it should."""
        height, width = self._size
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        given = (small[..., ::-1].astype(np.float32) / 255 - self._mean) / self._std
        given = given.transpose(2, 0, 1)[None] if self._first else given[None]
        try:
            (found,) = self._session.run([self._output], {self._name: np.ascontiguousarray(given)})
        except network_errors() as error:
            raise ValueError(f"does not run ({' '.join(str(error).split())[:120]})") from error
        found = np.asarray(found, np.float32)
        if not np.isfinite(found).all():
            raise ValueError("gives what is no number")
        channels = {(4, 1): 1, (4, -1): -1}
        if found.ndim == 3 and found.shape[0] == 1:
            return _likely(found[0])
        if found.ndim == 4 and found.shape[0] == 1:
            for axis in channels.values():
                if found.shape[axis] == 1:
                    return _likely(np.moveaxis(found, axis, 0)[0, 0])
                if found.shape[axis] == 2:
                    back, person = np.moveaxis(found, axis, 0)[:, 0]
                    both = min(back.min(), person.min()) >= -0.01 and max(back.max(), person.max()) <= 1.01
                    return person if both else 1 / (1 + np.exp(np.clip(back - person, -30, 30)))
        raise ValueError(f"gives {found.shape}")

    def mask(self, picture: Picture) -> Mask:
        likely = cv2.resize(self._run(picture), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.where(likely > 0.5, np.uint8(255), np.uint8(0)).astype(np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        likely = cv2.resize(np.clip(self._run(picture) * 255, 0, 255), picture.shape[1::-1]).astype(np.uint8)
        return [("picture", picture), ("likely", likely), ("mask", self.mask(picture))]


def _likely(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits, which know no bounds, become shares; shares stay."""
    if found.min() >= -0.01 and found.max() <= 1.01:
        return found
    return (1 / (1 + np.exp(-np.clip(found, -30, 30)))).astype(np.float32)


def network_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a network that it cannot read or run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

    names = ("Fail", "InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NotImplemented", "RuntimeException",
             "NoSuchFile")  # fmt: skip
    return (*(getattr(state, n) for n in names), ValueError, RuntimeError, MemoryError)


def _open_network(path: Path) -> Any:
    import onnxruntime as ort

    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # several processes share the cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        if path.stat().st_size > LARGEST_NETWORK:
            raise UserError(f"{path}: {path.stat().st_size} bytes is too large for a mask network")
        ort.disable_telemetry_events()
        return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except network_errors() as error:
        raise UserError(f"{path}: not a usable network ({' '.join(str(error).split())[:120]})") from error
