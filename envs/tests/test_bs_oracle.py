"""The oracle's answers: what readings exclude, what writes change, what four faults do to it."""

from __future__ import annotations

import functools

import pytest
from bs_harness import broken as network
from bs_harness import seen

from telejudge_envs.base_station.atoms import atoms, present
from telejudge_envs.base_station.oracle.oracle import Oracle
from telejudge_envs.errors import UsageError

broken = functools.partial(network, topology="star")


def remote(real: dict[str, int]) -> list[str]:
    """What can be read without anybody on site."""
    return [n for n in real if n.startswith(("alarm.", "see.", "log.", "kpi.")) or n == "reach"]


@pytest.mark.parametrize("atom", atoms(3))
def test_a_single_fault_is_known_from_remote_readings(atom: str) -> None:
    db = broken(atom)
    real = seen(db)
    oracle = Oracle(db)
    assert oracle.see(remote(real), real) > 0
    assert oracle.posterior()[atom] >= 0.9
    assert oracle.top(1)[0][0] == atom


def test_reading_the_same_again_tells_nothing() -> None:
    db = broken("P3.2", "T2")
    real = seen(db)
    oracle = Oracle(db)
    assert oracle.see(remote(real), real) > 3
    assert oracle.see(remote(real), real) == 0.0


def test_a_masked_fault_is_not_excluded_until_it_could_be_seen() -> None:
    db = broken("B1", "E1")
    oracle = Oracle(db)
    real = seen(db)
    oracle.see(remote(real), real)
    assert oracle.posterior()["B1"] == 1.0
    assert 0 < oracle.posterior()["E1"] < 0.5
    db.sites[db.focus].main.sw_state = "running"
    oracle.write({"B1": 0}, db)
    real = seen(db)
    oracle.see(remote(real), real)
    assert oracle.posterior()["E1"] == 1.0
    assert oracle.posterior()["B1"] == 0.0
    assert oracle.posterior(now=False)["B1"] == 1.0


def test_a_write_hides_nothing_of_the_past_in_the_change_log() -> None:
    db = broken("R1.3")
    oracle = Oracle(db)
    oracle.write({"R1.3": 0}, db)
    assert oracle.posterior()["R1.3"] == 0.0
    oracle.see(["log.R1.3"], {"log.R1.3": 1})
    assert oracle.posterior(now=False)["R1.3"] == 1.0


def test_switching_back_to_a_lost_ptp_master_brings_the_fault_back() -> None:
    db = broken("S2")
    clock = db.sites[db.focus].clock
    oracle = Oracle(db)
    oracle.see(["see.S2", "reach"], seen(db))
    clock.active = "gnss"
    oracle.write({"on_ptp": 0, "S2": 0}, db)
    assert oracle.posterior()["S2"] == 0.0
    clock.active = "ptp"
    oracle.write({"on_ptp": 1}, db)
    assert present(db, db.focus, "S2")
    assert oracle.posterior()["S2"] == 1.0


def test_a_lost_ptp_master_is_no_hypothesis_where_none_is_fitted() -> None:
    db = broken(topology="gnss_only")
    assert not Oracle(db).possible("S2")
    assert Oracle(db).posterior()["S2"] == 0.0
    assert Oracle(broken()).possible("S2")


def test_probability_that_a_write_cures_something() -> None:
    oracle = Oracle(broken("B4.1"))
    both = oracle.target_probability({"B1": 0, "B4.1": 0, "holdover_lost": 1})
    single = oracle.target_probability({"B1": 0})
    assert both is not None
    assert single is not None
    assert 0 < single < both < single + oracle.posterior()["B4.1"]
    assert oracle.target_probability({"on_ptp": 0}) is None
    assert oracle.target_probability({"on_ptp": 1, "S2": 0}) == oracle.posterior()["S1"]
    assert oracle.target_probability({"locked.1": 1, "R6.1": 0}) is None
    assert oracle.target_probability({"locked.1": 0, "R6.1": 0}) == pytest.approx(
        oracle.posterior()["R6.1"]
    )


def test_four_faults_are_found_and_called_approximate() -> None:
    four = ("P3.2", "S1", "B3", "R4.1")
    db = broken(*four)
    oracle = Oracle(db)
    assert oracle.approximate
    real = seen(db)
    oracle.see(["see.S1", "see.B3", "see.LOCKED.1"], real)
    oracle.see(remote(real), real)
    site = db.sites[db.focus]
    site.licence.valid = True
    oracle.write({"B3": 0}, db)
    real = seen(db)
    oracle.see(remote(real), real)
    now = oracle.posterior()
    assert [now[atom] for atom in four] == pytest.approx([1, 1, 0, 1])
    assert oracle.posterior(now=False)["B3"] == 1.0


def test_evidence_decides_about_widening_not_the_truth() -> None:
    """The same readings give the same answers whatever else is wrong in the world."""
    answers = []
    for faults in (("B1",), ("B1", "E1", "T2", "R1.1")):
        db = broken(*faults)
        oracle = Oracle(db)
        oracle.see(["reach", "alarm.LOSS_OF_SIGNAL"], seen(db))
        answers.append(oracle.posterior())
    assert answers[0] == answers[1]


def test_contradictory_evidence_is_left_out_and_makes_it_approximate() -> None:
    db = broken("T1")
    oracle = Oracle(db)
    oracle.see(["raw.T1"], {"raw.T1": 1})
    assert not oracle.approximate
    assert oracle.see(["raw.T1"], {"raw.T1": 0}) == 0.0
    assert oracle.approximate
    assert oracle.posterior()["T1"] == 1.0


def test_up_to_three_faults_are_exact() -> None:
    db = broken("P3.2", "S1", "B3")
    oracle = Oracle(db)
    real = seen(db)
    oracle.see(remote(real), real)
    assert not oracle.approximate


def test_cheapest_needs_a_known_fault_and_prefers_what_is_cheap() -> None:
    db = broken("E1", "T5")
    oracle = Oracle(db)
    assert oracle.cheapest() is None
    real = seen(db)
    oracle.see(remote(real), real)
    best = oracle.cheapest()
    assert best is not None
    assert (best.tool, best.object_id, best.cost) == ("set_config", f"{db.focus}-NG", 2)
    oracle.write({"T5": 0}, db)
    then = oracle.cheapest()
    assert then is not None
    assert (then.tool, then.object_id, then.onsite) == ("replace_module", f"{db.focus}-FAN1", True)


def test_unknown_names_are_errors_that_say_where() -> None:
    oracle = Oracle(broken())
    with pytest.raises(UsageError, match=r"no effect 'see\.X'.*shows"):
        oracle.see(["see.X"], {"see.X": 1})
    with pytest.raises(UsageError, match=r"no fact 'X'.*sets"):
        oracle.write({"X": 0}, None)
