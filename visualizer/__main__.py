"""`python -m visualizer` is the same as `visualizer`."""

from visualizer.cli import main

main()
