"""What the headers of files claim, and whether to believe it."""
