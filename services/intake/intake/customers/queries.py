"""Reading customers, as much of them as the reader needs (REC-05)."""

from uuid import UUID

from bihuan.intake.v1 import customers_pb2
from servicekit.customerkeys import unseal_if_whole
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer

from intake.customers import store
from intake.customers.privacy import mask_email, mask_name, mask_phone
from intake.customers.store import key_of
from intake.customers.tables import Customer


async def find_visible(tx: UnitOfWork, principal: Principal, customer_id: UUID) -> Customer:
    """Raises Fault("customer_unknown") or Fault("domain_forbidden")."""
    if principal.is_customer and principal.customer_id != str(customer_id):
        raise Fault("customer_unknown")
    customer = await store.find(tx, customer_id)
    if not principal.is_customer:
        principal.require_region(customer.region)
    return customer


async def find_by_phone(tx: UnitOfWork, sealer: Sealer, principal: Principal, phone: str) -> list[Customer]:
    """Whom a caller's number may be: none, one, or several who share it, as far as the principal may see them."""
    customers = await store.find_by_phone(tx, sealer, phone)
    return [customer for customer in customers if principal.may_see(customer.region)]


def customer_message(sealer: Sealer, principal: Principal, customer: Customer) -> customers_pb2.Customer:
    """The customer; masked unless they ask themselves or somebody who speaks with them does.

    A name, number or address that is damaged is left empty: it hides neither the others nor other customers.
    """
    key = key_of(customer)
    name, phone, email = (
        unseal_if_whole(sealer, key, sealed or b"") or ""
        for sealed in (customer.sealed_name, customer.sealed_phone, customer.sealed_email)
    )
    if not (principal.is_customer or principal.has("agent", "supervisor")):
        name, phone, email = mask_name(name), mask_phone(phone), mask_email(email)
    return customers_pb2.Customer(
        customer_id=str(customer.customer_id),
        version=customer.version,
        name=name,
        phone=phone,
        email=email,
        region=customer.region,
        language=customer.language,
        registered_at=customer.registered_at,
        erased=customer.erased_at is not None,
    )
