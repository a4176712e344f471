"""Images as arrays: axes, normalisation, channels, lazy reading."""
