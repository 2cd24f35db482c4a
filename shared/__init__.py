"""The common language of cloud and edge. Top level is pure: no I/O, time is an argument."""
