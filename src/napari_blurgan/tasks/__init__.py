"""What both doors ask of the engine: train, restore, demonstrate."""
