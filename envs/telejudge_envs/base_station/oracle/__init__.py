"""The exact Bayesian oracle: what could be known about the faults after every call."""
