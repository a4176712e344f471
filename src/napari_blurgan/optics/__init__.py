"""Image formation: PSFs, forward models, cameras, phantoms; knows no training."""
