"""This package is the emulated Amazon SQS: standard and FIFO queues."""
