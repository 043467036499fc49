"""This package is the worker as a process: how it starts, logs, reports, is watched, takes routes over, and ends."""
