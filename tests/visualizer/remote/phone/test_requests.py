"""Who gets which file of the page, and what stands in the head of each answer."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from tests.support.phones import GUEST_TOKEN, HOST_TOKEN
from visualizer.remote.phone.requests import FOLDER, GUEST, HOST, Pages

PAGES = Pages(HOST_TOKEN, GUEST_TOKEN)


def ask(path: str, **headers: str) -> tuple[int, bytes, Headers] | None:
    answer = PAGES.answer(None, Request(path, Headers(headers)))  # type: ignore[arg-type]
    return None if answer is None else (answer.status_code, bytes(answer.body), answer.headers)


@pytest.mark.parametrize(("path", "role"), [
    (f"/{HOST_TOKEN}/", HOST), (f"/{GUEST_TOKEN}/ws", GUEST), ("/", None), ("", None), (f"/{HOST_TOKEN[:-1]}/", None),
    (f"/{HOST_TOKEN}x/", None), (f"//{HOST_TOKEN}/", None), (f"/x/{HOST_TOKEN}/", None), ("/?" + HOST_TOKEN, None),
    (f"/{HOST_TOKEN.upper()}/", None), ("/\udcff/", None), ("/ключ/", None),
])  # fmt: skip
def test_only_the_first_part_of_the_path_opens(path: str, role: str | None) -> None:
    assert PAGES.role_of(Request(path, Headers())) == role


@pytest.mark.parametrize("name", ["", *sorted(path.name for path in FOLDER.iterdir()), "icon.png"])
def test_each_file_is_served_to_host_and_guests_alike(name: str) -> None:
    answers = [ask(f"/{token}/{name}") for token in (HOST_TOKEN, GUEST_TOKEN)]
    assert answers[0] == answers[1]
    assert answers[0] is not None
    status, body, headers = answers[0]
    assert status == 200
    assert body
    assert headers["Content-Length"] == str(len(body))
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"  # the token stands in the address
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [
    "/", "/index.html", f"/wrong{HOST_TOKEN}/app.js", f"/{HOST_TOKEN}/../../etc/passwd", f"/{HOST_TOKEN}/page/app.js",
    f"/{HOST_TOKEN}/%2e%2e/server.py", f"/{HOST_TOKEN}/server.py", f"/{HOST_TOKEN}//app.js", "/ws",
])  # fmt: skip
def test_nothing_else_is_served(path: str) -> None:
    answer = ask(path)
    assert answer is not None
    assert answer[0] == 404
    assert answer[1] == b""


def test_a_forgotten_slash_is_added() -> None:
    answer = ask(f"/{HOST_TOKEN}")
    assert answer is not None
    assert (answer[0], answer[2]["Location"]) == (301, f"/{HOST_TOKEN}/")


@pytest.mark.parametrize(("headers", "opens"), [
    ({"Host": "10.0.0.5:8642", "Origin": "http://10.0.0.5:8642"}, True),
    ({"Host": "10.0.0.5:8642"}, True),  # no browser
    ({"Host": "10.0.0.5:8642", "Origin": "http://evil.example"}, False),
    ({"Host": "10.0.0.5:8642", "Origin": "http://10.0.0.5:8643"}, False),
    ({"Host": "10.0.0.5:8642", "Origin": "null"}, False),
    ({"Origin": "http://10.0.0.5:8642"}, False),
])  # fmt: skip
def test_a_page_from_elsewhere_may_not_connect(headers: dict[str, str], opens: bool) -> None:
    answer = ask(f"/{HOST_TOKEN}/ws", **headers)
    assert (answer is None) == opens
    assert opens or (answer is not None and answer[0] == 403)


class Loads(HTMLParser):
    """What a page names that it loads, and program or style that stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.names += [found[key] for key in ("src", "href") if key in found]
        self.inline += [key for key in found if key == "style" or key.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in found) else []


def test_the_page_loads_only_its_own_files() -> None:
    page = Loads((FOLDER / "index.html").read_text(encoding="utf-8"))
    assert len(page.names) >= 5
    assert {name for name in page.names if ask(f"/{HOST_TOKEN}/{name}") is None} == set()
    assert [name for name in page.names if "/" in name or ":" in name] == []
    assert page.inline == []  # its policy would refuse that
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text.replace("/^http/", ""), path.name
        assert "https:" not in text, path.name
        assert "@import" not in text, path.name
