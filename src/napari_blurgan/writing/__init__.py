"""Pixels become files, which are there as a whole or not at all."""
