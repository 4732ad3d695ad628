"""`python -m training.taste`, the old name of `python -m training.genre`, which goes on working."""

import runpy

from visualizer.support.printable import say

if __name__ == "__main__":
    say("note: this is now python -m training.genre", to_stderr=True)
    runpy.run_module("training.genre", run_name="__main__", alter_sys=True)
