"""Reconstructors G: a plain network, or one that refines an estimate."""
