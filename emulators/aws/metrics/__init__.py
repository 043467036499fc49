"""This package is the emulated CloudWatch, as far as PutMetricData goes."""
