"""Registering and erasing customers (INT-16, REC-05, REC-06)."""

from uuid import UUID

from bihuan.intake.v1 import customers_pb2, events_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.languages import Language
from sqlalchemy import update

from intake.customers import store
from intake.customers.store import NewCustomer
from intake.customers.tables import CUSTOMERS, Customer
from intake.desk import Desk
from intake.fingerprints import fingerprint_of

KEY_SCOPE = "register_customer"


async def register_customer(
    tx: UnitOfWork,
    desk: Desk,
    principal: Principal,
    request: customers_pb2.RegisterCustomerRequest,
    language: Language,
) -> Customer:
    """Registers a customer, or gives the one who has this number already.

    Raises Fault("region_unknown"), Fault("domain_forbidden") and Fault("idempotency_key_reused").
    """
    if request.region not in desk.standards.regions:
        raise Fault("region_unknown", field="region", region=request.region)
    principal.require_region(request.region)
    customer_id = await _claimed(tx, desk, principal, request)
    known = await store.lock_callers(tx, [customer_id], store.phone_indexes(desk.sealer, request.phone))
    if not known:
        newcomer = NewCustomer(
            customer_id=customer_id,
            region=request.region,
            language=request.language or language,
            name=request.name,
            phone=request.phone,
            email=request.email,
        )
        known = await store.register(tx, desk.sealer, [newcomer])
    principal.require_region(known[0].region)
    return known[0]


async def erase_customer(tx: UnitOfWork, principal: Principal, customer_id: UUID) -> Customer:
    """Destroys the customer's key: what was sealed with it is unreadable everywhere, the figures stay.

    Asked again, it is told again: a service that was restored from a backup has its key of them back. Raises
    Fault("customer_unknown") and Fault("domain_forbidden").
    """
    customer = await store.find(tx, customer_id, lock=True)
    principal.require_region(customer.region)
    erased = customer.model_copy()
    erased.version += 1
    erased.wrapped_key = erased.sealed_name = erased.sealed_phone = erased.sealed_email = erased.phone_index = None
    erased.erased_at = customer.erased_at or tx.now
    await tx.execute(update(CUSTOMERS).where(CUSTOMERS.c.customer_id == customer_id).values(erased.model_dump()))
    tx.emit(events_pb2.CustomerErased(customer_id=str(customer_id)), version=erased.version)
    return erased


async def _claimed(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: customers_pb2.RegisterCustomerRequest
) -> UUID:
    key = request.idempotency_key
    claim = {key: (desk.sealer.digest(fingerprint_of(request)), uuid7())}
    return (await tx.claim_keys(f"{KEY_SCOPE}:{principal.user_id}", claim))[key]
