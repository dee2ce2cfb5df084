"""Worlds to act in, the nouns that every wing shares, and the record of what happened.

Import from the defining module (`from telejudge_envs.nouns.task import Task`); this package
re-exports nothing, so importing it stays cheap.
"""

__version__ = "0.1.0"
