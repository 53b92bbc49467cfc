"""Who may see a case, and what of it (REC-05, GWY-08). Pure; roles per method are checked before, from the contract."""

from servicekit.errors import Fault
from servicekit.identity import Principal

from intake.cases.case import Case


def require_visible(case: Case, principal: Principal, reference: str) -> None:
    """Customers see their own cases, engineers those they handle, everybody else those of their domain.

    Raises Fault("case_unknown") where even the existence is nobody else's business, else Fault("domain_forbidden").
    """
    if principal.is_customer:
        if str(case.customer_id) != principal.customer_id:
            raise Fault("case_unknown", case=reference)
    elif principal.is_engineer:
        if case.handler_user_id != principal.user_id:
            raise Fault("case_unknown", case=reference)
    else:
        principal.require_region(case.region)


def require_version(case: Case, expected: int) -> None:
    """Raises Fault("stale_version") when the caller has seen another version; 0 means that they don't say."""
    if expected not in {0, case.version}:
        raise Fault("stale_version", version=case.version)


def may_read_description(principal: Principal) -> bool:
    """The customer's own words are for the customer and those who serve them; others work with the classification."""
    return principal.has("agent", "complaint_handler", "supervisor", "channel") or principal.is_customer
