"""verl trains over our worlds; nothing in here is imported unless somebody asks for it.

`plugin.py` is what verl loads in each of its processes. `barrier.py`, `session.py`, `data.py` and
`settings.py` know nothing of verl; `loop.py`, `advantage.py`, `cpu/` and `patches.py` touch it, and
`patches.py` holds all that is not meant to be touched.
"""
