"""`python -m training.taste`, as it was called; see training/genre.py."""

import runpy

if __name__ == "__main__":
    runpy.run_module("training.genre", run_name="__main__", alter_sys=True)
