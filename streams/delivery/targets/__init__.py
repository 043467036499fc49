"""This package is where events go out: the buses, the bucket of what is too large for them, the dead-letter queue."""
