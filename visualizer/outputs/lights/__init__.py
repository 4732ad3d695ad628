"""Lamps that follow the dance, by DMX over Art-Net or sACN."""
