"""Agents that act in a world, and the runner that lets many of them act at once."""
