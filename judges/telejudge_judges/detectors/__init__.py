"""Detectors: pure functions from an Inspection to defects, one family a file."""
