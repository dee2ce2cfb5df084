"""Disjoint vocabularies of ids and place names: a split never shows an id of another split.

site_ids("test", random.Random(7), 4)   -> ["Q412", "Q907", …]
"""

from __future__ import annotations

import random

_LETTERS = {"train": "ABCDEFGHJK", "dev": "MNP", "test": "QRST", "ood": "VWXZ"}
_PLACES = {
    "train": (
        "Alder Hill", "Birch Lane", "Cedar Park", "Dunmore", "Elm Cross", "Fairfield", "Glenside",
        "Harbour Road", "Ivy Bridge", "Juniper Way", "Kingsmead", "Lark Rise", "Millbrook",
        "Northgate", "Oakhurst", "Priory Lane",
    ),
    "dev": ("Quarry Top", "Ravenswood", "Stonebridge", "Thornfield", "Upland"),
    "test": (
        "Valley View", "Westbourne", "Yarrow Mill", "Ashford", "Brightwater", "Coldharbour",
        "Deepdale", "Eastwick",
    ),
    "ood": ("Foxglove", "Greystones", "Hollin Bank", "Inchmore", "Jasmine Court", "Kelder"),
}  # fmt: skip
_HUBS = {"train": "H", "dev": "HM", "test": "HQ", "ood": "HV"}

SPLITS = ("train", "dev", "test", "ood")


def site_ids(split: str, dice: random.Random, count: int) -> list[str]:
    """Distinct ids of a letter of the split and three digits, all with the same letter."""
    letter = dice.choice(_LETTERS[split])
    return [f"{letter}{n}" for n in dice.sample(range(100, 1000), count)]


def places(split: str, dice: random.Random, count: int) -> list[str]:
    return dice.sample(_PLACES[split], count)


def hub_id(split: str, dice: random.Random) -> str:
    return f"{_HUBS[split]}{dice.randrange(10, 100)}"
