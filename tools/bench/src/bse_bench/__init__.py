"""Benchmarks, side by side with a named baseline."""
