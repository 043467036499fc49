"""This package reads the analytics query: conversations, what changed at each moment, snapshots made of them."""
