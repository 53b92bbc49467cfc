"""Who may see what, beyond the roles in the contracts (GWY-08): a partner itself, staff everybody."""

from servicekit.errors import Fault
from servicekit.identity import Principal

STAFF = ("administrator", "auditor")


def require_own(principal: Principal, partner: str) -> None:
    """Raises Fault partner_forbidden for another partner, whether there is one of that name or not."""
    if not principal.has(*STAFF) and principal.user_id != partner:
        raise Fault("partner_forbidden", field="partner", partner=partner)


def visible_partner(principal: Principal) -> str:
    """Whom a list may show: the caller alone; empty is everybody."""
    return "" if principal.has(*STAFF) else principal.user_id
