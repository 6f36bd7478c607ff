"""Benchmarks against peers, on a city of their own: `make bench`, `python -m load_tests.bench`."""
