"""Richardson-Lucy estimates that G refines, and their comparison with G."""
