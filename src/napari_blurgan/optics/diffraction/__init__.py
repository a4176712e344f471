"""What a lens makes of a point: parameters, integrals of diffraction, arrays."""
