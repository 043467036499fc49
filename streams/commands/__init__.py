"""This package holds the commands of `genesys-eventbridge`, one a file."""
