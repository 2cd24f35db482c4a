"""One file a use case: plain classes over the ports of shared/ports.py. No AWS, no HTTP, no environment."""
