"""What is found out before a training, by predicting photons that were held out."""
