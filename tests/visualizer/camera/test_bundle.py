"""A bundle is what it should be, or refused; what was fetched is never used once it has changed."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from visualizer import paths
from visualizer.camera.bundle import DESCRIBED, FLATBUFFER, MEMBERS, check_bundle, find_bundle, keep_bundle, read_bundle
from visualizer.errors import UserError

NETWORK = b"\0\0\0\0" + FLATBUFFER + b"weights" + DESCRIBED


def bundle(members: dict[str, bytes] | None = None, how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as file:
        for name, data in (members if members is not None else dict.fromkeys(MEMBERS, NETWORK)).items():
            file.writestr(name, data)
    return out.getvalue()


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "person_models", lambda: tmp_path / "person")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a zip file"),
        (bundle()[:-30], "not a zip file"),
        (b"x" + bundle(), "something before"),
        (bundle({MEMBERS[0]: NETWORK}), "it must hold"),
        (bundle({**dict.fromkeys(MEMBERS, NETWORK), "more": b""}), "holds 3 files"),
        (bundle(how=zipfile.ZIP_DEFLATED), "must be stored"),
        (bundle(dict.fromkeys(MEMBERS, b"no network" * 9)), "no network that it could run"),
        (bundle(dict.fromkeys(MEMBERS, NETWORK.replace(DESCRIBED, b""))), "no network that it could run"),
    ],
)
def test_what_is_no_bundle_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(UserError, match=why):
        check_bundle(data, Path("person.task"))


def test_what_was_fetched_is_found_again() -> None:
    assert find_bundle() is None
    kept = keep_bundle(bundle(), "full", "its maker")
    found = find_bundle()
    assert found is not None
    assert (found.path, found.data, found.sha256) == (kept.path, bundle(), kept.sha256)
    note = json.loads(kept.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (note["sha256"], note["from"], note["bytes"]) == (kept.sha256, "its maker", len(bundle()))


@pytest.mark.parametrize("note", [None, "", "[]", "{}", '{"sha256": "0"}'])
def test_what_has_changed_since_is_not_used(note: str | None) -> None:
    kept = keep_bundle(bundle(), "full", "its maker")
    if note is None:
        kept.path.write_bytes(bundle(dict.fromkeys(MEMBERS, NETWORK + b"!")))
    else:
        kept.path.with_suffix(".json").write_text(note, encoding="utf-8")
    with pytest.raises(UserError, match="is not what was fetched"):
        find_bundle()


def test_nothing_is_kept_of_what_is_refused() -> None:
    with pytest.raises(UserError):
        keep_bundle(b"no bundle", "full", "somewhere")
    assert not paths.person_models().exists()


def test_a_bundle_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such bundle of a person network"):
        read_bundle(tmp_path / "nowhere.task")
