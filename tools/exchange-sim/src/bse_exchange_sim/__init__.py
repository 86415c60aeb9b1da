"""A stand-in for the exchange's web API, with faults on request."""
