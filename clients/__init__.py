"""This package is the only one that reaches outside: Genesys Cloud and AWS."""
