"""Holds the versions in constraints.txt against the known vulnerabilities: .venv/bin/python .ci/audit.py

pip-audit goes into a folder of its own, since its dependencies are none of ours. Exit code 1 for a
vulnerability that a newer version mends; one that nothing mends yet is said. Without a network, or without its
database, it says that this was not done, and that is no failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "audit"
PATIENCE = 300  # seconds for either step


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m words…`, done. OSError or TimeoutExpired if it cannot be."""
    command, env = [sys.executable, "-m", *map(str, words)], {**os.environ, "PYTHONPATH": str(PLACE)}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=env)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no word why"])[-1][:200]


def audit() -> dict[str, Any] | str:
    """pip-audit's report, or in one line why there is none."""
    try:
        done = run("pip", "install", "--quiet", "--retries", "1", "--upgrade", "--target", PLACE, "pip-audit")
        if done.returncode != 0:
            return f"pip-audit cannot be installed ({last_line(done.stderr)})"
        done = run(
            "pip_audit", "--requirement", ROOT / "constraints.txt", "--no-deps", "--disable-pip",
            "--format", "json", "--progress-spinner", "off",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return last_line(str(error))
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return last_line(done.stderr)
    return report if isinstance(report, dict) and report.get("dependencies") else "its report is empty"


def judge(report: dict[str, Any]) -> tuple[list[str], list[str], int]:
    """Lines about vulnerabilities that a newer version mends, about those that none does, and how many packages."""
    mended, open_ones = [], []
    looked_at = 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            open_ones.append(f"{package['name']}: not looked at ({package['skip_reason']})")
            continue
        looked_at += 1
        for fault in package.get("vulns", []):
            fixes = ", ".join(fault.get("fix_versions", []))
            line = f"{package['name']} {package['version']}: {fault['id']}"
            (mended if fixes else open_ones).append(
                f"{line}, mended in {fixes}" if fixes else f"{line}, not mended yet"
            )
    return mended, open_ones, looked_at


def main() -> int:
    """Exit code."""
    report = audit()
    if isinstance(report, str):
        print(f"audit: NOT DONE: {report}")
        return 0
    mended, open_ones, looked_at = judge(report)
    if not looked_at:
        print(f"audit: NOT DONE: no package could be looked up ({open_ones[0] if open_ones else 'none was named'})")
        return 0
    for line in (*mended, *open_ones):
        print(f"audit: {line}")
    print(f"audit: {looked_at} packages, {len(mended)} to be raised")
    return 1 if mended else 0


if __name__ == "__main__":
    sys.exit(main())
