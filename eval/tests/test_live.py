"""What is told of a training while it runs, in a log file."""

from __future__ import annotations

from itertools import count

import pytest

from telejudge_eval.live import event_lines, step_lines
from telejudge_training.events import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds from one look to the next."""
    times = count(0.0, 10.0)
    monkeypatch.setattr("telejudge_eval.live.time.monotonic", lambda: next(times))


@pytest.mark.usefixtures("clock")
def test_a_line_says_what_is_left_at_the_pace_so_far(capsys):
    show = step_lines(["loss"])
    for step in (20, 40, 60):
        show(step, 100, {"phase": "train", "loss": 0.5})
    assert capsys.readouterr().out.splitlines() == [
        "    20/100 train loss 0.5000",
        "    40/100 train loss 0.5000  about 30 s left",
        "    60/100 train loss 0.5000  about 20 s left",
    ]


@pytest.mark.usefixtures("clock")
def test_training_that_begins_again_is_timed_anew(capsys):
    """Between two rounds of sparring other work is done, which says nothing of the next."""
    show = step_lines([])
    for step in (50, 100, 50, 75):
        show(step, 100, {"phase": "dev"})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[2:] == ["50/100 dev", "75/100 dev about 10 s left"]


@pytest.mark.usefixtures("clock")
def test_every_tenth_step_of_an_agent_is_told(capsys):
    emit = event_lines()
    for step in range(1, 21):
        emit(Progress("grpo", step, 40, {"reward": 0.25}))
    assert capsys.readouterr().out.splitlines() == [
        "GRPO on verdicts 10/40  reward 0.25  about 5 min left",
        "GRPO on verdicts 20/40  reward 0.25  about 3 min left",
    ]
