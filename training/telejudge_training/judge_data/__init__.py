"""Data that judges learn from: groups of known truth, teachers' words, rows for trainers."""
