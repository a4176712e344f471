"""Classical deconvolution: one function each, FFT plans shared."""
