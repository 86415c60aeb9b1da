"""Faults on request: what can go wrong, for how long, and what it does (pure)."""
