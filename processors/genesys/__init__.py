"""This package is what Genesys means: frames, topics, conversations, snapshots, and what of them was seen before."""
