"""A prepared case as the text that a judge reads.

In: a Case, an order of its candidates, a budget. Out: an `Evidence`: fenced text, and which opaque
id stands for which candidate.

    evidence = render(case, order=(2, 0, 1), salt="0", tools=tools, budget_tokens=24_000)
    evidence.text; evidence.candidates["k7qm"].members; evidence.elided

How hostile text is held: everything is between fences that carry a nonce which occurs nowhere in
it; every line of free text starts with "| "; names and arguments are JSON on one line. So no text
can end its fence, open a candidate or fake a step.

How the budget works: the policy is cut down to its headings and obligations first, then all texts
above one common limit are shortened (see shorten.py), the limit halving until the whole fits.
Steps, calls and ledger paths are never left out, and no two candidates that differ look the same.
What does not fit even so raises `OverBudget`; windows.py then shows a group in parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telejudge_envs.nouns.message import ToolSpec
from telejudge_judges.evidence import Block, Candidate, Case, printable
from telejudge_judges.opaque import names, nonce
from telejudge_judges.reference import Reference
from telejudge_judges.shorten import Shortener, digest_policy, estimate_tokens, fingerprint
from telejudge_judges.tool_lines import DESCRIPTION, tool_line

LIMITS = (None, 8000, 4000, 2000, 1000, 500, 250, 120, 60, 0)
"""Characters to which texts are shortened, tried in turn."""

POLICY_SHARE = 3
"""The policy may take one part in this many of the budget."""


class OverBudget(Exception):
    """The case does not fit, however much its texts are shortened."""


@dataclass(frozen=True)
class Evidence:
    """What one call of a judge is shown. `elided` says in words what was left out."""

    text: str
    nonce: str
    candidates: dict[str, Candidate]
    """By opaque id, in the order shown."""
    elided: tuple[str, ...]
    tokens: int
    reference: str = ""
    """How the reference is to be used (see reference.py); empty when none is shown."""


def render(
    case: Case,
    order: Sequence[int],
    salt: str,
    *,
    tools: Sequence[ToolSpec] = (),
    budget_tokens: int = 24_000,
    floor: int = 0,
    reference: Reference | None = None,
) -> Evidence:
    """The evidence in this order; `salt` gives other ids and another nonce to each order.

    Raises OverBudget when it does not fit with texts shortened to `floor` characters.
    """
    share = budget_tokens / POLICY_SHARE / max(1, estimate_tokens(case.policy))
    policy = digest_policy(case.policy, int(len(case.policy) * share))
    key = f"{case.hash}|{salt}"
    told = reference.text if reference else ""
    everything = "\n".join((told, *_free_texts(case, tools)))
    ids = names(len(order), key, absent_from=everything)
    fence = nonce(key, absent_from=everything)
    smallest = 0
    for limit in (one for one in LIMITS if one is None or one >= floor):
        page = _Page(case, fence, Shortener(limit))
        text = page.lay_out(policy, tools, told, dict(zip(ids, order, strict=True)))
        smallest = estimate_tokens(text)
        if smallest <= budget_tokens:
            shown = {i: case.candidates[n] for i, n in zip(ids, order, strict=True)}
            elided = _elisions(case, policy, tools, page.shorten, limit)
            mode = reference.mode if reference else ""
            return Evidence(text, fence, shown, elided, smallest, mode)
    cut = f"texts cut to {floor} characters" if floor else "every text left out"
    raise OverBudget(
        f"{len(order)} candidates need about {smallest} tokens with {cut}, the "
        f"budget is {budget_tokens}; raise budget_tokens or judge fewer trajectories at once"
    )


def _elisions(
    case: Case, policy: str, tools: Sequence[ToolSpec], shorten: Shortener, limit: int | None
) -> tuple[str, ...]:
    said = []
    if policy != case.policy:
        said.append(f"policy digested from {len(case.policy)} to {len(policy)} characters")
    long = sum(len(" ".join(tool.description.split())) > DESCRIPTION for tool in tools)
    if long:
        said.append(f"{long} tool descriptions cut to {DESCRIPTION} characters")
    if shorten.elided:
        said.append(
            f"{len(shorten.elided)} texts above {limit} characters shortened, "
            f"{sum(shorten.elided.values())} characters left out"
        )
    return tuple(said)


class _Page:
    """Lays out one evidence text with one shortener."""

    def __init__(self, case: Case, fence: str, shorten: Shortener) -> None:
        self.case, self.fence, self.shorten = case, fence, shorten
        self.labels = {text: f"[R{i}]" for i, text in enumerate(case.repeated, start=1)}
        for candidate in (*case.candidates, *case.siblings):
            for block in candidate.blocks:
                shorten.learn(block.head, block.text)
                if block.is_call:
                    shorten.learn(_tool(block), block.head)
                for path, _, after in block.changes:
                    shorten.learn(f"changed {path}", after)

    def lay_out(
        self, policy: str, tools: Sequence[ToolSpec], told: str, shown: dict[str, int]
    ) -> str:
        case = self.case
        setting = [f"mode: {case.mode}", f"turns: at most {case.max_steps}"]
        parts = [self._fenced("setting", setting), self._fenced("ticket", free_text(case.ticket))]
        if told:
            parts.append(self._fenced("reference", free_text(self.shorten(told, "reference"))))
        if policy:
            parts.append(self._fenced("policy", free_text(policy)))
        if tools:
            parts.append(self._fenced("tools", [tool_line(tool) for tool in tools]))
        if self.labels:
            parts.append(self._fenced("repeated results", self._repeated()))
        common = case.candidates[0].blocks[: case.common] if case.candidates else ()
        if common:
            parts.append(self._fenced("common beginning", self._events(common, first=0)))
        for name, number in shown.items():
            lines = self._candidate(case.candidates[number])
            parts.append(self._fenced(f"candidate {name}", lines))
        return "\n\n".join(parts)

    def _fenced(self, part: str, lines: Sequence[str]) -> str:
        return "\n".join([f"<data-{self.fence} {part}>", *lines, f"</data-{self.fence}>"])

    def _repeated(self) -> list[str]:
        lines: list[str] = []
        for text, label in self.labels.items():
            lines += [label, *free_text(self.shorten(text, self._slot(text)))]
        return lines

    def _slot(self, text: str) -> str:
        blocks = (b for c in self.case.candidates for b in c.blocks)
        return next((b.head for b in blocks if b.text == text), "")

    def _candidate(self, candidate: Candidate) -> list[str]:
        common = self.case.common
        first = sum(b.is_call for b in candidate.blocks[:common])
        lines = [f"calls: {candidate.calls}"]
        if common:
            lines.append(f"(after the common beginning, from step {first} on)")
        lines += self._events(candidate.blocks[common:], first)
        lines.append(f"ended: {candidate.stop}")
        return lines

    def _events(self, blocks: Sequence[Block], first: int) -> list[str]:
        lines: list[str] = []
        step = first
        for block in blocks:
            if block.reasoning:
                lines += ["thinks:", *free_text(self.shorten(block.reasoning, "thinks"))]
            if not block.is_call:
                lines += [f"{block.head}:", *free_text(self.shorten(block.text, block.head))]
                continue
            lines.append(f"step {step}: {self.shorten(block.head, _tool(block))}")
            lines += self._result(block)
            lines += [self._change(*change) for change in block.changes]
            step += 1
        return lines

    def _result(self, block: Block) -> list[str]:
        what = "failed" if block.failed else "result"
        if block.text in self.labels:
            return [f"  {what} = {self.labels[block.text]}"]
        return [f"  {what}:", *free_text(self.shorten(block.text, block.head), indent="  ")]

    def _change(self, path: str, before: str, after: str) -> str:
        old, new = self.shorten(before, f"before {path}"), self.shorten(after, f"changed {path}")
        return f"  changed: {printable(path)}: {old} -> {new}"


def free_text(text: str, indent: str = "") -> list[str]:
    """The text's lines, each behind a bar, so that none can pass for a line of ours.

    A text that could look like another one (by control characters, by what ends its lines) carries
    its fingerprint.
    """
    lines = [printable(line) for line in text.splitlines()] or [""]
    if "\n".join(lines) != text:
        lines[0] = f"[#{fingerprint(text)}] {lines[0]}"
    return [f"{indent}| {line}" for line in lines]


def _tool(block: Block) -> str:
    """The slot of a call's head: heads of one tool are compared with each other."""
    return f"call {block.head.partition(' ')[0]}"


def _free_texts(case: Case, tools: Sequence[ToolSpec]) -> Iterator[str]:
    yield case.ticket
    yield case.policy
    for tool in tools:
        yield tool_line(tool)
    for candidate in (*case.candidates, *case.siblings):
        for block in candidate.blocks:
            yield from (block.head, block.text, block.reasoning)
            for change in block.changes:
                yield from change
