"""Reading files, arrays and layers as Stacks."""
