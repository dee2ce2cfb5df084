"""A scripted field technician for dual-control episodes: no model, same words for the same talk.

In: the conversation. Out: his next message. He carries out the steps that the agent's last text
asks for, one at a time, stops at the first that fails or that he does not understand, and reports
what the tools said. He never repairs anything by himself.

    world.open(task, user=ScriptedTechnician(task, seed=0))

| persona | what is special |
|---|---|
| expert | on arrival he looks around unasked and tells; finds a spare of the right type himself |
| novice | does only what is said; rarely takes an ambiguous "the radio unit" for the wrong one |
| wrong_theory | is sure of a cause that it is not, and says so; does what is asked all the same |

A false claim and a misunderstanding are his faults, not the agent's: see `faults_in`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.jitter import share, whole
from telejudge_envs.base_station.layout import SECTORS
from telejudge_envs.base_station.technician_heard import Guess, Heard, Step, Unclear
from telejudge_envs.base_station.technician_line import (
    calling,
    last_words,
    own,
    say,
    seen_spares,
    sent_to,
)
from telejudge_envs.base_station.technician_report import (
    LOOKED,
    nothing_to_do,
    remarks,
    results_told,
)
from telejudge_envs.base_station.technician_talk import understand
from telejudge_envs.base_station.toolkit import tools_of
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Failure

MISHEARS = 0.1
"""Share of ambiguous orders that a novice does not ask about."""

THEORIES: dict[str, str] = {
    "F3": "the power amplifier of a radio unit is dead; with this model it always is",
    "T1": "somebody cut the backhaul fibre; they are digging down the road",
    "B2": "the baseband board is broken; these boards die every summer",
    "S1": "the GNSS antenna is gone; I have seen that a hundred times",
    "P2": "a rectifier is dead; that batch was never any good",
    "A1": "there is water in an antenna line; it rained all week",
}
"""Causes that he can be sure of, by fault code; the one he names is never among the real ones."""

_DID = "do"


class ScriptedTechnician:
    """Plays the technician of one task, by the persona in its hidden part."""

    def __init__(self, task: Task, seed: int = 0) -> None:
        spec = task.hidden.get("spec", {})
        self.persona: str = spec.get("persona", "expert")
        self._key = f"{task.id}|{seed}"
        self._codes = {atom.partition(".")[0] for atom in spec.get("atoms", ())}
        self._heard: tuple[Message, ...] = ()

    @property
    def faults(self) -> tuple[Failure, ...]:
        """His faults in the conversation so far."""
        return self.faults_in(self._heard)

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """His next message: words, or a call of one of his tools."""
        message = self._reply(conversation, tools)
        self._heard = (*conversation, message)
        return message

    def _reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        at = last_words(conversation)
        if at is None:
            return say("I am listening. What shall I do?")
        since = own(conversation[at + 1 :])
        done = [m for m in since if m.tool_calls]
        results = [m for m in since if m.role == "tool"]
        heard = self._understood(conversation, at, tools)
        arrived = bool(done) and done[-1].tool_calls[0].name == "travel_to_site"
        idle = sum(m.tool_calls[0].id.startswith(_DID) for m in done) >= len(heard.steps)
        if self.persona == "expert" and arrived and idle and not results[-1].error:
            return self._look_around(done[-1].tool_calls[0], conversation)
        count = sum(m.tool_calls[0].id.startswith(_DID) for m in done)
        failed = any(m.error for m in results)
        if not failed and count < len(heard.steps):
            step = self._with_spare(heard.steps[count], conversation)
            if isinstance(step, Step):
                return calling(conversation, (step,), _DID if not step.lacks else LOOKED)
            return say(self._report(conversation, since, heard, step, count))
        return say(self._report(conversation, since, heard, None, count))

    def faults_in(self, conversation: Sequence[Message]) -> tuple[Failure, ...]:
        """His false claims and misunderstandings in a transcript."""
        claim = self._claim
        found: list[Failure] = []
        if any(m.role == "user" and claim and claim in m.text for m in conversation):
            found.append(Failure(owner="user", cause="wrong_claim", detail=claim))
        for at, message in enumerate(conversation):
            if message.role == "assistant" and not message.tool_calls:
                acted = any(m.tool_calls for m in own(conversation[at + 1 : at + 2]))
                heard = self._understood(conversation, at, field_tools())
                found += [
                    Failure(owner="user", cause="misunderstanding", detail=what)
                    for what in heard.guessed
                    if acted
                ]
        return tuple(found)

    # -- understanding

    def _understood(
        self, conversation: Sequence[Message], at: int, tools: Sequence[ToolSpec]
    ) -> Heard:
        text = conversation[at].text
        return understand(text, tools, sent_to(conversation[:at]), self._guess(text))

    def _guess(self, text: str) -> Guess:
        def sector(clause: str) -> int | None:
            key = (self._key, text, clause)
            if self.persona != "novice" or share(*key) >= MISHEARS:
                return None
            return 1 + whole(SECTORS, *key, "sector")

        return sector

    def _with_spare(self, step: Step | Unclear, conversation: Sequence[Message]) -> Step | Unclear:
        """An expert finds the spare part that was not named; the others ask."""
        if isinstance(step, Unclear) or not step.lacks:
            return step
        if self.persona == "expert":
            spares = seen_spares(conversation)
            if spares is None:
                return Step("list_spares", {}, step.lacks)
            fit = next((s["spare_id"] for s in spares if s["type"] == step.lacks), None)
            if fit is not None:
                return Step(step.tool, {**step.arguments, "spare_id": fit})
        target = step.arguments.get("slot") or step.arguments.get("port_id")
        return Unclear(f"{step.tool} on {target}", f"which {step.lacks}? Tell me the spare's id.")

    # -- talking

    def _look_around(self, travel: ToolCall, conversation: Sequence[Message]) -> Message:
        site = travel.arguments["site_id"]
        units = (f"{site}-BM", f"{site}-BB")
        steps = [Step("check_leds", {"unit_id": unit}) for unit in units]
        return calling(conversation, (Step("check_breakers", {}), *steps), LOOKED)

    @property
    def theory(self) -> str:
        """The cause that one with a wrong theory is sure of; never a real one of the task."""
        wrong = [text for code, text in THEORIES.items() if code not in self._codes]
        return random.Random(self._key).choice(wrong)

    @property
    def _claim(self) -> str:
        return f"If you ask me: {self.theory}." if self.persona == "wrong_theory" else ""

    def _report(
        self,
        conversation: Sequence[Message],
        since: Sequence[Message],
        heard: Heard,
        unclear: Unclear | None,
        count: int,
    ) -> str:
        told: list[str] = []
        claim = self._claim
        if claim and since and not any(m.role == "user" and claim in m.text for m in conversation):
            told.append(claim)
        volunteered, asked = results_told(since)
        told += volunteered
        told += remarks(heard, unclear, count)
        if not (told or asked):
            text = conversation[last_words(conversation) or 0].text
            told.append(nothing_to_do(text))
        return "\n\n".join([*told, *asked])


def field_tools() -> tuple[ToolSpec, ...]:
    return tuple(tool.spec for tool in tools_of(FieldKit).values())
