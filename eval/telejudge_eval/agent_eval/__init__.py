"""How good agents are: episodes judged by ground truth, measures with intervals, comparisons."""
