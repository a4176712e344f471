"""Where training draws from: unpaired sets, pairs, repeated or single images."""
