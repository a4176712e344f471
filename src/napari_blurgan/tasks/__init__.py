"""What the window and the command line share: train, restore, demonstrate."""
