"""The data used for training: unpaired sets, pairs, repeated or single images."""
