"""What a log and a report do not tell: whatever somebody has named, which is called by a hash there.

Songs, films, folders, devices, packs and styles of one's own: they are hidden before the line is written, so a log that
is sent to somebody does not tell what was danced to, nor where.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from visualizer.options import SOURCES
from visualizer.support.printable import LONGEST_LINE, make_printable

NO_SONG_WORD = "|".join(SOURCES)  # what else --audio may be; mic:NAME too
# Words of the command line and values of settings that are not the user's own.
_OURS = """
    film dances devices doctor report packs add remove show zip help auto cpu cuda coreml shader painter each unison
    canon faithful tame measured free bold wild window
"""
_COMMON = """
    / ~ . .. home users root usr var tmp opt mnt media run etc lib bin share local src site-packages dist-packages
    visualizer training models music videos pictures movies desktop documents downloads .cache .config .local state
    dancing-screen log
"""
# Words of sound cards, systems and libraries that are not in our source.
_MACHINE = """
usb audio hda intel realtek analog digital stereo mono duplex input output line mic microphone microphones headset
headphones speaker speakers webcam camera built internal external default monitor sysdefault pulse pulseaudio pipewire
alsa jack dmix dsnoop surround front rear side center lfe hdmi spdif iec nvidia amd generic conexant logitech focusrite
scarlett behringer yamaha roland zoom rode shure steinberg presonus motu apogee blue yeti jbl sony bose array wasapi
directsound mme coreaudio asio kernel linux windows darwin macos glibc musl arm aarch amd64 core cores mesa llvmpipe
llvm opengl egl glx wayland xcb x11 xorg sdl offscreen dummy drm kms nouveau radeon radeonsi iris crocus gallium
traceback most recent call last line file module fatal python error segmentation fault current thread stack extension
modules total invalid data found when processing requested none true false null info warning debug critical utf codec
decode encode byte bytes position ordinal range object attribute argument arguments expected got instance key index
cancelled toml json expected statement value after end document bool int str float list dict tuple char
"""
OUR_WORDS, COMMON_FOLDERS = frozenset(_OURS.split()), frozenset(_COMMON.split())
MACHINE = frozenset(_MACHINE.split())
KEYS_OF_SETTINGS = ("from_file", "from_cli")  # lists of keys
# What songs, films and pictures end in, and what else the program reads and writes.
MEDIA = (
    "mp3|flac|wav|wave|ogg|oga|opus|m4a|m4b|aac|wma|aif|aiff|ape|wv|mka|mid|midi|m3u8?|pls|cue|"
    "mp4|m4v|mkv|mov|webm|avi|gif|webp|png|jpe?g"
)
SUFFIXES = frozenset((*MEDIA.replace("?", "").split("|"), "m3u", "jpg", "zip", "toml", "json", "onnx", "npz", "bvh"))

_hidden: dict[str, str] = {}  # names of songs and what else somebody has named, and what the file calls them
_hidden_folders: dict[str, str] = {}  # the same of folders that other words may be called as


def tell_words(words: list[str]) -> list[str]:
    """The words of a command line as the file may know them; whatever somebody has named is hidden from now on."""
    told = []
    before = ""
    for word in words:
        option, value = word.partition("=")[::2] if word.startswith("--") else (before, word)
        before = word if word.startswith("-") else ""
        if option == "--audio" and value.startswith("mic:") and not is_ours("audio", value):
            hide(value.partition(":")[2])
            word = word.replace(value, f"mic:{without_songs(value.partition(':')[2])}")
        elif value and not is_ours(option.lstrip("-"), value) and not re.fullmatch(r"--?[a-z][a-z-]*", value):
            hide(value)
            word = f"{option}={without_songs(value)}" if word.startswith("--") else without_songs(value)
        told.append(word)
    return told


def is_ours(key: str, value: str) -> bool:
    """Whether a value is a word of the program's own, or a number, and no name that somebody has given."""
    if re.fullmatch(r"[-+]?[\d.:,xX×e]+", value) or value in OUR_WORDS:
        return True
    if key in KEYS_OF_SETTINGS:
        return True
    if key == "audio":
        source, _, device = value.partition(":")
        return bool(re.fullmatch(NO_SONG_WORD, source)) and set(re.findall(r"\w+", device.casefold())) <= MACHINE
    return any(word in key for word in ("look", "style", "dance", "pack")) and value in shipped_names()


@cache
def shipped_names() -> frozenset[str]:
    """What the looks and packs that ship are called, and the styles and dances of the packs."""
    import json

    from visualizer.paths import models

    names = {path.stem for path in (Path(__file__).parents[1] / "stage" / "looks").glob("*.toml")}
    for path in models().glob("*/pack.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            info = json.loads(path.read_text(encoding="utf-8"))
            names |= {path.parent.name, *info["styles"], *(dance["name"] for dance in info["dances"])}
    return frozenset(names)


def hide(name: str) -> None:
    """Call a file, folder or whatever else has a name of somebody's by a hash from now on, in the file; on the screen
    it keeps its name."""
    path = Path(name)
    if not path.name:
        return
    whole = os.path.expanduser(name)
    forms = [name, whole, os.path.abspath(whole), *([repr(name)[1:-1]] if "\\" in repr(name) else [])]
    for known in (*forms, path.name):
        _remember(known, alias_of(path.name))
    if len(path.stem) > 3:  # a shorter one is in too many words
        _remember(path.stem, Path(alias_of(path.name)).stem)
    home = Path(os.path.expanduser("~"))  # hidden by a word of its own
    inside = Path(whole).relative_to(home) if Path(whole).is_relative_to(home) else path
    for folder in inside.parents:
        if len(folder.name) > 1 and folder.name.casefold() not in COMMON_FOLDERS:
            _remember(folder.name, alias_of(folder.name), in_paths=len(folder.name) <= 3)


def hide_folder(path: str) -> None:
    """Call the folders of a path by hashes, where they stand in a path."""
    for name in Path(path).parts:
        if len(name) > 1 and name.casefold() not in COMMON_FOLDERS:
            _remember(name, alias_of(name), in_paths=True)


def _remember(name: str, alias: str, in_paths: bool = False) -> None:
    known = _hidden_folders if in_paths else _hidden
    known[name] = known[make_printable(name, LONGEST_LINE)] = alias


def alias_of(name: str) -> str:
    """The same for the same name and user; no one else can try names out on it."""
    key = hashlib.sha256(os.path.expanduser("~").encode("utf-8", "surrogatepass")).digest()
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=key, digest_size=4).hexdigest()
    suffix = Path(name).suffix.lower()
    return f"file-{digest}{suffix if suffix[1:] in SUFFIXES else ''}"


def without_songs(text: str) -> str:
    """`text` with each hidden name, as a word of its own, replaced; those of folders where they stand in a path."""
    for names, pattern in ((_hidden, r"(?<!\w)(?:{})(?!\w)"), (_hidden_folders, r"(?<=[/\\])(?:{})(?!\w)")):
        if names:
            longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
            text = re.sub(pattern.format(longest_first), lambda found, names=names: names[found[0]], text)
    return text


def tell_value(key: str, value: Any) -> Any:
    """The value of a setting as the file may know it; what somebody has named is hidden from now on."""
    if isinstance(value, list | tuple):
        return type(value)(tell_value(key, each) for each in value)
    if not isinstance(value, str) or is_ours(key, value):
        return value
    hide(value.removeprefix("mic:"))
    return without_songs(value)
