"""Labelled trajectories made of correct ones: one small edit, played again, kept when seen."""
