"""Arrays in, patches out: axes, normalisation, sampling, reading and writing."""
