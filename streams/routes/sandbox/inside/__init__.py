"""This package runs inside the process that runs routes: within its limits, what a worker asks of it."""
