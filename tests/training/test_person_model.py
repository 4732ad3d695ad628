"""The network that sees people is fetched once, from where its maker keeps it, and checked before it is kept."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training import person_model
from training.person_model import add_person_model
from visualizer import paths
from visualizer.camera.bundle import DESCRIBED, FLATBUFFER, MEMBERS, find_bundle
from visualizer.errors import UserError


def bundle() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name in MEMBERS:
            file.writestr(name, b"\0\0\0\0" + FLATBUFFER + DESCRIBED)
    return out.getvalue()


class Maker(BaseHTTPRequestHandler):
    """Gives the bundle, half of it, more than anyone wants, or nothing."""

    def do_GET(self) -> None:
        data = b"<html>not here any more</html>" if "page" in self.path else bundle()
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        length = {"cut": 2 * len(data), "large": 1 << 40}.get(self.path.split("/")[1], len(data))
        if "untold" not in self.path:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def maker() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Maker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "person_models", lambda: tmp_path / "person")


@pytest.mark.parametrize("way", ["whole", "untold"])
def test_it_is_fetched_and_kept(maker: str, way: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept = add_person_model("lite", address=f"{maker}/{way}/{{size}}.task")
    found = find_bundle()
    assert found is not None
    assert found.sha256 == kept.sha256
    said = capsys.readouterr().out
    assert said.index("Apache License") < said.index("kept as")
    assert ("MB" in said) == (way == "whole")
    assert f"{maker}/{way}/lite.task" in said
    assert kept.sha256 in said


@pytest.mark.parametrize(
    ("way", "why"),
    [("missing", "404"), ("cut", "came only in part|cannot be fetched"), ("large", "too large"), ("page", "not a zip")],
)
def test_what_cannot_be_used_is_refused_and_not_kept(maker: str, way: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        add_person_model(address=f"{maker}/{way}/{{size}}.task")
    assert find_bundle() is None


def test_without_a_network_a_file_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be fetched \(.*--person-model FILE"):
        add_person_model(address="http://127.0.0.1:9/{size}.task")
    (tmp_path / "mine.task").write_bytes(bundle())
    assert add_person_model("heavy", tmp_path / "mine.task").path.is_file()
    with pytest.raises(UserError, match="must be lite, full, heavy"):
        add_person_model("huge")


def test_its_maker_is_asked_by_a_safe_way() -> None:
    assert person_model.MAKER.startswith("https://")
