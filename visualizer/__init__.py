"""The Dancing Screen: a neural network dances on your screen to the music in the room."""

from visualizer import environment  # first: libraries read it when they are imported

__version__ = "0.1.0"
__all__ = ["__version__", "environment"]
