"""The image of a point: parameters, diffraction integrals, arrays."""
