"""The model folder, and a model as an operator on images."""
