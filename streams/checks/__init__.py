"""This package looks at each thing that a worker needs, and says how to fix it."""
