"""This package holds what the project is measured against, one way of doing the same a file, as short as it can be.

Each reads `raw` and puts mapped events on the bus, as the environment of a worker says (bench/race.py starts them).
What they leave out, which the project does not: repetitions, tables, retries of refused entries, pauses, views.
"""
