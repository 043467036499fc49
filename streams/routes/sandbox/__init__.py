"""This package maps events in a process of its own, bounded in time and memory.

`mapping_process.py` is the worker's side of one such process, `__main__.py` is that process, and `sandbox.py`
finds the event that broke it.
"""
