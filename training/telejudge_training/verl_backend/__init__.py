"""verl trains over our worlds; nothing in here is imported unless somebody asks for it.

`plugin.py` is what verl loads in each of its processes. `barrier.py`, `shares.py`, `office.py`,
`record.py`, `data.py`, `recipe.py` and `settings.py` know nothing of verl; `loop.py`,
`continuous.py`, `advantage.py`, `configure.py` and `cpu/` use what verl offers, and `patches.py`
holds the rest.
"""
