"""Who may see what, beyond the roles in the contracts (GWY-08): people their own, the training desk everybody's."""

from servicekit.errors import Fault
from servicekit.identity import Principal

DESK = ("trainer", "examiner", "supervisor", "quality_manager", "auditor", "administrator")


def require_may_read(principal: Principal, person: str) -> None:
    """Raises Fault not_yours for somebody else's training, exam or certificate."""
    if not principal.has(*DESK):
        require_self(principal, person)


def require_self(principal: Principal, person: str) -> None:
    """Nobody learns, or sits an exam, for somebody else. Raises Fault not_yours."""
    if principal.user_id != person:
        raise Fault("not_yours")


def visible_person(principal: Principal, asked: str) -> str:
    """Whose entries a list may show: the one asked for, or the caller's own; empty is everybody's."""
    return asked if principal.has(*DESK) else principal.user_id
