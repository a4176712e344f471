"""Checks and measurements of the data, before anything is built from them."""
