"""What a training reports: events, diagnoses, previews, the PSF so far."""
