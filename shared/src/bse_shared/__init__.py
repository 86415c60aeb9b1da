"""What the services share: quotes, wire, Redis edge, service shell."""
