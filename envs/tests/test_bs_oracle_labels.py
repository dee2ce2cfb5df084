"""Labels of calls: gain, justification, gentler means, and the sentence that explains them."""

from __future__ import annotations

import statistics
import time

import pytest
from bs_harness import broken, seen

from telejudge_envs.base_station.atoms import atoms
from telejudge_envs.base_station.oracle.cures import Cures, impact_of
from telejudge_envs.base_station.oracle.labels import StepLabel, label_steps
from telejudge_envs.base_station.oracle.steps import OracleStep
from telejudge_envs.base_station.state import RanDB


def read(db: RanDB, tool: str, *prefixes: str) -> OracleStep:
    real = seen(db)
    shows = tuple(name for name in real if name.startswith(prefixes))
    return OracleStep(tool, shows=shows, bits=real)


def write(tool: str, sets: dict[str, int], **arguments: str) -> OracleStep:
    return OracleStep(tool, arguments, effect="write", sets=sets)


ALARMS = ("alarm.", "reach")


def test_a_reading_says_what_it_excluded_and_what_leads() -> None:
    db = broken("P3.2")
    first, again = label_steps(db, [read(db, "list_alarms", *ALARMS)] * 2)
    assert first.gain_bits > 5
    assert first.top[0][0] == "P3.2"
    gone = 28_968 - first.possible_sets
    assert first.sentence == (
        f"list_alarms excluded {gone:,} of 28,968 possible fault sets ({first.gain_bits:.1f} bits)"
        f"; rru_breaker_open on {db.focus}-FD2 is now at 100%."
    )
    assert again.gain_bits == 0.0
    assert again.sentence.startswith("list_alarms told nothing new;")
    assert [first.index, again.index] == [0, 1]


def test_a_write_before_the_evidence_is_premature_and_after_it_justified() -> None:
    db = broken("P3.2")
    reset = write("reset_breaker", {"P3.2": 0}, feed=f"{db.focus}-FD2")
    early = label_steps(db, [reset])[0]
    late = label_steps(db, [read(db, "list_alarms", *ALARMS), reset])[1]
    assert early.target_probability is not None
    assert early.target_probability < 0.1
    assert "premature" in early.sentence
    assert late.target_probability == 1.0
    assert late.sufficient
    assert "justified" in late.sentence
    assert late.cheapest is not None
    assert (late.cheapest.tool, late.cheapest.object_id) == ("reset_breaker", f"{db.focus}-FD2")


def test_a_cure_of_what_is_excluded_is_pointless() -> None:
    db = broken("P3.2")
    steps = [read(db, "list_alarms", *ALARMS), write("splice_fibre", {"T1": 0})]
    label = label_steps(db, steps)[1]
    assert label.target_probability == 0.0
    assert "pointless" in label.sentence


def test_a_hung_cell_is_woken_by_its_lock_not_by_a_board_reset() -> None:
    db = broken("B4.1")
    look = read(db, "get_kpi", "kpi.", "see.B4", *ALARMS)
    board = f"{db.focus}-BB"
    sets = {"B4.1": 0, "B4.2": 0, "B4.3": 0}
    reset = write("reset_board", sets, board_id=board, mode="soft")
    hard = label_steps(db, [look, reset])[1]
    assert hard.target_probability == 1.0
    assert not hard.sufficient
    assert "gentler means exist (cheapest: lock_cell" in hard.sentence
    pair = [
        write("lock_cell", {"locked.1": 1, "R6.1": 0}, cell_id=f"{db.focus}-C1"),
        write("unlock_cell", {"locked.1": 0, "R6.1": 0, "B4.1": 0}, cell_id=f"{db.focus}-C1"),
    ]
    lock, unlock = label_steps(db, [look, *pair])[1:]
    assert lock.target_probability is None
    assert unlock.target_probability == 1.0
    assert unlock.sufficient
    without_reading = label_steps(db, pair)[1]
    assert without_reading.target_probability is not None
    assert without_reading.target_probability < 0.1


@pytest.mark.parametrize(
    "work",
    [
        write("repair_antenna_line", {"A1.2": 0}, port_id="A2"),
        write("confirm_rf_isolation", {}, rru_id="K042-R2"),
    ],
)
def test_unlocking_after_work_on_the_mast_is_no_cure(work: OracleStep) -> None:
    db = broken("A1.2")
    frame = (write("lock_cell", {"locked.2": 1}), write("unlock_cell", {"locked.2": 0, "B4.2": 0}))
    labels = label_steps(db, [frame[0], work, frame[1]])
    assert labels[2].target_probability is None


def test_unlocking_what_was_found_locked_is_a_cure() -> None:
    db = broken("R6.2")
    unlock = write("unlock_cell", {"locked.2": 0, "R6.2": 0})
    labels = label_steps(db, [read(db, "get_ne_status", "see.LOCKED", *ALARMS), unlock])
    assert labels[1].target_probability == 1.0
    assert labels[1].sufficient


