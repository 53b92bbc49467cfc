"""Who is calling: known customers are found by id or number, others are registered (INT-01, REC-05).

Somebody who signed in is who their token says: with their first request they are registered under that id. The number
that they give is no proof, so that calls from it are not taken for theirs.
"""

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
    names = [_names(sealer, caller) for caller in callers]
    known = _by_name(
        await store.lock_callers(
            tx,
            {caller.customer_id for caller in callers if caller.customer_id is not None},
            {name for each in names for name in each if isinstance(name, bytes)},
        )
    )
    newcomers = {
        each[0]: _newcomer(caller)
        for caller, each in zip(callers, names, strict=True)
        if _may_be_new(caller) and known.keys().isdisjoint(each)
    }
    if newcomers:
        known |= _by_name(await store.register(tx, sealer, list(newcomers.values())))
    return [
        _permitted(caller, next((known[name] for name in each if name in known), None))
        for caller, each in zip(callers, names, strict=True)
    ]


def _names(sealer: Sealer, caller: Caller) -> tuple[UUID | bytes, ...]:
    """By what the caller is found: their id, or the index of their number in its spellings, the usual one first."""
    return (caller.customer_id,) if caller.customer_id else store.phone_indexes(sealer, caller.phone)


def _by_name(customers: Sequence[Customer]) -> dict[UUID | bytes, Customer]:
    found: dict[UUID | bytes, Customer] = {}
    for customer in customers:
        found[customer.customer_id] = customer
        if customer.phone_index is not None:
            found[customer.phone_index] = customer
    return found


def _may_be_new(caller: Caller) -> bool:
    return caller.customer_id is None or caller.principal.is_customer


def _newcomer(caller: Caller) -> NewCustomer:
    return NewCustomer(
        customer_id=caller.customer_id or uuid7(),
        recognised_by_phone=caller.customer_id is None,
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
