"""What the scripted technician understands of free text, and that he never acts unasked."""

from __future__ import annotations

import functools
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.technician import field_tools
from telejudge_envs.base_station.technician_heard import Heard, Step, Unclear
from telejudge_envs.base_station.technician_talk import understand

SITE = "K042"
WRITES = {tool.name for tool in field_tools() if tool.effect == "write"}


@functools.cache
def hear(text: str, site: str | None = SITE) -> Heard:
    return understand(text, field_tools(), site)


def short(step: Step | Unclear) -> str:
    """`reset_breaker FD2`: the tool and its arguments without the site."""
    if isinstance(step, Unclear):
        return "?"
    values = [str(value).removeprefix(f"{SITE}-") for value in step.arguments.values()]
    return " ".join([step.tool, *values])


CORPUS: list[tuple[str, list[str]]] = [
    ("please go to site K042, check the breakers and close feed FD2",
     ["travel_to_site K042", "check_breakers", "reset_breaker FD2"]),
    ("clean the connector of K042-P", ["clean_connector P"]),
    ("replace the RRU of sector 2 with spare SP312", ["replace_module rru R2 SP312"]),
    ("measure the optical power on both ends of O1",
     ["measure_optical_power O1/bbu", "measure_optical_power O1/rru"]),
    ("Could you drive to the site please?", ["travel_to_site K042"]),
    ("Hello Ada, please head over to K042; once you are there, look at the breakers.",
     ["travel_to_site K042", "check_breakers"]),
    ("When you get to the site, check the temperature.", ["read_thermometer"]),
    ("1. Travel to K042\n2. Check the breakers\n3. Close FD3",
     ["travel_to_site K042", "check_breakers", "reset_breaker FD3"]),
    ('Please run reset_breaker(feed="K042-FD2").', ["reset_breaker FD2"]),
    ('`check_leds(unit_id="K042-BB")` and then `check_breakers()`',
     ["check_leds BB", "check_breakers"]),
    ("Run clean_connector on K042-P", ["clean_connector P"]),
    ('Good. Next: clean_connector(port_id="K042-O2/rru"), then '
     'measure_optical_power {"port_id": "K042-O2/rru"}.',
     ["clean_connector O2/rru", "measure_optical_power O2/rru"]),
    ("check the LEDs of K042-R1, K042-R2 and K042-R3",
     ["check_leds R1", "check_leds R2", "check_leds R3"]),
    ("check all radio units", ["check_leds R1", "check_leds R2", "check_leds R3"]),
    ("Look at the lamps of the baseband board.", ["check_leds BB"]),
    ("What do the LEDs of the main board show?", ["check_leds BM"]),
    ("Tell me whether the fans are turning.", ["check_leds FAN1", "check_leds FAN2"]),
    ("Is the breaker of sector 2 closed?", ["check_breakers"]),
    ("Start the generator, then measure the AC input voltage.",
     ["start_generator", "measure_voltage ac_in"]),
    ("Measure voltage on the DC bus and at the battery.",
     ["measure_voltage dc_bus", "measure_voltage battery"]),
    ("Reset the air conditioner and read the temperature.", ["reset_aircon", "read_thermometer"]),
    ("How hot is it in there?", ["read_thermometer"]),
    ("Please inspect the generator", ["inspect AC0"]),
    ("Confirm RF isolation of K042-R2, then repair the jumper of K042-A2.",
     ["confirm_rf_isolation R2", "repair_antenna_line A2 jumper"]),
    ("Make sure that the RRU of sector 1 does not transmit", ["confirm_rf_isolation R1"]),
    ("Measure the VSWR of the antenna line in sector 1.", ["measure_vswr_dtf A1"]),
    ("Do a DTF sweep on K042-A3", ["measure_vswr_dtf A3"]),
    ("Repair the antenna line A2, segment feeder.", ["repair_antenna_line A2 feeder"]),
    ("Please shoot the uplink fibre with the OTDR and tell me the distance to the break.",
     ["otdr P"]),
    ("Check the fibre O2 for a break", ["otdr O2"]),
    ("Splice the uplink.", ["splice_fibre L"]),
    ("Swap the SFP at K042-O2/rru for SP771.", ["replace_sfp O2/rru SP771"]),
    ("Replace the optical module of the uplink with SP200", ["replace_sfp P SP200"]),
    ("Replace SFP on both ends of O3 with SP1 and SP2",
     ["replace_sfp O3/bbu SP1", "replace_sfp O3/rru SP2"]),
    ("Replace the baseband board with spare SP440.", ["replace_module baseband BB SP440"]),
    ("Please swap rectifier K042-RE1 with SP101", ["replace_module rectifier RE1 SP101"]),
    ("change fan 1, use SP222", ["replace_module fan FAN1 SP222"]),
    ("check the fan FAN1 and replace it with SP12",
     ["check_leds FAN1", "replace_module fan FAN1 SP12"]),
    ("Replace the GNSS antenna with SP901 after checking it.",
     ["check_gnss_antenna", "replace_module gnss_antenna GNSS SP901"]),
    ("Replace the RET of sector 2 with SP555", ["replace_module ret T2 SP555"]),
    ("Replace the CPRI fibre of sector 3", ["replace_fibre O3"]),
    ("clean the fibre end at the BBU side of sector 2", ["clean_connector O2/bbu"]),
    ("Clean the antenna connector of sector 1", ["clean_connector A1"]),
    ("Measure the optical power at K042-P after cleaning the connector.",
     ["clean_connector P", "measure_optical_power P"]),
    ("inspect the connector of antenna line A1", ["inspect A1"]),
    ("Look at the end face of K042-O1/bbu", ["inspect O1/bbu"]),
    ("Read the label of slot RE2", ["read_asset_label RE2"]),
    ("What spares do you have?", ["list_spares"]),
    ("Turn breaker FD1 back on", ["reset_breaker FD1"]),
    ("Check if FD2 is open and close it.", ["check_breakers", "reset_breaker FD2"]),
    ("You can go home now, thank you.", ["leave_site"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "calls"), CORPUS)
def test_plain_words_become_calls(text: str, calls: list[str]) -> None:
    heard = hear(text)
    assert [short(step) for step in heard.steps] == calls
    assert all(not step.lacks for step in heard.steps if isinstance(step, Step))


HANDS_OFF: list[tuple[str, list[str]]] = [
    ("Do not reset the breaker. Check the LEDs of the RRU in sector 3.", ["check_leds R3"]),
    ("Don't touch anything else, just measure the voltage of the battery.",
     ["measure_voltage battery"]),
    ("Do not start the generator and do not reset any breaker; only measure the mains.",
     ["measure_voltage ac_in"]),
    ("Do not replace the RRU, the fibre or reset the breaker.", []),
    ("Do not, please, reset the breaker FD2.", []),
    ("You must never ever start the generator", []),
    ('Don\'t run reset_breaker(feed="K042-FD2")', []),
    ("Please do not call start_generator(). Run check_breakers().", ["check_breakers"]),
    ("You don't need to clean anything. Replace the SFP at P with SP9.", ["replace_sfp P SP9"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "calls"), HANDS_OFF)
def test_what_he_shall_not_do_he_leaves(text: str, calls: list[str]) -> None:
    heard = hear(text)
    assert [short(step) for step in heard.steps] == calls
    assert heard.forbidden


@pytest.mark.parametrize(
    "text",
    [
        "If the breaker trips again, replace the RRU of sector 2 with SP312.",
        "Replace the RRU of sector 2 with SP312 if the breaker trips again.",
        "Unless it holds, please replace K042-R2 with SP312.",
        "Can you check whether feed FD2 is closed, and if not close it?",
    ],
)
def test_an_if_is_left_to_the_agent(text: str) -> None:
    heard = hear(text)
    assert heard.conditional
    assert not {step.tool for step in heard.steps if isinstance(step, Step)} & WRITES


NO_ORDERS = [
    "The breaker was reset twice yesterday; the RRU was replaced in May.",
    "We have closed the breaker already.",
    "I will lock the cell and reset the board. Please wait.",
    'He said "close FD2" but that was yesterday.',
    "It would be good to have the fan replaced.",
    "Did you close the breaker FD2?",
    "Close to K042-R1 there is a ladder.",
    "Reset of FD2 was done by the NOC.",
    "Somebody reset FD2 and cleaned K042-P.",
]


@pytest.mark.parametrize("text", NO_ORDERS)
def test_a_story_is_no_order(text: str) -> None:
    assert not {step.tool for step in hear(text).steps if isinstance(step, Step)} & WRITES


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Replace the fan.", "which fan"),
        ("Reset the breaker.", "which feed"),
        ("Repair the antenna line of sector 2", "which segment"),
        ("Clean the connector.", "which connector"),
        ("Clean the end of O2", "which end"),
        ("Measure the voltage", "which point"),
        ("Check the LEDs.", "which unit"),
        ("Please recalibrate the flux capacitor.", "no tool"),
        ("Reboot the baseband board", "no tool"),
        ("Switch off breaker FD1", "no tool"),
        ("Reset it.", "reset what"),
        ("Replace what is broken.", "replace what"),
        ("Fix the site!", "fix what"),
        ("reset_board(board_id='K042-BB')", "reset_board"),
        ("reset_breaker(feed=)", "arguments of reset_breaker"),
    ],
)
def test_what_is_not_clear_is_asked(text: str, asks: str) -> None:
    (step,) = hear(text).steps
    assert isinstance(step, Unclear)
    assert asks in step.why


