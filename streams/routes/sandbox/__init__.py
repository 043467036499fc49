"""This package runs routes in a process of its own, bounded in time and memory.

`__main__.py` is that process, and `inside/` what it does; `child_process.py` is the worker's end of it.
`mapping_process.py` asks it for what routes make of events, and `sandbox.py` finds the event that broke it; `trial.py`
has it try routes and their examples, and `draft_runner.py` drafts of routes, as they are edited.
"""
