"""Apply any operator to an image of any size, tile by tile, from file to file."""