def test_a_visit_is_called_for_when_the_fault_needs_one() -> None:
    send = write("dispatch_technician", {})
    onsite, remote = broken("E1"), broken("T5")
    assert label_steps(onsite, [read(onsite, "list_alarms", *ALARMS), send])[1].sufficient
    label = label_steps(remote, [read(remote, "list_alarms", *ALARMS), send])[1]
    assert not label.sufficient
    assert "no fault that needs a visit is likely" in label.sentence


def test_a_failed_call_tells_nothing() -> None:
    db = broken("T1")
    shown = read(db, "list_alarms", *ALARMS)
    failed = OracleStep("list_alarms", ok=False, shows=shown.shows, bits=shown.bits)
    label = label_steps(db, [failed])[0]
    assert (label.gain_bits, label.possible_sets) == (0.0, 28_968)
    assert "failed" in label.sentence


def test_an_escalated_fault_needs_no_cure_any_more() -> None:
    db = broken("R4.1")
    look = read(db, "get_kpi", "kpi.", *ALARMS)
    steps = [look, write("escalate", {}, team="spectrum"), look]
    labels = label_steps(db, steps)
    assert labels[1].cheapest is not None
    assert (labels[1].cheapest.tool, labels[1].cheapest.team) == ("escalate", "spectrum")
    assert labels[2].cheapest is None


def test_more_than_three_faults_are_labelled_as_approximate() -> None:
    db = broken("P3.2", "S1", "B3", "R4.1")
    labels = label_steps(db, [read(db, "list_alarms", *ALARMS)] * 2)
    assert all(label.approximate for label in labels)
    assert all("(approximate: more than three faults)." in label.sentence for label in labels)


STUBBORN = {
    "T2": ("worn", "replace_sfp"),
    "F2.1": ("worn", "replace_sfp"),
    "A2.3": ("jammed", "replace_module"),
    "P3.1": ("shorted", "replace_module"),
    "P1": ("unfixable", "escalate"),
    "E2": ("unfixable", "escalate"),
    "T1": ("unfixable", "escalate"),
    "B3": ("unfixable", "escalate"),
    "R5.2": ("unfixable", "escalate"),
}


@pytest.mark.parametrize("atom", STUBBORN)
def test_stubborn_faults_need_more(atom: str) -> None:
    kind, tool = STUBBORN[atom]
    assert Cures.of(broken(atom, variants={atom[:2]: {kind: True}})).cheapest(atom).tool == tool
    assert Cures.of(broken(atom)).cheapest(atom).tool != tool


def test_without_the_spare_the_vendor_is_called() -> None:
    db = broken(missing=("fan",))
    best = Cures.of(db).cheapest("E1")
    assert (best.tool, best.team) == ("escalate", "vendor")
    assert Cures.of(db).cheapest("B2").tool == "replace_module"


def test_gentler_means_cost_less() -> None:
    order = [
        impact_of("calibrate_ret", {}),
        impact_of("lock_cell", {}),
        impact_of("reset_board", {"mode": "soft"}),
        impact_of("reset_board", {"mode": "hard"}),
        impact_of("dispatch_technician", {}),
        impact_of("clean_connector", {}),
        impact_of("replace_sfp", {}),
    ]
    assert order == sorted(set(order))


@pytest.mark.parametrize("atom", atoms(3))
def test_the_cheapest_cure_is_called_on_something_that_exists(atom: str) -> None:
    from telejudge_envs.base_station.parts import locate

    db = broken()
    target = Cures.of(db).cheapest(atom).object_id.partition("/")[0]
    assert locate(db, target) is not None


def test_twenty_five_steps_are_labelled_in_fifty_milliseconds() -> None:
    db = broken("B1", "T2", "R1.3")
    steps = [
        step
        for sector in (1, 2, 3)
        for step in (
            read(db, "list_alarms", *ALARMS),
            read(db, "get_kpi", f"kpi.up.{sector}", f"kpi.traffic.{sector}"),
            read(db, "get_boards", "see."),
            read(db, "get_change_log", "log."),
            write("reset_board", {"B1": 0, "B4.1": 0, "B4.2": 0, "B4.3": 0, "holdover_lost": 1}),
            write("calibrate_ret", {f"A2.{sector}": 0}),
            write("lock_cell", {f"locked.{sector}": 1}),
            write("unlock_cell", {f"locked.{sector}": 0, f"B4.{sector}": 0}),
        )
    ]
    assert label_steps(db, steps) == label_steps(db, steps)

    def seconds() -> float:
        begun = time.process_time()  # others may use the processor meanwhile
        labels: list[StepLabel] = label_steps(db, steps)
        assert len(labels) == 24
        return time.process_time() - begun

    assert statistics.median(seconds() for _ in range(5)) < 0.05
