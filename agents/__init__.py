"""This package wires stages to topics: one agent a file, each a sentence of the flow in streams/delivery/topics.py."""
