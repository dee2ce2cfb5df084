"""Base measurements: one model on questions, problems and episodes; one table, one page."""
