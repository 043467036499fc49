"""This package says which notification topics are meant: by the settings, by names, by the conversations at hand."""
