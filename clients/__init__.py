"""This package is the only one that reaches outside: Genesys Cloud, AWS, and Kafka without Faust."""
