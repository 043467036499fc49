"""This package counts: deltas of a worker, their sums, and the report made of them."""
