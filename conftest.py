"""How hypothesis searches in all wings' tests: the same examples in every run, so that CI is
repeatable, or with `HYPOTHESIS_PROFILE=fuzz` new ones every time and ten times as many."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

MORE = 10

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None, database=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fuzzing multiplies also what a test asks for itself, which no profile reaches."""
    if PROFILE != "fuzz":
        return
    name = "_hypothesis_internal_use_settings"
    tests = {getattr(item, "obj", None) for item in items}
    for test in tests:
        if own := getattr(test, name, None):
            setattr(test, name, settings(own, max_examples=MORE * own.max_examples))
