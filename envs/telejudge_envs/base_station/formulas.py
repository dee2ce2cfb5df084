"""Textbook formulas of radio, power, clock and transport that the world's numbers obey.

    return_loss_db(2.0)                    -> 9.54
    battery_hours(200, 3000)               -> 2.43
    far_edge_m(30, tilt_deg=6, beam_deg=6) -> 572.4

Units are in the names; each docstring names the source. None raises for the values the world uses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

PHASE_LIMIT_US = 1.5
"""Phase error against absolute time that TDD allows; half of the 3 µs between two cells on one
frequency (TS 38.133 §7.4.2)."""

RX_IMBALANCE_DB = 6.0
"""Difference between receive branches that raises an alarm (Ruckus alarm 805, Ericsson default)."""

PLANT_VOLTS = (40.0, 56.0)
"""Range of a telecom plant that is called 48 V, positive earth (GlobalSpec)."""

BACKUP_HOURS = 4.0
"""Battery time usual at a cell site (GlobalSpec)."""

NR_PRB_HZ, LTE_PRB_HZ = 360_000.0, 180_000.0
"""Twelve subcarriers of 30 kHz and of 15 kHz (TS 38.211, TS 36.211)."""

NR_NOISE_FIGURE_DB, LTE_NOISE_FIGURE_DB = 5.0, 4.0


def battery_hours(
    capacity_ah: float,
    load_w: float,
    *,
    soc: float = 1.0,
    volts: float = 48.0,
    depth: float = 0.8,
    efficiency: float = 0.95,
) -> float:
    """Autonomy t = C·V·DoD·η/P: 200 Ah at 48 V and 3 kW last 2.4 h (textbook)."""
    return soc * capacity_ah * volts * depth * efficiency / load_w


def reflection(vswr: float) -> float:
    """|Γ| = (V-1)/(V+1) (textbook)."""
    return (vswr - 1) / (vswr + 1)


def return_loss_db(vswr: float) -> float:
    """RL = -20·log10|Γ|: 13.98 dB at 1.5, 9.54 dB at 2, 6.02 dB at 3 (textbook)."""
    return -20 * math.log10(reflection(vswr))


def reflected_share(vswr: float) -> float:
    """Γ², the share of the power that comes back: 4% at 1.5, 11.1% at 2, 25% at 3 (textbook)."""
    return reflection(vswr) ** 2


def thermal_noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """-174 + 10·log10(B) + NF at 290 K: -117.4 dBm in an LTE PRB with NF 4 dB (textbook; used for
    noise rise by Følstad & Helvik, DRCN 2011)."""
    return -174 + 10 * math.log10(bandwidth_hz) + noise_figure_db


def prb_noise_dbm(rat: str) -> float:
    """The noise floor of one PRB of `NR` or `LTE` with the receivers of this world."""
    if rat == "LTE":
        return thermal_noise_dbm(LTE_PRB_HZ, LTE_NOISE_FIGURE_DB)
    return thermal_noise_dbm(NR_PRB_HZ, NR_NOISE_FIGURE_DB)


def noise_rise_db(over_floor_db: float) -> float:
    """10·log10(1 + 10^(Δ/10)): how far interference Δ dB over the floor lifts it (Følstad &
    Helvik, DRCN 2011); 3 dB for interference as strong as the floor."""
    return 10 * math.log10(1 + 10 ** (over_floor_db / 10))


def sctp_failure_s(retries: int, *, rto_s: float = 1.0, rto_max_s: float = 60.0) -> float:
    """Seconds until `retries` retransmissions are used up when nothing answers and the timeout
    doubles: 63 s for Path.Max.Retrans 5, 363 s for Association.Max.Retrans 10 (RFC 4960 §15)."""
    return sum(min(rto_s * 2**n, rto_max_s) for n in range(retries + 1))


def holdover_hours(frequency_error: float, limit_us: float = PHASE_LIMIT_US) -> float:
    """Time until a constant relative error adds up to the limit: 41.7 h at 1e-11, 4.2 h at 1e-10
    (phase is the integral of frequency; limit of TS 38.133)."""
    return limit_us * 1e-6 / frequency_error / 3600


def far_edge_m(height_m: float, tilt_deg: float, beam_deg: float) -> float:
    """Where the upper half-power edge of the beam meets flat ground, h/tan(tilt - beam/2); the
    horizon (inf) when that edge does not point down. 572 m for 30 m, 6° and 6° (geometry)."""
    angle = tilt_deg - beam_deg / 2
    return height_m / math.tan(math.radians(angle)) if angle > 0 else math.inf


def ratio(succeeded: float, attempted: float) -> float:
    """Share that succeeded; 1 when nothing was attempted, as counters of an idle cell read."""
    return succeeded / attempted if attempted else 1.0


def drb_accessibility(
    rrc: tuple[float, float], ng: tuple[float, float], drb: tuple[float, float]
) -> float:
    """RRC × NG signalling × DRB set-up success, each (succeeded, attempted) (TS 28.554 §6.2.4)."""
    return ratio(*rrc) * ratio(*ng) * ratio(*drb)


def availability(unavailable_s: Iterable[float], period_s: float = 900.0) -> float:
    """(900·n - ΣRRU.CellUnavailableTime)/(900·n) over n periods of 15 min (TS 32.450 §6.4.1)."""
    rows = list(unavailable_s)
    return (period_s * len(rows) - sum(rows)) / (period_s * len(rows))
