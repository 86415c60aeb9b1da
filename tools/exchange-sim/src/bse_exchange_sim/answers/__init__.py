"""Builds the exchange's JSON, quirks included, from the market at one tick (pure)."""
