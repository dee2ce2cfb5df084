"""Verdict formats: json, boxed, tuple. See codec.py for what each must do."""
