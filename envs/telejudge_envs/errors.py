"""The family of errors. Each message says what was wrong, where, and what to do."""

from __future__ import annotations


class TelejudgeError(Exception):
    """Base of all errors that telejudge raises on purpose."""


class UsageError(TelejudgeError):
    """The caller asked for something that does not exist or does not fit."""


class DataError(TelejudgeError):
    """A file or record is broken; the message names file and line."""


class EndpointError(TelejudgeError):
    """A model endpoint failed after all retries; `cause` is a short machine-readable word."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class PlayerError(TelejudgeError):
    """Whoever plays the user did not play him; `cause` is a short machine-readable word."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class MissingExtraError(TelejudgeError):
    """An optional dependency is not installed; `then` is a command needed after the extra's."""

    def __init__(self, package: str, extra: str, *, then: str = "") -> None:
        commands = [f"pip install 'telejudge[{extra}]'", *([then] if then else [])]
        super().__init__(f"{package} is not installed; run: {' && '.join(commands)}")
