"""This package brings events back: a range again, failures to where they failed, a stretch of time from Genesys."""
