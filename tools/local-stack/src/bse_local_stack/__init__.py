"""Runs the whole product on one machine, and checks it from outside."""
