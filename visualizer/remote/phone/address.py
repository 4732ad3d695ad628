"""Where the page is found: this computer's address in the local network, and words that cannot be guessed."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from pathlib import Path

import platformdirs

from visualizer.errors import UserError
from visualizer.files import read_at_most, write_whole

TOKEN_BYTES = 12  # 96 bits: nobody guesses that, and a code with it is still coarse enough for a bad camera
HERE = "127.0.0.1"
# Of those set aside for documentation: no packet goes there, but the system says which way one would.
FAR = ("192.0.2.1", 9)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16}", re.ASCII)


def find_address() -> str:
    """This computer's IPv4 address in the local network; HERE without a network. Nothing is sent, no name looked up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(FAR)
            return asked.getsockname()[0]
        except OSError:
            return HERE


def tokens_file() -> Path:
    """Where the words are kept, so that a phone finds its page again at the next show."""
    return Path(platformdirs.user_state_dir("dancing-screen")) / "phone.json"


def load_tokens(path: Path) -> tuple[str, str]:
    """The words in the addresses of hosts and of guests; new ones where there are none, or none that are right. New
    words are kept in a file that no one else can read; OSError where that cannot be written."""
    try:
        kept = json.loads(read_at_most(path, 4096))
        host, guest = kept["host"], kept["guest"]
        if _TOKEN.fullmatch(host) and _TOKEN.fullmatch(guest) and host != guest:
            return host, guest
    except (OSError, UserError, ValueError, KeyError, TypeError, RecursionError):
        pass
    host, guest = make_tokens()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # so that it is new, and its mode is that of the file that is written
    with write_whole(path) as part:
        part.write_text(json.dumps({"host": host, "guest": guest}), encoding="utf-8")
    os.chmod(path, 0o600)
    return host, guest


def make_tokens() -> tuple[str, str]:
    """Two new words."""
    return secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
