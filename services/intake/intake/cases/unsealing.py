"""Opening texts that other services hold sealed (REC-05, REC-06)."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.customerkeys import unseal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer

from intake.cases.queries import find_visible
from intake.customers import queries as customers
from intake.customers import store
from intake.customers.store import key_of


async def unseal_texts(
    tx: UnitOfWork,
    sealer: Sealer,
    principal: Principal,
    customer_id: UUID,
    sealed: Sequence[bytes],
    *,
    case_id: str = "",
) -> tuple[list[str], bool]:
    """The texts in the order asked, empty after erasure; and whether the customer was erased.

    Texts of a case are for those who may see the case, wherever its customer is registered. Raises
    Fault("domain_forbidden"), Fault("case_unknown"), Fault("customer_unknown") also for another customer's case, and
    Fault("sealed_text_invalid") for a text that was not sealed for this customer.
    """
    if case_id:
        case = await find_visible(tx, principal, case_id)
        if case.customer_id != customer_id:
            raise Fault("customer_unknown")
        customer = await store.find(tx, customer_id)
    else:
        customer = await customers.find_visible(tx, principal, customer_id)
    return [unseal(sealer, key_of(customer), text) for text in sealed], customer.erased_at is not None
