"""Files, arrays and layers become Stacks."""
