"""Patches: where they are drawn, how they vary, what is held out."""
