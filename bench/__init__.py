"""This package holds the benchmarks; they report ratios, as machines differ: `make bench`."""
