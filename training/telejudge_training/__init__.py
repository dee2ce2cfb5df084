"""Trainers that turn verdicts on groups into better agents."""
