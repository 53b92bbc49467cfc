"""What every change of one case has in common: it is locked and checked first, and stored with its traces last."""

from servicekit.database import UnitOfWork
from servicekit.identity import Principal

from intake.cases import store, texts
from intake.cases.access import require_version, require_visible
from intake.cases.case import Case
from intake.cases.steps import Step
from intake.cases.texts import Text
from intake.customers.store import find_key
from intake.desk import Desk


async def take_in_hand(tx: UnitOfWork, principal: Principal, reference: str, expected_version: int = 0) -> Case:
    """The case, locked for this transaction and for this principal to change.

    Raises Fault("case_unknown"), Fault("domain_forbidden") or Fault("stale_version").
    """
    case = await store.lock(tx, reference)
    require_visible(case, principal, reference)
    require_version(case, expected_version)
    return case


async def put_back(
    tx: UnitOfWork, desk: Desk, before: Case, *steps: Step, actor: str, words: Text | None = None
) -> Case:
    """Stores the steps, and with them what somebody wrote on this occasion."""
    after = await store.save(tx, before, *steps, actor=actor)
    if words is not None and words.text:
        await texts.add(tx, desk.sealer, await find_key(tx, before.customer_id), before, [words])
    return after
