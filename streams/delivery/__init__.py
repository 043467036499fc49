"""This package delivers at least once, rarely twice.

Nothing is acked before what came of it, and its being counted, is in Kafka.
"""
