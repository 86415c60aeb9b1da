"""Serves REST from the in-memory quote table."""
