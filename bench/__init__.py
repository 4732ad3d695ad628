"""Measurements that the pages quote: `python -m bench.NAME`."""

import visualizer.environment  # first: libraries read it when they are imported  # noqa: F401
