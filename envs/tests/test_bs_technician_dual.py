"""The scripted technician in conversation: personas, order of work, reports, and his own faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.tasks import as_task
from telejudge_envs.base_station.technician import THEORIES, ScriptedTechnician
from telejudge_envs.base_station.technician_report import IT_SAYS, in_words
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task


def task(persona: Any = "expert", *atoms: str, number: int = 0) -> Task:
    spec = Spec(id=f"bs-train-t{number}", split="train", seed=4, level=1,
                atoms=atoms or ("F3.2",), persona=persona)  # fmt: skip
    return as_task(spec, "dual")


class Line:
    """An agent on the telephone."""

    def __init__(
        self, given: Task, *, dispatched: bool = True, parts: tuple[str, ...] = ()
    ) -> None:
        self.technician = ScriptedTechnician(given, 0)
        self.episode: BaseStationEpisode = BaseStation().open(given, 0, self.technician)
        db = self.episode.db
        self.site = db.focus
        if dispatched:
            taken = [next(s.id for s in db.spares if s.type == kind) for kind in parts]
            self.call("dispatch_technician", site_id=self.site, parts=taken, task="look",
                      technician_id=db.technicians[0].id)  # fmt: skip

    def call(self, tool: str, **arguments: Any) -> None:
        call = ToolCall(id=tool, name=tool, arguments=arguments)
        (answer,) = self.episode.step(Message(role="assistant", tool_calls=(call,)))
        assert not answer.error, answer.text

    def say(self, text: str) -> str:
        """His answer."""
        return self.episode.step(Message(role="assistant", text=text))[-1].text

    @property
    def his_calls(self) -> list[str]:
        said = (m for m in self.episode.observation if m.role == "user")
        return [call.name for m in said for call in m.tool_calls]


def test_he_reports_in_words_and_with_the_raw_result() -> None:
    line = Line(task("novice"))
    line.say("Please go to the site.")
    told = line.say("Check the LEDs of the RRU in sector 2.")
    words, _, raw = told.partition(IT_SAYS)
    assert "ALM red, transmitter" in words
    reading = json.loads(raw)
    assert reading["data"]["ALM"] == "red, transmitter"
    assert reading["reading_id"] in words
    assert line.his_calls == ["travel_to_site", "check_leds"]


def test_the_same_conversation_gets_the_same_words() -> None:
    texts = ("Go to the site and check the breakers.", "Now what?", "Measure the battery voltage")
    one, other = (
        [line.say(t) for t in texts] for line in (Line(task("expert")), Line(task("expert")))
    )
    assert one == other


def test_the_expert_looks_around_when_he_arrives() -> None:
    line = Line(task("expert", "P3.1"))
    told = line.say("Please go to the site.")
    assert f"{line.site}-FD1 open, tripped" in told
    assert line.his_calls == ["travel_to_site", "check_breakers", "check_leds", "check_leds"]
    for persona in ("novice", "wrong_theory"):
        other = Line(task(persona, "P3.1"))
        other.say("Please go to the site.")
        assert other.his_calls == ["travel_to_site"]


def test_nobody_repairs_anything_by_himself() -> None:
    for persona in ("expert", "novice", "wrong_theory"):
        line = Line(task(persona, "P3.1"), parts=("rru",))
        line.say("Go to the site, please.")
        for text in ("What is wrong?", "Make it work!", "Do what you think is right.", "Hm."):
            line.say(text)
        writes = set(line.his_calls) - {"check_breakers", "check_leds", "list_spares"}
        assert writes == {"travel_to_site"}
        assert not line.episode.satisfied()


def test_the_expert_finds_the_spare_and_the_others_ask() -> None:
    expert = Line(task("expert"), parts=("fan", "rru"))
    expert.say("Go to the site, then check the breakers.")
    expert.call("lock_cell", cell_id=f"{expert.site}-C2")
    told = expert.say("Confirm RF isolation of sector 2 and replace the RRU of sector 2.")
    assert "replaced by" in told
    assert expert.his_calls[-3:] == ["confirm_rf_isolation", "list_spares", "replace_module"]
    novice = Line(task("novice"), parts=("fan", "rru"))
    novice.say("Go to the site.")
    assert "spare's id" in novice.say("Replace the RRU of sector 2.")
    assert novice.his_calls == ["travel_to_site"]


def test_an_expert_without_the_part_asks() -> None:
    line = Line(task("expert"), parts=("fan",))
    line.say("Go to the site, then check the breakers.")
    assert "which rru" in line.say("Replace the RRU of sector 2.")


def test_he_stops_at_the_first_failure_and_tells_the_rest() -> None:
    line = Line(task("novice"), dispatched=False)
    told = line.say("Go to site K999, check the breakers and close feed FD2.")
    assert "but it failed. " in told
    assert "have not done: check_breakers, reset_breaker" in told
    assert line.his_calls == ["travel_to_site"]


def test_he_stops_where_he_does_not_understand() -> None:
    line = Line(task("novice"))
    line.say("Go to the site.")
    told = line.say("Check the breakers, replace the fan and read the temperature.")
    assert "which fan?" in told
    assert "not done: read_thermometer" in told
    assert line.his_calls == ["travel_to_site", "check_breakers"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Thanks, good job.", "wait for your next step"),
        ("Is the customer happy?", "none of my tools shows that"),
        ("The weather is fine in town.", "I find no step for me"),
        ("Reboot the baseband board.", "I have no tool that does this"),
        ("Don't touch the fans.", "keep my hands off"),
        ("If FD2 is open, close it.", "You said 'if'"),
    ],
)
def test_he_says_what_he_did_not_understand(text: str, answer: str) -> None:
    line = Line(task("novice"))
    assert answer in line.say(text)
    assert line.his_calls == []


def test_a_wrong_theory_is_said_once_and_is_his_fault() -> None:
    line = Line(task("wrong_theory"))
    assert line.technician.faults == ()
    first = line.say("Go to the site and check the breakers.")
    second = line.say("Check the LEDs of R2.")
    claim = f"If you ask me: {line.technician.theory}."
    assert first.startswith(claim)
    assert claim not in second
    (fault,) = line.technician.faults
    assert (fault.owner, fault.cause, fault.detail) == ("user", "wrong_claim", claim)
    fresh = ScriptedTechnician(line.episode.task, 0)
    assert fresh.faults_in(line.episode.observation) == (fault,)
    assert fresh.faults_in(line.episode.observation[:2]) == ()


def test_the_theory_is_always_wrong() -> None:
    for number in range(40):
        atoms = ("F3.1", "T1", "S1", "P2", "A1.1")
        technician = ScriptedTechnician(task("wrong_theory", *atoms, number=number), 0)
        assert technician.theory == THEORIES["B2"]
    assert set(THEORIES) <= set(FAULTS)


def misheard(persona: str, text: str, runs: int = 150) -> list[Line]:
    lines = []
    for number in range(runs):
        line = Line(task(persona, number=number))
        line.say("Go to the site.")
        line.say(text)
        lines.append(line)
    return [line for line in lines if line.technician.faults]


def test_a_novice_sometimes_mishears_what_is_ambiguous() -> None:
    wrong = misheard("novice", "Reset the breaker.")
    assert 3 <= len(wrong) <= 35
    for line in wrong:
        (fault,) = line.technician.faults
        assert (fault.owner, fault.cause) == ("user", "misunderstanding")
        assert line.his_calls[-1] == "reset_breaker"
        fresh = ScriptedTechnician(line.episode.task, 0)
        assert fresh.faults_in(line.episode.observation) == (fault,)


def test_clear_words_are_never_misheard() -> None:
    assert misheard("novice", "Reset the breaker of sector 2.", runs=40) == []
    assert misheard("expert", "Reset the breaker.", runs=40) == []


def test_results_in_words() -> None:
    assert in_words('{"reading_id": "r3", "data": {"FD1": "closed"}}') == "FD1 closed (reading r3)"
    assert in_words('{"ok": true, "effect": "done so"}') == "done so"
    assert in_words('{"reading_id": "r1", "data": []}') == "nothing (reading r1)"
    assert in_words("Error: no") == "Error: no"
    assert in_words("[1]") == "[1]"