def test_the_site_comes_from_the_words_or_the_dispatch() -> None:
    (step,) = hear("Close feed K077-FD2.", SITE).steps
    assert isinstance(step, Step)
    assert step.arguments == {"feed": "K077-FD2"}
    (step,) = hear("Close feed FD2.", None).steps
    assert isinstance(step, Unclear)
    assert "which site" in step.why


def test_a_missing_spare_is_left_open() -> None:
    (step,) = hear("Replace K042-R2.").steps
    assert isinstance(step, Step)
    assert step.lacks == "rru"


SUBJECTS = ["The customer", "I", "We", "The NOC", "My colleague", "The breaker", "It", "Nobody"]
DEEDS = ["reset", "closed", "replaced", "cleaned", "has started", "will repair", "may close",
         "did not splice", "had to swap", "wants to clean", "should have fixed"]  # fmt: skip
THINGS = ["feed FD2", "K042-P", "the generator", "the RRU of sector 2 with SP312", "K042-A1",
          "the uplink", "the air conditioner", "fan FAN1 with SP9", "O1/bbu"]  # fmt: skip
WHENS = ["yesterday", "last week", "because of the storm", "as the ticket says", "twice"]
stories = st.tuples(*map(st.sampled_from, (SUBJECTS, DEEDS, THINGS, WHENS))).map(
    lambda words: " ".join(words) + "."
)


