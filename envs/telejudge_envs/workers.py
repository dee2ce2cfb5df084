"""Processes that help: they never hear Ctrl-C, which is for the process that started them.

with pool(processes) as helpers:
    yield from helpers.imap(work, jobs)
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from multiprocessing.pool import Pool


@contextlib.contextmanager
def pool(processes: int) -> Iterator[Pool]:
    """Fresh processes, ended with the block, however that is left."""
    with deaf_to_ctrl_c():
        helpers = multiprocessing.get_context("spawn").Pool(processes)
    with helpers:
        yield helpers


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """What is started meanwhile never hears Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so, and only it is interrupted
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
