"""Textbook formulas of radio, power, clock and transport that the world's numbers obey.

Units are in the names; each docstring names the source.
"""

from __future__ import annotations

import math

PHASE_LIMIT_US = 1.5
"""Largest phase error against absolute time for TDD (TS 38.133: cells within 3 us of each other)."""


def battery_hours(
    capacity_ah: float,
    load_w: float,
    *,
    soc: float = 1.0,
    volts: float = 48.0,
    depth: float = 0.8,
    efficiency: float = 0.95,
) -> float:
    """Autonomy t = C·V·DoD·η/P: 200 Ah at 48 V and 3 kW last 2.4 h (textbook; TS: none)."""
    return soc * capacity_ah * volts * depth * efficiency / load_w


def reflection(vswr: float) -> float:
    """|Γ| = (V-1)/(V+1)."""
    return (vswr - 1) / (vswr + 1)


def return_loss_db(vswr: float) -> float:
    """RL = -20·log10|Γ|: 13.98 dB at 1.5, 9.54 dB at 2, 6.02 dB at 3."""
    return -20 * math.log10(reflection(vswr))


def mismatch_loss_db(vswr: float) -> float:
    """-10·log10(1-Γ²): 0.51 dB at 2, 1.25 dB at 3."""
    return -10 * math.log10(1 - reflection(vswr) ** 2)
