"""This package stands in for methods of faust-streaming 0.15.3 and aiokafka 0.14.0.

Each patch goes when its fix is upstream.
"""
