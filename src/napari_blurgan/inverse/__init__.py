"""The inverse problem of iterative deconvolution, and its stopping rules."""
