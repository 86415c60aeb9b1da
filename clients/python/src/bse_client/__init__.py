"""Python client of the quote stream, and the bse-watch command."""
