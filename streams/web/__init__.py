"""This package is the web server's own: who may ask, from where, how often, and what goes to many listeners at once."""
