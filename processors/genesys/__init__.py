"""This package is what Genesys means: frames, states, times, and rooms for topics, steps and the analytics query."""
