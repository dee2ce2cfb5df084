"""How far a judge can be trusted: known truths, its verdicts on them, measures with intervals."""
