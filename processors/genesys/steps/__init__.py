"""This package says what happened to a conversation: the steps between its snapshots, each once."""
