"""A picture of a base-station task: its topology, and its alarms as they came in.

    draw_task(world.task("bs-train-0003"), Path("storm.png"))

Needs the extra `report` (matplotlib).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.episode import clock
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.spec import build
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.tasks import spec_of
from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.task import Task

COLOURS = {"CRITICAL": "#b3261e", "MAJOR": "#e07a1f", "MINOR": "#d9b310", "WARNING": "#4a7fb5"}
UP, DOWN, HELD = "#3c8d5a", "#b3261e", "#8a8a8a"


def draw_task(task: Task, path: Path) -> Path:
    """Draw the world as the agent finds it. Raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    db = build(spec_of(task))
    figure = Figure(figsize=(14, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    _topology(left, db)
    _storm(right, db)
    figure.suptitle(f"{task.id} as the ticket finds it, {clock(db.clock_min)}", fontsize=12)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def _topology(axes: Any, db: RanDB) -> None:
    axes.set_title(f"{db.topology}: green serves, red does not, grey is LOCKED")
    axes.axis("off")
    sites = list(db.sites.values())
    middle = (len(sites) - 1) / 2
    trunk = db.hub.ports[0].admin == "up"
    axes.plot([-2.0, -1.0], [middle, middle], color=UP if trunk else DOWN, lw=3)
    axes.text(-2.0, middle + 0.12, f"hub {db.hub.id}", ha="center", fontsize=10, weight="bold")
    axes.plot([-2.0], [middle], "s", ms=16, color="#334155")
    axes.text(-1.5, middle + 0.06, "P0", ha="center", fontsize=8, color="#555")
    for row, site in enumerate(sites):
        whole = db.links[site.id].cut_at_m is None and trunk
        axes.plot([-1.0, 0.0], [middle, row], color=UP if whole else DOWN, lw=2)
        _site(axes, db, site, row)
    axes.set_xlim(-2.7, 2.6)
    axes.set_ylim(-0.7, max(len(sites) - 0.3, 0.8))


def _site(axes: Any, db: RanDB, site: Site, row: int) -> None:
    seen = observe(db)[site.id]
    axes.plot([0.0], [row], "^", ms=18, color="#334155" if seen["reach"] else "#bbbbbb")
    focus = " (ticket)" if site.id == db.focus else ""
    axes.text(0.0, row - 0.24, f"{site.id}{focus}", ha="center", fontsize=9)
    for cell in site.cells:
        locked = cell.administrativeState == "LOCKED"
        colour = HELD if locked else UP if seen[f"traffic.{cell.sector}"] else DOWN
        x = 0.45 + 0.62 * cell.sector
        axes.plot([0.12, x - 0.12], [row, row], color="#cccccc", lw=1, zorder=0)
        axes.plot([x], [row], "o", ms=15, color=colour)
        axes.text(x, row - 0.24, f"C{cell.sector} {cell.rat}", ha="center", fontsize=7)


def _storm(axes: Any, db: RanDB) -> None:
    """One mark an alarm, by the minute it was raised; the ticket's minute is the line."""
    alarms = sorted(active(db), key=lambda a: (a.alarmRaisedTime, a.alarmId))
    recent = [a for a in alarms if db.started_min - a.alarmRaisedTime < 24 * 60]
    axes.set_title(f"{len(recent)} alarms of the last day ({len(alarms) - len(recent)} older)")
    for row, alarm in enumerate(recent):
        minute = alarm.alarmRaisedTime - db.started_min
        colour = COLOURS.get(alarm.perceivedSeverity, "#777777")
        axes.plot([minute, 0], [row, row], color=colour, lw=1, alpha=0.4)
        axes.plot([minute], [row], "D", ms=6, color=colour)
    names = [f"{a.objectInstance}  {a.specificProblem.split(':')[0]}" for a in recent]
    axes.set_yticks(range(len(recent)), names, fontsize=7)
    axes.invert_yaxis()
    axes.axvline(0, color="#333333", lw=1)
    axes.set_xlabel("minutes before the ticket")
    handles = [
        axes.plot([], [], "D", color=colour, label=name.lower())[0]
        for name, colour in COLOURS.items()
    ]
    axes.legend(handles=handles, loc="lower left", fontsize=8, frameon=False)
