"""Patches: where they are drawn, how they are varied, what is set aside."""
