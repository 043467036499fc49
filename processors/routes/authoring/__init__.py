"""This package is what an author of routes has beside them: a start, the registry, and what consumers are told."""
