"""The inverse problem that Richardson-Lucy and its kin solve, and when they stop."""
