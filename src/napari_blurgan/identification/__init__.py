"""A blur identified from images: power spectra, or beads."""
