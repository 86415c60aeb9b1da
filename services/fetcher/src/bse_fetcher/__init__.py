"""Polls the exchange and is the only writer of market state."""
