"""The ticket's words: what a user of the network, or the operations desk, noticed.

    ticket_of(spec)  -> "Trouble ticket TT-482\nSite: K042 (Elm Cross), under hub H31 …"

Each split has sentences of its own, so that a test ticket is never worded like a training ticket.
"""

from __future__ import annotations

import random

from telejudge_envs.base_station import names
from telejudge_envs.base_station.layout import SITES
from telejudge_envs.base_station.spec import Spec

_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "outage": (
            "Customers have no service around the site.",
            "The whole site seems to be off the air.",
        ),
        "sector_outage": (
            "One side of the site has no coverage.",
            "Part of the area lost its signal.",
        ),
        "slow": ("Mobile data is slow near the site.", "Downloads crawl in this area."),
        "mobility": (
            "Calls drop when people drive through.",
            "Calls break off between this site and the next.",
        ),
        "coverage": ("Indoor coverage got worse.", "Far-away phones latch onto this site."),
        "noise": ("Uploads fail and voices break up.", "Uplink quality is poor in one sector."),
        "alarm": (
            "No complaint yet, but something about the site looks wrong.",
            "Routine check: the site needs a look.",
        ),
    },
    "dev": {
        "outage": ("The site went dark for its users.",),
        "sector_outage": ("A third of the area is without signal.",),
        "slow": ("Throughput fell below the promise to a customer.",),
        "mobility": ("Handovers out of this site go wrong.",),
        "coverage": ("The footprint of a cell changed.",),
        "noise": ("Phones here cannot be heard well.",),
        "alarm": ("The shift before us left a note about this site.",),
    },
    "test": {
        "outage": (
            "Nobody near the site can connect.",
            "Complaints about a total loss of service keep coming in.",
        ),
        "sector_outage": (
            "People north of the mast report no bars.",
            "One sector went silent this morning.",
        ),
        "slow": ("Streaming stutters for subscribers of this site.", "Speed tests are poor here."),
        "mobility": (
            "Commuters lose their calls while passing.",
            "Moving users are dropped at the cell edge.",
        ),
        "coverage": (
            "Reception indoors is weaker than it was.",
            "Distant users are served by the wrong site.",
        ),
        "noise": (
            "Callers say that they cannot be understood.",
            "Upload speed in one direction collapsed.",
        ),
        "alarm": ("Please look into this site before it fails.", "The dashboard flags this site."),
    },
    "ood": {
        "outage": ("Service at the location is down.",),
        "sector_outage": ("Some of the users of the location are cut off.",),
        "slow": ("The connection is sluggish, say our guests.",),
        "mobility": ("Voice calls end abruptly on the bypass.",),
        "coverage": ("The signal does not reach where it used to.",),
        "noise": ("Crackling on the line when we talk.",),
        "alarm": ("Audit found this site suspicious.",),
    },
}


def ticket_of(spec: Spec) -> str:
    """The public text of a task. The order of the draws is that of layout.healthy."""
    dice = random.Random(f"layout|{spec.split}|{spec.seed}")
    hub = names.hub_id(spec.split, dice)
    site = names.site_ids(spec.split, dice, SITES[spec.topology])[0]
    place = names.places(spec.split, dice, SITES[spec.topology])[0]
    words = random.Random(f"words|{spec.seed}").choice(_WORDS[spec.split][spec.symptom])
    return (
        f"Ticket TT-{100 + spec.seed % 900}\n"
        f"Site: {site} ({place})\n"
        f"Hub: {hub}\n"
        f"Priority: {spec.priority}\n"
        f"{words}\n"
        "Find every root cause, restore the service and submit the report."
    )
