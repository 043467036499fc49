"""This package is what a route makes of an event: filter, mapping, schema, outcome, examples, differences."""
