"""Where the checkout is: for programs that tests start there."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
