"""This package is what the views share: the shape of answers, whose bodies are shown, who owns the tables."""
