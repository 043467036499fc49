"""This package makes every REST call: one token, one rate, one way to wait, one tree of errors."""
