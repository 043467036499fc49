"""This package does for the pages what commands do at a terminal, beside the work of the worker that is asked."""
