"""Who may see and do what, beyond the roles in the contracts (GWY-08): the desk in its region, engineers their own."""

from servicekit.errors import Fault
from servicekit.identity import Principal

DESK = ("dispatcher", "supervisor", "administrator")


def require_may_read(principal: Principal, *, user_id: str, region: str) -> None:
    """`user_id` is the engineer whom it belongs to; empty while it belongs to nobody.

    Raises Fault not_yours for a colleague's, when an engineer asks; domain_forbidden for another region's.
    """
    if principal.is_engineer:
        _require_self(principal, user_id)
    else:
        principal.require_region(region)


def require_may_act(principal: Principal, *, user_id: str, region: str) -> None:
    """The desk acts in its region; everybody else only as the engineer whom it belongs to. Raises as above."""
    if principal.has(*DESK):
        principal.require_region(region)
    else:
        _require_self(principal, user_id)


def _require_self(principal: Principal, user_id: str) -> None:
    if principal.user_id != user_id:
        raise Fault("not_yours")
