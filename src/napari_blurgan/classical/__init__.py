"""Classical deconvolution: one function per method, with shared FFT plans."""
