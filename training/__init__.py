"""Offline training: motion and choreography in, a dancer pack of ONNX networks out."""
