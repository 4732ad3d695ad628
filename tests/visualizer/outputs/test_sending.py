"""Each output against a stand-in for its library: what it is given, in which order of bytes, and what failures say."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.support import fake_outputs
from visualizer.errors import UserError
from visualizer.outputs.names import OutputName
from visualizer.outputs.ndi import Ndi
from visualizer.outputs.sender import APP_NAME, Format, OutputError, Picture
from visualizer.outputs.spout import Spout
from visualizer.outputs.start import make_sender
from visualizer.outputs.syphon import Syphon
from visualizer.outputs.virtual_camera import VirtualCamera

SIZE = (64, 48)
OPAQUE, ALPHA = Format(SIZE, Fraction(30)), Format(SIZE, Fraction(30), alpha=True)
RED, GREEN, BLUE, COVER = 250, 120, 10, 128


def picture(form: Format) -> Picture:
    """One colour, darker below."""
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[:] = (RED, GREEN, BLUE, COVER) if form.alpha else (BLUE, GREEN, RED, 255)
    pixels[SIZE[1] // 2 :, :, :3] //= 2
    return Picture(pixels, 0)


def test_a_camera_is_given_rgb(monkeypatch: pytest.MonkeyPatch) -> None:
    library = fake_outputs.make_pyvirtualcam()
    fake_outputs.install(monkeypatch, pyvirtualcam=library)
    camera = VirtualCamera("", OPAQUE)
    assert camera.open() == "/dev/video9"
    camera.send(picture(OPAQUE))
    camera.close()
    assert library.sent[0][0, 0].tolist() == [RED, GREEN, BLUE]
    assert library.sent[0][-1, 0].tolist() == [RED // 2, GREEN // 2, BLUE // 2]
    assert (library.opened[0][0].closed, library.opened[0][1]) == (True, 30.0)


def test_a_camera_that_is_not_there_is_one_line_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_outputs.install(monkeypatch, pyvirtualcam=fake_outputs.make_pyvirtualcam(()))
    camera = VirtualCamera("", OPAQUE)
    with pytest.raises(OutputError, match=r"^no virtual camera \(.*No v4l2.*\); (load one|install OBS)") as error:
        camera.open()
    assert "\n" not in str(error.value)
    camera.close()


@pytest.mark.parametrize("form", [OPAQUE, ALPHA])
def test_ndi_is_given_bgra_and_told_whether_alpha_counts(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    library = fake_outputs.make_cyndilib()
    fake_outputs.install(monkeypatch, cyndilib=library)
    ndi = Ndi(form)
    assert APP_NAME in ndi.open()
    ndi.send(picture(form))
    sender = library.senders[0]
    assert (sender.ndi_name, sender.clock_video, sender.is_open) == (APP_NAME, False, True)
    assert (sender.frame.size, sender.frame.rate) == (SIZE, 30)
    assert sender.frame.fourcc is (library.FourCC.BGRA if form.alpha else library.FourCC.BGRX)
    assert library.sent[0][:4].tolist() == [BLUE, GREEN, RED, COVER if form.alpha else 255]
    ndi.close()
    assert not sender.is_open


@pytest.mark.parametrize("form", [OPAQUE, ALPHA])
def test_spout_is_given_rgba_from_above(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    library = fake_outputs.make_spoutgl()
    fake_outputs.install(monkeypatch, SpoutGL=library, SpoutGL__enums=library.enums)
    spout = Spout(form)
    spout.open()
    spout.send(picture(form))
    spout.close()
    assert library.calls == ["createOpenGL", APP_NAME, f"sync {APP_NAME}", "releaseSender", "closeOpenGL"]
    assert library.sent[0][0, 0].tolist() == [RED, GREEN, BLUE, COVER if form.alpha else 255]


def test_spout_without_opengl_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    library = fake_outputs.make_spoutgl(has_opengl=False)
    fake_outputs.install(monkeypatch, SpoutGL=library, SpoutGL__enums=library.enums)
    with pytest.raises(OutputError, match="no OpenGL"):
        Spout(OPAQUE).open()


@pytest.mark.parametrize("form", [OPAQUE, ALPHA])
def test_syphon_is_given_rgba_and_told_that_it_begins_above(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = fake_outputs.make_syphon()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    library = modules["syphon"]
    syphon = Syphon(form)
    syphon.open()
    syphon.send(picture(form))
    syphon.close()
    ((image, is_flipped),) = library.sent
    assert image[0, 0].tolist() == [RED, GREEN, BLUE, COVER if form.alpha else 255]
    assert is_flipped
    assert (library.stopped, library.pools) == ([APP_NAME], ["open", "drained"])


def test_syphon_without_metal_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in fake_outputs.make_syphon(has_metal=False).items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(OutputError, match="no Metal"):
        Syphon(OPAQUE).open()


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("camera", "pyvirtualcam", "virtualcam"), ("ndi", "cyndilib", "ndi"),
        ("spout", "SpoutGL", "spout"), ("syphon", "syphon", "syphon"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_a_library_that_is_not_installed_names_its_extra(
    kind: str, module: str, extra: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    from_where: dict[str, Any] = {module: None}
    fake_outputs.install(monkeypatch, **from_where)
    monkeypatch.setattr(sys, "platform", system)
    missing = {"spout": "win32", "syphon": "darwin"}.get(kind, system) != system
    said = "only (Windows|macOS) has" if missing else rf"needs the extra: pip install 'dancing-screen\[{extra}\]'"
    with pytest.raises(UserError, match=said):
        make_sender(OutputName(kind), OPAQUE)
