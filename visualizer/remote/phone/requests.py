"""What is answered to a request for a page: only what lies below one of the two tokens, and nothing from elsewhere."""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from visualizer.paths import assets

HOST, GUEST = "host", "guest"
FOLDER = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# The page loads and calls nothing but what came from where it came from, and stands in no frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SOCKET = "ws"  # the name below a token at which the page opens its connection


class Pages:
    """The files of the page, in memory, and who may have them."""

    def __init__(self, token: str, guest_token: str) -> None:
        self._tokens = {HOST: token.encode(), GUEST: guest_token.encode()}
        self._files = {path.name: (TYPES[path.suffix], path.read_bytes()) for path in sorted(FOLDER.iterdir())}
        self._files["icon.png"] = (TYPES[".png"], (assets() / "icon.png").read_bytes())

    def role_of(self, request: Request | None) -> str | None:
        """HOST or GUEST, by the token of the path; None without a right one."""
        token = (request.path if request else "").split("?")[0].split("/")[1:2]
        given = "".join(token).encode("utf-8", "replace")
        # Both are compared, each in the same time whatever it begins with.
        found = [role for role, right in self._tokens.items() if hmac.compare_digest(given, right)]
        return found[0] if found else None

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page, one of its files, or a refusal; None for a right request to open the connection."""
        role, name = self.role_of(request), "/".join(request.path.split("?")[0].split("/")[2:])
        if role is None:
            return respond(HTTPStatus.NOT_FOUND)
        if request.path.count("/") == 1:  # relative names need the slash
            return respond(HTTPStatus.MOVED_PERMANENTLY, location=f"{request.path}/")
        if name == SOCKET:
            return None if is_same_origin(request) else respond(HTTPStatus.FORBIDDEN)
        kind, content = self._files.get(name or "index.html", ("", b""))
        return respond(HTTPStatus.OK, content, kind) if kind else respond(HTTPStatus.NOT_FOUND)


def is_same_origin(request: Request) -> bool:
    """Whether a page of ours asks: a browser says where the page that asks came from. Other programs say nothing."""
    origins, hosts = request.headers.get_all("Origin"), request.headers.get_all("Host")
    return not origins or (len(origins) == len(hosts) == 1 and re.sub(r"^https?://", "", origins[0]) == hosts[0])


def respond(status: HTTPStatus, content: bytes = b"", kind: str = "text/plain", location: str = "") -> Response:
    """An answer after which the connection is closed."""
    headers = Headers({
        "Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store", "Connection": "close",
        "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
    })  # fmt: skip
    if location:
        headers["Location"] = location
    return Response(status.value, status.phrase, headers, content)
