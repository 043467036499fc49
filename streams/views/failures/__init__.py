"""This package holds the views of what failed: it is looked at, and brought back."""
