"""The 13 rules of the operations policy as predicates on what was called and what it did.

`record.py` says what a rule reads, `check.py` puts all rules to it; one file per family of rules.
"""
