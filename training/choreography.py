"""`python -m training.choreography`, the old name of `python -m training.data.choreography`, which goes on working."""

import runpy

from visualizer.support.printable import say

if __name__ == "__main__":
    say("note: this is now python -m training.data.choreography", to_stderr=True)
    runpy.run_module("training.data.choreography", run_name="__main__", alter_sys=True)
