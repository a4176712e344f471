"""The transport map itself: G and H, a batch, and what they make of it."""
