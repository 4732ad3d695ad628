"""A headless Chromium with pages as large as a phone, told what to do by its own debugging protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.needs import needs

PHONE = (390, 844)  # CSS pixels
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LONGEST = 60.0  # seconds that anything may take


def find_browser() -> str:
    """Where a Chromium is; without one the test is skipped."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    needs(found, "chromium")
    return str(found)


class Page:
    """One open page, in phone size."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0
        self.errors: list[str] = []  # of the page's own program, and what it could not load
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=PHONE[0], height=PHONE[1], deviceScaleFactor=2, mobile=True
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the browser and return what it answers."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(LONGEST))
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"]))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(str(message["params"]["entry"]["text"]))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def run(self, program: str) -> Any:
        """What an expression of JavaScript is."""
        done = self.call("Runtime.evaluate", expression=program, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true; before the page is there it is not."""
        until = time.monotonic() + LONGEST
        while not self.run(f"(() => {{ try {{ return Boolean({condition}) }} catch {{ return false }} }})()"):
            assert time.monotonic() < until, condition
            time.sleep(0.02)

    def press(self, selector: str) -> None:
        """A finger on the middle of what the selector finds, after it was scrolled there."""
        self.call("Page.bringToFront")  # a page behind another does not animate, nor take a touch
        x, y = self.run(f"""(() => {{ const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center"}}); const box = found.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]; }})()""")
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def save(self, path: Path, whole: bool = False) -> None:
        """A picture of the page as PNG; `whole`: also what must be scrolled to."""
        self.call("Page.bringToFront")
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._socket.close()


class Browser:
    """The program. Nothing of it is kept: its folder is a test's own."""

    def __init__(self, folder: Path) -> None:
        self._connections = ExitStack()
        self._process = subprocess.Popen(
            [find_browser(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--no-first-run",
             "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            self._port = self._find_port(folder / "DevToolsActivePort")
        except BaseException:
            self._process.kill()
            raise

    def _find_port(self, file: Path) -> int:
        until = time.monotonic() + LONGEST
        while not (file.exists() and file.read_text().strip()):
            assert time.monotonic() < until, "the browser does not start"
            time.sleep(0.02)
        return int(file.read_text().split()[0])

    def open_page(self, url: str) -> Page:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:
            found = json.load(answer)
        connection = connect(found["webSocketDebuggerUrl"], max_size=None, origin=None)
        page = Page(self._connections.enter_context(connection))
        page.open(url)
        return page

    def close(self) -> None:
        self._connections.close()
        self._process.terminate()
        self._process.wait(LONGEST)
