"""The operator's command line over the tables."""
