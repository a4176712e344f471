"""Models for other programs: one module that holds all that restoring does."""
