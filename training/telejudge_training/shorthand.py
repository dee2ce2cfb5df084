# ruff: noqa: E501 (a pattern is read in one piece)
"""How a tiny model reads the base-station world: names as slots, and only what decisions need.

In: nothing. Out: the settings `slots` and `cuts` of the recipe `basestation` (settings.py).

A node's answer has 1,500 characters, of which an experienced engineer looks at a handful. A model
of half a million weights gets the same view: fields that no repair depends on are left out, a
counter is left out while it is within the limits that the manual states, numbers are rounded to
their first digit. Nothing is interpreted and nothing added; which fault it is, and on which object,
is for the model to find. Larger models read everything.
"""

from __future__ import annotations

SLOTS: tuple[tuple[str, str, int], ...] = (
    (r"SP\d{3}(?!\d)", "SP{}", 100),
    (r"TE\d\d(?!\d)", "TE{}", 10),
    (r"TK\d+", "TK{}", 1000),
    (r"CH\d{3}(?!\d)", "CH{}", 100),
    (r"LK-\d{4}", "LK-{}", 1000),
    (r"(?<![A-Za-z0-9-])H[A-Z]?\d\d(?![0-9A-Za-z])", "H{}", 10),
    (r"(?<![A-Za-z0-9-])[A-Z]\d{2,3}(?![0-9A-Za-z])", "A{}", 100),
    (
        r'(?<="planned": ")[^"]+|(?<="planned": )[\d.]+|(?<="value": ")[^"]+'
        r'|(?<="tilt": )[\d.]+(?=\}$)',
        "70{}",
        10,
    ),
)
"""Spares, technicians, approvals, changes, licence keys, hubs, sites, planned values."""

_COUNTER = r'"{}": {}(?!\d)(?:\.\d+)?(?:, )?'
CUTS: tuple[tuple[str, str], ...] = (
    (r"Ticket TT-\d+\n", ""),
    (r" \([^)]*\)\n", "\n"),
    (r"\nPriority: [a-z]*\n[^\n]*\nFind every root[^\n]*", ""),
    (r'"(?:observed_at|clock)": "[^"]*", ', ""),
    (r', "needs_verification": \[[^\]]*\]', ""),
    (r'"id": "AL\d+", ', ""),
    (r'(?<="residual_alarms": \[)[^\]]+', ""),
    (r'"sectors": \[.*\], "rectifiers": \[[^\]]*\]', '"parts": "all"'),
    (
        r', "(?:cause|severity|raised|note|at|by|sw|certs|gateway|period_s|before|after)": (?:"[^"]*"|\[[^\]]*\]|-?[\d.]+|null)',
        "",
    ),
    (
        r', "(?:temp_c|load_w|battery_pct|dc_v|ambient_c|phase_err_us|crc_per_s|vlan|travel_min|pci|sensitivity_dbm)": -?[\d.]+',
        "",
    ),
    (r'(?<!call>\{)"name": "[^"]*", |, "name": "[^"]*"', ""),
    (
        r'"priority": "[^"]*", |"key": "[^"]*", |"tilt": [\d.]+, |, "return_loss_db": [\d.]+|"distance_m": [\d.]+, |"counters": \{[^}]*\}, |, "actual": (?:"[^"]*"|[\d.]+|null)',
        "",
    ),
    (
        r', "state": "(?:NEW|ACK[A-Z]*|UNACK[A-Z]*)"|, fuel \d+%|, "ring": (?:true|false)|, "dependents": \[[^\]]*\]',
        "",
    ),
    (r'(?<=[A-Z]{3}): [^"]*(?=")', ""),
    (r'(?<="effect": ")(?![^"]*(?:trip|repaired|headroom))[^"]*', "done"),
    (
        r'(?<=SP\d{3}"), "SP\d{3}"(?=\](?:, "|\}, "))|(?<=LK-\d{4}"), "LK-\d+"|(?<="TE\d\d"\}), \{"id": "TE\d\d"\}',
        "",
    ),
    (r'(?<="planned": )(?=\d)', "~"),
    (r'(?<!_id": ")(?<!slot": ")(?<!feed": ")(?<!planned": ")(?<=": ")[A-Z]{1,3}\d{2,3}(?=-)', ""),
    (r'(?<=\{")[A-Z]\d{3}(?=-[A-Z]+\d*")|(?<=[{,] ")[A-Z]\d{3}(?=-[A-Z]+\d*")', ""),
    (r'(?<=\[")[A-Z]{1,2}\d{3}(?=-[A-Z]+\d?")', ""),
    (r'"(?:UECNTX|DRB|RRC|PEE|L1M.SS)[A-Za-z.-]*": (?:-?[\d.]+|null)(?:, )?', ""),
    (_COUNTER.format(r"RACH\.PreambleACell", r"[1-9]\d*"), ""),
    (_COUNTER.format(r"HO\.IntraSys\.TooLate", r"[0-8]"), ""),
    (_COUNTER.format(r"L1M\.ATADist", r"(?:\d|1[0-4])"), ""),
    (_COUNTER.format(r"X\.ULNoise", r"-1(?:0[6-9]|[1-9]\d)"), ""),
    (_COUNTER.format(r"RRU\.PrbTotDl", r"[1-8]?\d"), ""),
    (_COUNTER.format(r"X\.CellUnavailableTime", r"0"), ""),
    (r'"[A-Za-z.-]+": null(?:, )?(?=[^}]*"X\.Cell)', ""),
    (r'"MM.HoExeInterReq": ', "HO "),
    (r', "MM.HoExeInterSucc": ', "/"),
    (r'(?<="-C\d": )[1-9]\d*', "some"),
    (r", (?=\})", ""),
    (
        r'(?<!tilt": \d)(?<!tilt": \d\d)(?<!tilt": \d\d\d)'
        r"(?:(?<=[:/O] \d)\d(?=\d*\.?\d*[,}\]/])|(?<=[:O] \d\d)\d|(?<=[:O] \d\d\d)\d|(?<=: \d\d\d\d)\d|(?<=: \d\d\d\d\d)\d|(?<=: -\d\d)\d|(?<=/\d)\d|(?<=/\d\d)\d)",
        "0",
    ),
    (
        r'(?<=": \d)\.\d+(?=[,}\]])(?!\}\}<)|(?<=": \d\d)\.\d+(?=[,}\]])(?!\}\}<)|(?<=": -\d\d)\.\d+|(?<=": -\d\d\d)\.\d+|(?<=": -\d)\.\d+',
        "",
    ),
    (r'"-C\d": \{HO (?:(\d+)/\1|100/90|90/80|80/70|70/60|60/50)\}(?:, )?', ""),
    (r", (?=\}\}\})", ""),
    (r'", "problem": "', " "),
    (r'\{"reading_id": "(?=r\d)|\{"ok": true, "action_id": "(?=w\d)', ""),
    (r'(?<=r\d)", "data": |(?<=r\d\d)", "data": ', " "),
    (r'(?<=w\d)", "effect": "done"|(?<=w\d\d)", "effect": "done"', " ok"),
)
"""Patterns with what is read in their place, in the order in which they are applied."""
