"""This package is the windowed tables: their definition, a delta added, rows shown, and who owns them."""
