"""Any operator over an image of any size, tile by tile, from file to file."""
