"""How a field technician comes, goes, and makes a radio unit safe to work on.

    kit.travel_to_site("K042")  -> {"effect": "T1 is at K042", "needs_verification": []}

Nothing here repairs anything.
"""

from __future__ import annotations

from telejudge_envs.base_station.field_site import Done, acting, certified, done, here, own_part
from telejudge_envs.base_station.toolkit import ToolError, Toolkit, write


class VisitWrites(Toolkit):
    """Coming, going, and safety on the mast."""

    @write(minutes=0)
    def travel_to_site(self, site_id: str) -> Done:
        """Drive to the site that the technician was dispatched to.

        Args:
            site_id: The site.
        """
        who = acting(self.db)
        if site_id not in self.db.sites:
            raise ToolError(f"there is no site '{site_id}'; {who.id} is sent to {who.assigned}")
        if site_id != who.assigned:
            raise ToolError(
                f"{who.id} is dispatched to {who.assigned}, not to {site_id}; "
                "travel there, or dispatch anew"
            )
        if who.location == site_id:
            raise ToolError(f"{who.id} is at {site_id} already; go on with the work")
        who.location = site_id
        self.db.clock_min += who.travel_min  # what list_resources says of him
        return done(f"{who.id} is at {site_id}")

    @write(minutes=5)
    def leave_site(self) -> Done:
        """Pack up and drive away; the dispatch is over."""
        who, site = acting(self.db), here(self.db)
        who.location, who.assigned, who.parts = None, None, []
        return done(f"{who.id} has left {site.id}")

    @write(minutes=5)
    def confirm_rf_isolation(self, rru_id: str) -> Done:
        """Measure with the RF monitor that a radio unit does not transmit, and tag it out.

        Args:
            rru_id: The radio unit.
        """
        rru = own_part(self.db, rru_id, "rru")
        certified(self.db, "rf")
        cell = here(self.db).cells[rru.sector - 1]
        if cell.administrativeState != "LOCKED":
            raise ToolError(
                f"{rru_id} may transmit at any time: cell {cell.id} is UNLOCKED; "
                "have it locked first with lock_cell"
            )
        rru.thing.isolated = True
        return done(f"{rru_id} does not transmit; tagged out for work on the antenna line")
