"""The fan-out benchmark: `main` runs every scenario and tells the results. One file a family of scenarios."""
