"""Results to be kept in a repository: one small file a judge, of groups that all judges judged.

keep(Path("docs/results/judges"), {"pointwise, json": {"teleqna": result, "rollouts": result}})

Ids and numbers, no text of any data set; `telejudge eval table`, `compare` and `admission` read the
files like any other result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from telejudge_eval.judge_eval.measure import SAMPLES, measures
from telejudge_eval.judge_eval.records import GroupResult, Result, Sample

Results = Mapping[str, Mapping[str, Result]]
"""By label, then by source file."""


def keep(folder: Path, results: Results) -> list[Path]:
    """Write the results of each judge as one, measured anew, numbered in their order; groups that
    some judge of the same file lacks are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    shared = _shared(results)
    written = []
    for number, (label, by_source) in enumerate(results.items(), start=1):
        name = label.replace(", ", "-").replace(" ", "-")
        path = folder / f"{number:02}-{name}.json"
        one = merged(by_source, shared).model_dump_json(exclude_defaults=True)
        path.write_text(one + "\n", encoding="utf-8")
        written.append(path)
    return written


def _shared(results: Results) -> dict[str, set[str]]:
    """Groups by source file that every judge of that file judged."""
    shared: dict[str, set[str]] = {}
    for by_source in results.values():
        for source, result in by_source.items():
            ids = {group.group_id for group in result.groups}
            shared[source] = shared.get(source, ids) & ids
    return shared


def merged(by_source: Mapping[str, Result], shared: Mapping[str, set[str]]) -> Result:
    """One result of several of the same judge, over the shared groups."""
    groups = [
        group
        for source, result in by_source.items()
        for group in result.groups
        if group.group_id in shared[source]
    ]
    samples = [
        _counted(sample, groups) for result in by_source.values() for sample in result.samples
    ]
    first = next(iter(by_source.values()))
    return first.model_copy(
        update={
            "samples": tuple(sample for sample in samples if sample.groups),
            "groups": tuple(groups),
            "measures": measures(groups, samples=SAMPLES, seed=first.seed),
        }
    )


def _counted(sample: Sample, groups: Sequence[GroupResult]) -> Sample:
    own = [group for group in groups if group.source == sample.source]
    candidates = sum(len(group.marks) for group in own)
    return sample.model_copy(update={"groups": len(own), "candidates": candidates})
