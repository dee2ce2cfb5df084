"""Training of the embedded judge (telejudge_judges/embedded): no model to start from."""
