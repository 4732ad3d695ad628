"""The Dancing Screen: a neural network dances on your screen to the music in the room."""

__version__ = "0.1.0"
