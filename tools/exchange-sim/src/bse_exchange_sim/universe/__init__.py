"""Instruments and the reference day they are played on (pure)."""
