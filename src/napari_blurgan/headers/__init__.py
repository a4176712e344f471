"""Metadata in the headers of files, and their plausibility."""
