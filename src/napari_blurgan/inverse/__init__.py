"""The inverse problem that iterative deconvolution solves, and when it stops."""
