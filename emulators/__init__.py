"""This package holds what the demo and the tests run against: Kafka, Genesys Cloud and AWS, on loopback."""
