"""A run's log beside its record: how far it was when, what was warned of, how it ended.

    log = RunLog(Path("runs/x/record.json"))     # runs/x/run.log, with the first line that is told
    log.close("interrupted")

Times are UTC. Lines of progress go in on a terminal too, where they are a bar; of other packages,
warnings alone. Started again, a run goes on in the same file.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

OURS = "telejudge"


class RunLog:
    """`record`: the path of the record."""

    def __init__(self, record: Path) -> None:
        self.path = record.with_name(_name(record.name))
        self._handler = logging.FileHandler(self.path, encoding="utf-8", delay=True)
        form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        form.converter = time.gmtime
        self._handler.setFormatter(form)
        self._handler.addFilter(_is_wanted)
        self._added = [self._handler, *_usual_handlers()]
        for handler in self._added:
            logging.getLogger().addHandler(handler)
        ours = logging.getLogger(OURS)
        self._level = ours.level
        ours.setLevel(logging.INFO)

    def close(self, state: str, why: str = "") -> None:
        """A run that had nothing to tell has no log."""
        ours = logging.getLogger(OURS)
        if self.path.exists():
            ours.info("%s", f"{state}: {why}" if why else state)
        ours.setLevel(self._level)
        for handler in self._added:
            logging.getLogger().removeHandler(handler)
        self._handler.close()


def _name(record: str) -> str:
    return "run.log" if record == "record.json" else record.removesuffix(".json") + ".log"


def _is_wanted(line: logging.LogRecord) -> bool:
    return line.levelno >= logging.WARNING or line.name.split(".")[0] == OURS


def _usual_handlers() -> list[logging.Handler]:
    """Where nobody set logging up, warnings go to standard error as long as nobody does."""
    last = logging.lastResort
    return [last] if last is not None and not logging.getLogger().handlers else []
