"""`python -m training.taste`, the old name of `python -m training.genre`, which goes on working."""

import runpy
import sys

if __name__ == "__main__":
    print("note: this is now python -m training.genre", file=sys.stderr)
    runpy.run_module("training.genre", run_name="__main__", alter_sys=True)
