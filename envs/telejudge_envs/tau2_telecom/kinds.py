"""The three kinds of tau2's telecom tickets, told by their public words.

kind_of_ticket("… unable to send MMS messages …")   -> "mms"
"""

from __future__ import annotations

KIND_WORDS = (("mms", "MMS"), ("data", "mobile data"), ("service", "phone service"))
"""Kinds with the words that tell them, tried in this order; tickets without any are `other`."""


def kind_of_ticket(ticket: str) -> str:
    """`mms`, `data`, `service` or `other`."""
    return next((kind for kind, words in KIND_WORDS if words in ticket), "other")
