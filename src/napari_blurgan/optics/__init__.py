"""Image formation: PSFs, forward models, cameras, phantoms; independent of training."""