@settings(max_examples=300, deadline=None)
@given(st.lists(stories, min_size=1, max_size=4).map(" ".join))
@example("The NOC reset feed FD2 yesterday. I closed K042-P twice.")
def test_stories_lead_to_no_write(text: str) -> None:
    assert not {step.tool for step in hear(text).steps if isinstance(step, Step)} & WRITES


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
@example("⟦0⟧")
@example("check_leds(" * 50)
def test_any_text_is_survived(text: str) -> None:
    assert isinstance(hear(text), Heard)


NO_LATIN = st.characters(exclude_characters=string.ascii_letters)


@settings(max_examples=200, deadline=None)
@given(st.text(NO_LATIN, max_size=200))
def test_text_without_a_word_of_an_order_leads_to_no_write(text: str) -> None:
    assert not {step.tool for step in hear(text).steps if isinstance(step, Step)} & WRITES


REPAIRS = [
    text for text, calls in CORPUS
    if len(calls) == 1 and calls[0].split()[0] in WRITES and text.split()[0].lower() in (
        "clean", "replace", "repair", "splice", "swap", "change", "turn"
    )
]  # fmt: skip


@pytest.mark.parametrize("no", ["Do not", "Please don't", "You must never", "There is no need to"])
@pytest.mark.parametrize("text", REPAIRS)
def test_a_forbidden_repair_is_never_done(text: str, no: str) -> None:
    heard = hear(f"{no} {text[0].lower()}{text[1:]}")
    assert heard.steps == ()
    assert heard.forbidden
