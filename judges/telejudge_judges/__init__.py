"""Judges that score a group of trajectories: the verifier (ground truth) and generative ones."""
