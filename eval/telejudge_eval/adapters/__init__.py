"""Worlds and judges together for other people's programs: one thin file each."""
