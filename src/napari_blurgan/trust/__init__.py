"""Where a restoration is supported by the measurement, and where it is not."""
