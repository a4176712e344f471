"""Tiles: their geometry, their halo, and the memory that they take."""
