"""Models for other programs: one module that contains all steps of restoring."""
