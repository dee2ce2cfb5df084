"""The base-station world: a radio access network with alarms, writes and an on-site technician."""
