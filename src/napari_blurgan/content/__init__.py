"""What counts as content in an image, and whether it is preserved."""
