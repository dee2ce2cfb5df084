"""Numbers in their units: conversions that are exact, and those that must not be made."""

from __future__ import annotations

import pytest

from telejudge_training.judge_data.numeric import consensus, numeric_reward, value_in
from telejudge_training.judge_data.units import converted, plain


@pytest.mark.parametrize(
    ("value", "given", "wanted", "found"),
    [
        (133160, "kbit/s", "Mbit/s", 133.16),
        (2, "MB", "kbit", 16000),
        (1.5, "min", "s", 90),
        (30, "dBm", "W", 1),
        (30, "dBm", "dBW", 0),
        (200, "mW", "dBm", 23.0103),
        (-30, "dBW", "mW", 1),
        (11, "%", "", 0.11),
        (0.11, "", "%", 11),
        (5, "dB", "W", None),
        (5, "dBi", "dB", None),
        (5, "Hz", "s", None),
        (5, "dB", "", None),
        (-5, "W", "dBm", None),
    ],
)
def test_conversions(value: float, given: str, wanted: str, found: float | None):
    got = converted(value, given, wanted)
    assert got == (None if found is None else pytest.approx(found, rel=1e-5, abs=1e-12))


def test_one_spelling_of_each_unit():
    assert {plain(u) for u in ("µs", "μs", "us", "microseconds")} == {"us"}
    assert plain("megahertz") == "MHz"
    assert plain("kilobits per second") == "kbit/s"


@pytest.mark.parametrize(
    ("reply", "answer", "question", "reward"),
    [
        (r"\boxed{3.2 \times 10^{-5}}", "3.2e-5", "", 1),
        ("about 3.2×10^-5 s", "32", "the delay in µs?", 1),
        (r"\boxed{\frac{1}{5}}", "0.2", "What is the utilisation?", 1),
        ("1/5", "0.2", "What is the utilisation?", 1),
        (r"\boxed{20\%}", "0.2", "What is the utilisation?", 1),
        (r"\boxed{20\%}", "20", "What is the utilisation in percent?", 1),
        (r"\boxed{20}", "20", "What percentage of the time is it used?", 1),
        (r"\boxed{0.2}", "20", "What percentage of the time is it used?", 0),
        (r"\boxed{40} W", "46.02", "What is the power in dBm?", 1),
        ("46 dBm, that is 39.8 W", "39.8", "What is the power in watts?", 1),
        (r"\boxed{\text{61 dBm}}", "61", "What is the EIRP in dBm?", 1),
        (r"$\boxed{0.0667\,\mathrm{ms}}$", "66.667", "its length in microseconds?", 1),
        ("5 dB", "5", "What is the delay in ms?", 0),
        ("1/0", "1", "", 0),
        ("1e999", "1", "", 0),
        ("99", "100", "", 1),
        ("98.9", "100", "", 0),
    ],
)
def test_replies(reply: str, answer: str, question: str, reward: float):
    assert numeric_reward(reply, answer, question) == reward


def test_the_tolerance_is_the_callers():
    assert numeric_reward("98.9", "100", tolerance=0.02) == 1
    assert numeric_reward("99.5", "100", tolerance=0.001) == 0


def test_consensus_counts_values_whatever_their_units():
    asked = "What is the rate in Mbit/s?"
    assert consensus(["2 Mbit/s", "7", "2000 kbit/s"], "2", asked) == 1
    assert consensus(["7", "7.01", "2"], "2", asked) == 0
    assert consensus(["no idea", "2", "none"], "2", asked) == 1
    assert consensus(["7", "2"], "7", asked) == 1  # the first of equals
    assert consensus(["7", "2"], "2", asked) == 0
    assert consensus(["no idea"], "2", asked) == consensus([], "2", asked) == 0
    assert value_in("2 GHz", asked) is None
