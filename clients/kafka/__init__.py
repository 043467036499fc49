"""This package is Kafka without Faust: login, what the brokers say, a range read, records written, retention."""
