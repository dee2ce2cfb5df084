"""Agents that follow a script instead of a model: gold, engineer, imperfect expert, exploits."""
