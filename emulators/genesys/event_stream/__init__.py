"""This package is the HTTP subscription: its events, its lines, and who has been sent what."""
