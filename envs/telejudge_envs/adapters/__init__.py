"""Worlds for other people's programs: one thin file each. They see seats, never episodes."""
