"""Aggregates the health of all instances."""
