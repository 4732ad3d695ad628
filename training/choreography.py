"""`python -m training.choreography`, the old name of `python -m training.data.choreography`, which goes on working."""

import runpy
import sys

if __name__ == "__main__":
    print("note: this is now python -m training.data.choreography", file=sys.stderr)
    runpy.run_module("training.data.choreography", run_name="__main__", alter_sys=True)
