"""Tiles: their geometry, their halo and their memory."""
