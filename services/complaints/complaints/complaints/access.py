"""Who may see a complaint (REC-05, GWY-08). Pure; roles per method are checked before, from the contract."""

from servicekit.errors import Fault
from servicekit.identity import Principal

from complaints.complaints.complaint import Complaint


def require_visible(complaint: Complaint, principal: Principal, reference: str) -> None:
    """Customers see their own complaints, everybody else those of their domain.

    Raises Fault complaint_unknown where even the existence is nobody else's business, else domain_forbidden.
    """
    if principal.is_customer:
        if str(complaint.customer_id) != principal.customer_id:
            raise Fault("complaint_unknown", complaint=reference)
    else:
        principal.require_region(complaint.region)


def may_read_words(principal: Principal) -> bool:
    """The customer's own words are for the customer and those who serve them."""
    return principal.is_customer or principal.has("agent", "complaint_handler", "supervisor", "channel")
