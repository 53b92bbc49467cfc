"""Who may agree to what others want: people of its region, never oneself, never twice (REC-03, REC-06). Pure."""

from collections.abc import Collection

from servicekit.errors import Fault
from servicekit.identity import Principal


def require_may_approve(principal: Principal, region: str, asked_by: str, approved_by: Collection[str]) -> None:
    """Raises Fault domain_forbidden, approval_own or approval_twice. The roles stand in the contract."""
    principal.require_region(region)
    if principal.user_id == asked_by:
        raise Fault("approval_own")
    if principal.user_id in approved_by:
        raise Fault("approval_twice")
