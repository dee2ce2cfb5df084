"""Scripted agents of the base-station world: engineer, imperfect expert, exploits."""
