"""Seeded price paths through a trading day that end exactly at the day's bar (pure)."""
