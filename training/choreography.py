"""`python -m training.choreography`, as it was called; the written dances live in training/data/choreography."""

import runpy

if __name__ == "__main__":
    runpy.run_module("training.data.choreography", run_name="__main__", alter_sys=True)
