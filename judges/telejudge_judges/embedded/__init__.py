"""The embedded judge: a small generative listwise judge of our own (see judge.py)."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of the judge that comes with the package; its README.md says how it was made."""
