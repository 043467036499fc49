"""This package holds the routes of a worker: read, tried, run in a process of their own, paused when most fail."""
