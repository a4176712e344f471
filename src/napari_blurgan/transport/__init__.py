"""The method: recipes, losses, the trainer and the model folder."""
