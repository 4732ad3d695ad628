"""Offline training: motion and choreography in, a dancer pack of ONNX networks out."""

from visualizer.environment import set_training_environment

set_training_environment()  # before torch is imported
