"""Who is calling: known customers are found by id or number, others are registered (INT-01, REC-05)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.sealing import Sealer

from intake.customers import store
from intake.customers.store import NewCustomer
from intake.customers.tables import Customer


@dataclass(frozen=True)
class Caller:
    """What one request says about who makes it; `principal` speaks for them or is them."""

    principal: Principal
    customer_id: UUID | None
    phone: str
    name: str
    region: str
    language: str
    traceparent: str


async def find_callers(tx: UnitOfWork, sealer: Sealer, callers: Sequence[Caller]) -> list[Customer | Fault]:
    """For each caller their customer, or what forbids to act for them."""
    indexes = [None if caller.customer_id else store.phone_index(sealer, caller.phone) for caller in callers]
    known = await store.lock_callers(
        tx,
        {caller.customer_id for caller in callers if caller.customer_id is not None},
        {index for index in indexes if index is not None},
    )
    by_id = {customer.customer_id: customer for customer in known}
    by_index = {customer.phone_index: customer for customer in known if customer.phone_index is not None}
    newcomers = {
        index: _newcomer(caller)
        for caller, index in zip(callers, indexes, strict=True)
        if index is not None and index not in by_index
    }
    if newcomers:
        by_index |= await store.register(tx, sealer, list(newcomers.values()))
    return [
        _permitted(caller, by_id.get(caller.customer_id) if caller.customer_id else by_index.get(index or b""))
        for caller, index in zip(callers, indexes, strict=True)
    ]


def _newcomer(caller: Caller) -> NewCustomer:
    return NewCustomer(
        customer_id=uuid7(),
        region=caller.region,
        language=caller.language,
        name=caller.name,
        phone=caller.phone,
        traceparent=caller.traceparent,
    )


def _permitted(caller: Caller, customer: Customer | None) -> Customer | Fault:
    if customer is None:
        return Fault("customer_unknown", field="caller.customer_id")
    if customer.erased_at is not None:
        return Fault("customer_erased", field="caller.customer_id")
    if not caller.principal.is_customer and not caller.principal.may_see(customer.region):
        return Fault("domain_forbidden", field="caller", region=customer.region)
    return customer
