"""Writing files that are complete or absent."""
