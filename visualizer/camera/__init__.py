"""Cameras: people in pictures, as joints in space."""
