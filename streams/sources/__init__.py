"""This package reads what comes in: the parts of Genesys that this worker owns, or a file."""
