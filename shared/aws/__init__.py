"""The only importers of botocore: the ports of shared/ports.py as AWS services."""
