"""Who may use slots, beyond the roles in the contract (GWY-08)."""

from servicekit.errors import Fault
from servicekit.identity import Principal

from dispatch.slots.reservation import Reservation


def require_serves(principal: Principal, region: str) -> None:
    """Customers ask for where they live; everybody else for their own region. Raises Fault domain_forbidden."""
    if not principal.is_customer:
        principal.require_region(region)


def require_may_use(principal: Principal, reservation: Reservation) -> None:
    """Customers use what they hold themselves. Raises Fault not_yours or domain_forbidden."""
    if principal.is_customer:
        if reservation.held_by != principal.user_id:
            raise Fault("not_yours")
    else:
        principal.require_region(reservation.region)
