"""G and H, a batch, and the images they produce from it."""
