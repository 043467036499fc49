"""This package is what delivery decides: entries, retries, failure records, offsets, marks of what was put out."""
