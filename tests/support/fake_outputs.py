"""Stand-ins for the libraries of outputs, with the names and parameters of theirs as of the versions named.

They take what the real ones take and refuse what those refuse; what was sent is kept.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum, IntEnum
from fractions import Fraction
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest


def make_pyvirtualcam(devices: tuple[str, ...] = ("/dev/video9",)) -> Any:
    """pyvirtualcam 0.15."""
    module: Any = ModuleType("pyvirtualcam")
    module.sent, module.opened = [], []

    class PixelFormat(Enum):
        RGB = "raw "
        RGBA = "ABGR"

    class Camera:
        def __init__(
            self, width: int, height: int, fps: float, *, fmt: PixelFormat = PixelFormat.RGB,
            device: str | None = None, backend: str | None = None, print_fps: bool = False,
        ) -> None:  # fmt: skip
            if not devices or (device or devices[0]) not in devices:
                raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found.\nSee also")
            self.device, self._shape, self.closed = device or devices[0], (height, width, 3), False
            assert fmt is PixelFormat.RGB
            module.opened.append((self, fps))

        def send(self, frame: np.ndarray) -> None:
            if frame.dtype != np.uint8:
                raise TypeError("unexpected frame dtype")
            if frame.shape != self._shape:
                raise ValueError(f"unexpected frame shape: {frame.shape} != {self._shape}")
            module.sent.append(frame.copy())

        def close(self) -> None:
            self.closed = True

    module.Camera, module.PixelFormat = Camera, PixelFormat
    return module


def make_cyndilib() -> Any:
    """cyndilib 0.1.3."""
    module: Any = ModuleType("cyndilib")
    module.sent, module.senders = [], []

    class FourCC(IntEnum):
        BGRA = 0x41524742
        BGRX = 0x58524742

    class VideoSendFrame:
        size, rate, fourcc = (0, 0), Fraction(0), FourCC.BGRX

        def set_resolution(self, xres: int, yres: int) -> None:
            self.size = (xres, yres)

        def set_frame_rate(self, value: Fraction) -> None:
            self.rate = value

        def set_fourcc(self, value: FourCC) -> None:
            self.fourcc = value

    class Sender:
        def __init__(
            self, ndi_name: str, ndi_groups: str = "", clock_video: bool = True, clock_audio: bool = True
        ) -> None:  # fmt: skip
            self.ndi_name, self.clock_video, self.is_open, self.frame = ndi_name, clock_video, False, VideoSendFrame()
            module.senders.append(self)

        def set_video_frame(self, vf: VideoSendFrame) -> None:
            self.frame = vf

        def open(self) -> None:
            self.is_open = True

        def close(self) -> None:
            self.is_open = False

        def write_video(self, data: np.ndarray) -> bool:
            assert self.is_open
            view = data.data
            assert view.ndim == 1
            assert view.nbytes == self.frame.size[0] * self.frame.size[1] * 4
            module.sent.append(np.array(view, np.uint8))
            return True

    module.FourCC, module.VideoSendFrame, module.Sender = FourCC, VideoSendFrame, Sender
    return module


def make_spoutgl(has_opengl: bool = True) -> Any:
    """SpoutGL 0.1.1."""
    module: Any = ModuleType("SpoutGL")
    module.enums = ModuleType("SpoutGL.enums")
    vars(module.enums).update(GL_RGBA=0x1908)
    module.sent, module.calls = [], []

    class SpoutSender:
        def createOpenGL(self) -> bool:
            module.calls.append("createOpenGL")
            return has_opengl

        def closeOpenGL(self) -> bool:
            module.calls.append("closeOpenGL")
            return True

        def setSenderName(self, name: str) -> None:
            module.calls.append(name)

        def sendImage(self, buffer: Any, width: int, height: int, glFormat: int, invert: bool, hostFbo: int) -> bool:
            view = memoryview(buffer)
            assert view.c_contiguous
            assert view.nbytes >= width * height * 4
            assert glFormat == 0x1908
            module.sent.append(np.array(view, np.uint8))
            return True

        def setFrameSync(self, name: str) -> None:
            module.calls.append(f"sync {name}")

        def releaseSender(self) -> None:
            module.calls.append("releaseSender")

    module.SpoutSender = SpoutSender
    return module


def make_syphon(has_metal: bool = True) -> dict[str, Any]:
    """syphon-python 0.1.1 and what it uses of PyObjC, by the names that they are imported by."""
    module: Any = ModuleType("syphon")
    module.sent, module.stopped, module.pools = [], [], []

    class SyphonMetalServer:
        def __init__(self, name: str, device: Any = None, command_queue: Any = None) -> None:
            self.name, self.device = name, "a device" if has_metal else None

        def publish_frame_texture(
            self, texture: Any, region: Any = None, size: Any = None, is_flipped: bool = False
        ) -> None:  # fmt: skip
            assert module.pools[-1:] == ["open"]
            module.sent.append((texture.image, is_flipped))

        def stop(self) -> None:
            module.stopped.append(self.name)

    def create_mtl_texture(device: Any, width: int, height: int) -> Any:
        return SimpleNamespace(device=device, width=width, height=height, image=None)

    def copy_image_to_mtl_texture(image: np.ndarray, texture: Any) -> None:
        assert image.shape == (texture.height, texture.width, 4)
        texture.image = image.copy()

    @contextmanager
    def autorelease_pool():
        module.pools.append("open")
        yield
        module.pools.append("drained")

    utils, raw, arrays, objc = (ModuleType(name) for name in ("syphon.utils", "raw", "numpy", "objc"))
    module.SyphonMetalServer, module.utils = SyphonMetalServer, utils
    vars(utils).update(raw=raw, numpy=arrays)
    vars(raw).update(create_mtl_texture=create_mtl_texture)
    vars(arrays).update(copy_image_to_mtl_texture=copy_image_to_mtl_texture)
    vars(objc).update(autorelease_pool=autorelease_pool)
    return {
        "syphon": module, "syphon.utils": utils, "syphon.utils.raw": raw, "syphon.utils.numpy": arrays, "objc": objc,
    }  # fmt: skip


def install(monkeypatch: pytest.MonkeyPatch, **modules: Any) -> None:
    """Have these imported in place of what is installed; None: it is not."""
    import sys

    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name.replace("__", "."), module)
