"""Who a request comes from: people who signed in, and numbers in all their forms (INT-01, INT-16)."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from bihuan.intake.v1 import events_pb2
from intake.customers import queries, store
from intake.customers.queries import customer_message
from intake.customers.store import NewCustomer
from intake.customers.tables import CUSTOMERS
from servicekit.identity import Principal
from sqlalchemy import update


@pytest.fixture
def signed_in() -> Principal:
    """Somebody whom the identity provider knows, and intake does not yet."""
    return Principal("customer", frozenset({"customer"}), customer_id=str(uuid4()))


async def test_int01_who_signed_in_is_registered_with_their_first_request(
    office, a_request, signed_in: Principal
) -> None:
    first, again = await asyncio.gather(
        *(office.open(a_request(phone="", customer_id=signed_in.customer_id), signed_in) for _ in range(2))
    )
    assert first.customer.customer_id == again.customer.customer_id == UUID(signed_in.customer_id)
    assert first.case.case_id == again.case.case_id
    assert len(await office.sent(events_pb2.CustomerRegistered)) == 1


async def test_int01_a_number_that_somebody_claims_to_have_stays_its_owners(
    office, a_request, app: Principal, signed_in: Principal
) -> None:
    """A customer's own word is no proof: neither are they taken for the owner, nor are the owner's calls for theirs."""
    claimed = await office.open(a_request(), signed_in)
    owner = await office.open(a_request(), app)
    again = await office.open(a_request(), signed_in)
    assert claimed.customer.customer_id == again.customer.customer_id == UUID(signed_in.customer_id)
    assert owner.customer.customer_id != claimed.customer.customer_id
    async with office.database.transaction("find") as tx:
        found = await queries.find_by_phone(tx, office.desk.sealer, app, "13800138000")
    assert [customer.customer_id for customer in found] == [owner.customer.customer_id]
    shown = customer_message(office.desk.sealer, signed_in, claimed.customer)
    assert shown.phone == "13800138000", "it is kept to reach them"


async def test_int01_one_number_is_one_customer_however_it_is_written(office, a_request, app: Principal) -> None:
    written = ["13800138000", "+8613800138000", "8613800138000", "008613800138000"]
    opened = await asyncio.gather(*(office.open(a_request(phone=phone), app) for phone in written))
    assert len({each.customer.customer_id for each in opened}) == 1


async def test_int01_who_was_registered_before_numbers_had_one_form_is_still_known(
    office, a_request, app: Principal
) -> None:
    earlier = await office.open(a_request(), app)
    sealer = office.desk.sealer
    as_written = sealer.blind_index("phone:13800138000")
    async with office.database.transaction("as it was") as tx:
        await tx.execute(update(CUSTOMERS).values(phone_index=as_written))
    assert (await office.open(a_request(phone="+8613800138000"), app)).customer.customer_id == (
        earlier.customer.customer_id
    )
    # At that time the same number could be registered twice: then both are named, for the caller to say who it is.
    twin = NewCustomer(uuid4(), "cn.sc", "en", "李四", "+8613800138000")
    async with office.database.transaction("twin") as tx:
        await store.register(tx, sealer, [twin])
    for principal, count in ((app, 2), (replace(app, domain="cn.gd"), 1)):
        async with office.database.transaction("find") as tx:
            assert len(await queries.find_by_phone(tx, sealer, principal, "13800138000")) == count
