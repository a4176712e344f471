"""Forward models H as parts of a recipe: kernels, networks, user-defined operators."""
