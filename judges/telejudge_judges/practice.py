"""A "judge" without a model, to try commands and to test judges: listwise, pointwise or pairwise,
and the meta-judge of an ensemble.

    python -m telejudge_judges.practice --port 8399
    telejudge judge rollouts.jsonl --judge listwise --base-url http://127.0.0.1:8399/v1 \
        --model practice --out verdicts.jsonl

It reads the evidence that such a judge sends and answers by a crude rule: 1 for a candidate
that closed its case, changed something and transferred nobody; `tools` falls with failed calls.
It knows no telecom: its scores are worth nothing, but each belongs to the candidate that it names.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.steps import steps_of

_CLOSED = ("agent_stop", "user_stop")


class Seen(NamedTuple):
    """What the rule looks at in one candidate."""

    calls: tuple[str, ...]
    failed: tuple[int, ...]
    """Steps that failed."""
    changes: int
    ended: str


def read_evidence(text: str) -> dict[str, Seen]:
    """The candidates of an evidence text, by id; the common beginning is part of each."""
    opening = re.search(r"^<data-([0-9a-f]{12}) ", text, re.MULTILINE)
    if opening is None:
        return {}
    fence = opening.group(1)
    parts = re.findall(
        rf"^<data-{fence} (.*?)>\n(.*?)^</data-{fence}>", text, re.MULTILINE | re.DOTALL
    )
    common = next((body for name, body in parts if name == "common beginning"), "")
    return {
        name.removeprefix("candidate "): _seen(common + body)
        for name, body in parts
        if name.startswith("candidate ")
    }


def _seen(body: str) -> Seen:
    calls: list[str] = []
    failed: list[int] = []
    changes, ended = 0, ""
    for line in body.splitlines():
        if step := re.match(r"step (\d+): (\S+)", line):
            calls.append(step.group(2))
        elif line.startswith("  failed"):
            failed.append(len(calls) - 1)
        elif line.startswith("  changed: "):
            changes += 1
        elif line.startswith("ended: "):
            ended = line.removeprefix("ended: ")
    return Seen(tuple(calls), tuple(failed), changes, ended)


def opinion(seen: Seen) -> dict[str, Any]:
    """The rule."""
    transfers = [i for i, name in enumerate(seen.calls) if name.startswith("transfer_to_human")]
    solved = seen.ended in _CLOSED and seen.changes > 0 and not transfers
    defects = [_defect(i, "failed_call", "soft", "The call failed.") for i in seen.failed]
    defects += [_defect(i, "needless_transfer", "hard", "It was transferred.") for i in transfers]
    tools = max(0.0, 1.0 - 0.1 * len(seen.failed) - 0.01 * len(seen.calls))
    return {"answer": int(solved), "tools": round(tools, 2), "defects": defects}


def opinion_of(trajectory: Trajectory) -> dict[str, Any]:
    """The rule applied to a trajectory itself: what `opinion` must say of its evidence."""
    steps = steps_of(trajectory)
    return opinion(
        Seen(
            calls=tuple(step.call.name for step in steps),
            failed=tuple(step.index for step in steps if step.result.error),
            changes=len(trajectory.changes),
            ended=trajectory.stop,
        )
    )


def _defect(step: int, kind: str, severity: str, reason: str) -> dict[str, Any]:
    return {"step": step, "kind": kind, "severity": severity, "reason": reason}


def opinions(request: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the rule says of every candidate in a request."""
    seen = read_evidence(fake.texts(request)[0])
    return {name: opinion(candidate) for name, candidate in seen.items()}


def preference(request: Mapping[str, Any]) -> dict[str, str]:
    """The rule's preference between the two candidates of a request."""
    (one, first), (two, second) = opinions(request).items()
    ends, tools = (first["answer"], second["answer"]), (first["tools"], second["tools"])
    better = {(1, 0): one, (0, 1): two, (1, 1): "both", (0, 0): "neither"}[ends]
    return {
        "better": better,
        "tools": "same" if tools[0] == tools[1] else one if tools[0] > tools[1] else two,
    }


def rulings(request: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Which of the opinions in a meta-judge's request say what the rule says: its answer, and no
    defect that it does not find."""
    (mine,) = opinions(request).values()
    found = {(d["step"], d["kind"]) for d in mine["defects"]}
    lines = re.findall(r"^(\w{4,}): (\{\"answer\".*)$", fake.texts(request)[0], re.MULTILINE)
    told = {name: json.loads(text) for name, text in lines}
    return {
        name: {
            "reason": "by the rule",
            "supported": said["answer"] == mine["answer"]
            and {(d["step"], d["kind"]) for d in said["defects"]} <= found,
        }
        for name, said in told.items()
    }


def answer(request: dict[str, Any], _n: int = 0) -> fake.Reply:
    """A script for `FakeEndpoint`: rulings or a preference where the prompt asks for them, else
    verdicts."""
    system = fake.texts(request, "system")[0]
    if '"supported"' in system:
        return fake.say(json.dumps({"opinions": rulings(request)}))
    if '"better"' in system:
        return fake.say(json.dumps(preference(request)))
    return fake.say(json.dumps({"verdicts": opinions(request)}))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=8399)
    server = fake.FakeEndpoint(answer, port=parser.parse_args().port)
    print(f"the practice judge answers at {server.base_url}; stop it with Ctrl-C", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
