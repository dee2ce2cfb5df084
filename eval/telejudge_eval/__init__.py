"""The top of the house: command line, evaluation and the HTML report."""
