"""This package maps events in a process of its own, bounded in time and memory.

`process.py` is the worker's side of one such process, `__main__.py` is that process, and `bounded.py` finds
the event that broke it.
"""
