"""What a misbehaving server does to the listwise judge: nothing lost, mixed up or made up.

    python benchmarks/judge_faults.py --groups 1000 [--faults 429,hang] [--share 0.3] [--seed 0]

Each kind of fault by itself, then all mixed. Exit status 1 when anything was lost, misaligned or
invented. Needs no model and no network.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from telejudge_judges.fault_drill import FAULTS, Tally, drill

COLUMNS = ("fault", "groups", "candidates", "requests", "spoilt", "scored right", "abstained")
HARM = ("lost", "misaligned", "invented")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", type=int, default=1000, help="for each kind")
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--share", type=float, default=0.3, help="of the answers that are spoilt")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    faults = chosen.faults.split(",")
    unknown = sorted(set(faults) - set(FAULTS))
    if unknown:
        parser.error(f"no fault {', '.join(unknown)}; choose {', '.join(FAULTS)}")
    console = Console(width=150)
    tallies = []
    for kinds in [*([fault] for fault in faults), *([faults] if len(faults) > 1 else [])]:
        tallies.append(
            asyncio.run(drill(kinds, chosen.groups, share=chosen.share, seed=chosen.seed))
        )
        last = tallies[-1]
        console.print(f"{last.faults}: harm {last.harm}, {last.seconds:.0f} s", style="dim")
    console.print(_table(tallies))
    sys.exit(1 if any(tally.harm for tally in tallies) else 0)


def _table(tallies: Sequence[Tally]) -> Table:
    table = Table(title="A misbehaving server: what became of the candidates")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "fault" else "right")
    for name in HARM:
        table.add_column(name, justify="right")
    table.add_column("causes of the abstentions")
    for tally in tallies:
        numbers = (
            tally.groups, tally.candidates, tally.requests, tally.spoilt, tally.right,
            tally.abstained.total(), tally.lost, tally.misaligned, tally.invented,
        )  # fmt: skip
        causes = ", ".join(f"{cause} {n}" for cause, n in tally.abstained.most_common())
        table.add_row(tally.faults, *(f"{n:,}" for n in numbers), causes)
    return table


if __name__ == "__main__":
    main()
