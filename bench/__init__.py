"""This package holds the benchmarks; ratios are what to look at, as machines differ: `make bench`."""
