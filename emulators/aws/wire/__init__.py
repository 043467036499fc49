"""This package speaks the wire protocols of AWS: requests read as calls, answers written as they were asked for."""
