"""Reading and registering customers, many in one go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bihuan.intake.v1 import events_pb2
from servicekit.customerkeys import CustomerKey, seal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.sealing import Sealer
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from intake.customers.phones import canonical_phone, spellings
from intake.customers.tables import CUSTOMERS, Customer

_INSERT = insert(CUSTOMERS).on_conflict_do_nothing().returning(*CUSTOMERS.c)
# LATERAL with a limit makes PostgreSQL go by the indexes, whatever it thinks of the table's size, and lock in the order
# of the ids, so that two transactions with the same callers can't wait for each other in a circle.
_LOCK_CALLERS = """
SELECT locked.*
FROM (
    SELECT customer_id FROM unnest($1::uuid[]) AS ids (customer_id)
    UNION
    SELECT found.customer_id FROM unnest($2::bytea[]) AS phones (phone_index) CROSS JOIN LATERAL (
        SELECT customer_id FROM customers WHERE customers.phone_index = phones.phone_index LIMIT 1
    ) AS found
    ORDER BY customer_id
) AS wanted CROSS JOIN LATERAL (
    SELECT * FROM customers WHERE customers.customer_id = wanted.customer_id LIMIT 1 FOR NO KEY UPDATE
) AS locked
"""


@dataclass(frozen=True)
class NewCustomer:
    """Somebody who contacts us for the first time."""

    customer_id: UUID
    region: str
    language: str
    name: str
    phone: str
    email: str = ""
    traceparent: str = ""
    # The number is taken for theirs: who calls from it is recognised as this customer.
    recognised_by_phone: bool = True


async def find(tx: UnitOfWork, customer_id: UUID, *, lock: bool = False) -> Customer:
    """Raises Fault("customer_unknown")."""
    statement = select(CUSTOMERS).where(CUSTOMERS.c.customer_id == customer_id)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if row is None:
        raise Fault("customer_unknown")
    return _customer(row)


async def find_by_phone(tx: UnitOfWork, sealer: Sealer, phone: str) -> list[Customer]:
    """Everybody who is recognised by this number, the longest known first."""
    known = CUSTOMERS.c.phone_index.in_(phone_indexes(sealer, phone))
    rows = await tx.execute(select(CUSTOMERS).where(known).order_by(CUSTOMERS.c.customer_id))
    return [_customer(row) for row in rows.mappings()]


async def find_key(tx: UnitOfWork, customer_id: UUID) -> CustomerKey:
    """The customer's key, to seal for them and to open."""
    return (await find_keys(tx, [customer_id]))[customer_id]


async def find_keys(tx: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, CustomerKey]:
    """The keys of customers, to open what was sealed for them."""
    keys = select(CUSTOMERS.c.customer_id, CUSTOMERS.c.wrapped_key)
    statement = keys.where(CUSTOMERS.c.customer_id.in_(customer_ids))
    return {row.customer_id: CustomerKey(row.customer_id, row.wrapped_key) for row in await tx.execute(statement)}


async def lock_callers(
    tx: UnitOfWork, customer_ids: Collection[UUID], phone_indexes: Collection[bytes]
) -> list[Customer]:
    """Those of these ids and numbers who are known.

    Until the transaction ends nobody else opens a case for them: two reports of one problem at the same moment must
    find each other (INT-14).
    """
    return [_customer(row) for row in await tx.fetch(_LOCK_CALLERS, list(customer_ids), list(phone_indexes))]


async def register(tx: UnitOfWork, sealer: Sealer, newcomers: Sequence[NewCustomer]) -> list[Customer]:
    """Registers different people with different numbers, each with a key of their own.

    Where somebody else registered the number or the person in the meantime, that customer is given instead.
    """
    rows = [_sealed(tx, sealer, newcomer) for newcomer in newcomers]
    # One order for everybody, so that two transactions with the same people can't wait for each other in a circle.
    rows.sort(key=lambda row: (row["phone_index"] or b"", row["customer_id"]))
    registered = {row["customer_id"]: _customer(row) for row in (await tx.execute(_INSERT, rows)).mappings()}
    for newcomer in newcomers:
        if newcomer.customer_id in registered:
            event = events_pb2.CustomerRegistered(customer_id=str(newcomer.customer_id), region=newcomer.region)
            tx.emit(event, version=1, traceparent=newcomer.traceparent)
    others = [row for row in rows if row["customer_id"] not in registered]
    if not others:
        return list(registered.values())
    taken = or_(
        CUSTOMERS.c.customer_id.in_([row["customer_id"] for row in others]),
        CUSTOMERS.c.phone_index.in_([row["phone_index"] for row in others if row["phone_index"] is not None]),
    )
    statement = select(CUSTOMERS).where(taken).with_for_update(key_share=True)
    return [*registered.values(), *(_customer(row) for row in (await tx.execute(statement)).mappings())]


def key_of(customer: Customer) -> CustomerKey:
    return CustomerKey(customer.customer_id, customer.wrapped_key)


def _sealed(tx: UnitOfWork, sealer: Sealer, newcomer: NewCustomer) -> dict[str, Any]:
    key = CustomerKey(newcomer.customer_id, sealer.new_key())
    return {
        "customer_id": newcomer.customer_id,
        "version": 1,
        "region": newcomer.region,
        "language": newcomer.language,
        "wrapped_key": key.wrapped,
        "sealed_name": seal(sealer, key, newcomer.name),
        "sealed_phone": seal(sealer, key, newcomer.phone),
        "sealed_email": seal(sealer, key, newcomer.email),
        "phone_index": phone_index(sealer, newcomer.phone) if newcomer.recognised_by_phone else None,
        "registered_at": tx.now,
        "erased_at": None,
    }


def phone_index(sealer: Sealer, phone: str) -> bytes:
    """What finds the customer of a number, however it is written, without the number being stored."""
    return _index(sealer, canonical_phone(phone))


def phone_indexes(sealer: Sealer, phone: str) -> tuple[bytes, ...]:
    """The index of a number, and that under which it was registered while it was indexed as it was written."""
    return tuple(_index(sealer, spelling) for spelling in spellings(phone))


def _index(sealer: Sealer, digits: str) -> bytes:
    return sealer.blind_index(f"phone:{digits}")


def _customer(columns: Any) -> Customer:
    return Customer.model_validate(dict(columns))
