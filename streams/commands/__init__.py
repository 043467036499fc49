"""This package holds the commands of `genesys-eventbridge`, one a file; terminal/ is what they share."""
