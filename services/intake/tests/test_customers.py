"""Customers on a real database: registered once, masked, erased everywhere (INT-16, REC-05, REC-06)."""

import pytest
from bihuan.intake.v1 import customers_pb2, events_pb2
from hypothesis import given
from hypothesis import strategies as st
from intake.cases import queries as case_queries
from intake.cases.unsealing import unseal_texts
from intake.customers import commands, queries
from intake.customers.privacy import mask_email, mask_name, mask_phone
from intake.customers.queries import customer_message
from intake.desk import Desk
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import Principal


def a_registration(**changes: str) -> customers_pb2.RegisterCustomerRequest:
    facts = {"name": "张三丰", "phone": "13800138000", "email": "zhang@example.com", "region": "cn.gd.gz.tianhe"}
    return customers_pb2.RegisterCustomerRequest(**(facts | changes))


@pytest.fixture
def register(database: Database, desk: Desk):
    async def run(principal: Principal, **changes: str):
        request = a_registration(**changes)
        return await database.run(
            "register", lambda tx: commands.register_customer(tx, desk, principal, request, "zh-CN")
        )

    return run


async def test_a_number_is_registered_once(office, register, agent: Principal) -> None:
    first = await register(agent, idempotency_key="a")
    assert await register(agent, idempotency_key="a") == first
    assert await register(agent, phone="+8613800138000") == first
    assert len(await office.sent(events_pb2.CustomerRegistered)) == 1
    with pytest.raises(Fault, match="idempotency_key_reused"):
        await register(agent, idempotency_key="a", name="李四")


async def test_rec05_personal_fields_are_masked_for_who_need_not_see_them(
    desk: Desk, register, agent: Principal, app: Principal
) -> None:
    customer = await register(agent)
    seen = customer_message(desk.sealer, agent, customer)
    assert (seen.name, seen.phone, seen.email) == ("张三丰", "13800138000", "zhang@example.com")
    masked = customer_message(desk.sealer, app, customer)
    assert (masked.name, masked.phone, masked.email) == ("张**", "*******8000", "z***@example.com")


@given(st.text(min_size=6, max_size=40))
def test_rec05_masks_hide(text: str) -> None:
    assert mask_phone(text)[-4:] == text[-4:]
    assert set(mask_phone(text)[:-4]) == {"*"}
    assert len(mask_name(text)) == 3
    assert text not in mask_email(f"{text}@example.com")


async def test_rec06_erasing_destroys_every_text_and_keeps_the_figures(
    office, a_request, app: Principal, agent: Principal, supervisor: Principal
) -> None:
    opened = await office.open(a_request(), app)
    customer_id, sealed = opened.customer.customer_id, opened.case.sealed_description
    async with office.database.transaction("unseal") as tx:
        texts, erased = await unseal_texts(tx, office.desk.sealer, supervisor, customer_id, [sealed])
    assert (texts, erased) == (["光猫红灯，上不了网"], False)
    await office.database.run("erase", lambda tx: commands.erase_customer(tx, supervisor, customer_id))
    async with office.database.transaction("read") as tx:
        assert await unseal_texts(tx, office.desk.sealer, supervisor, customer_id, [sealed]) == ([""], True)
        case = await case_queries.find_visible(tx, agent, opened.case.case_number)
        (shown,) = await case_queries.show(tx, office.desk, agent, [case])
        customer = await queries.find_visible(tx, agent, customer_id)
    assert (shown.subject, shown.description) == ("", "")
    assert shown.classification.kind == "fault_repair"
    seen = customer_message(office.desk.sealer, agent, customer)
    assert (seen.name, seen.phone, seen.email, seen.erased) == ("", "", "", True)
    assert [event.customer_id for event in await office.sent(events_pb2.CustomerErased)] == [str(customer_id)]
    again = await office.database.run("erase", lambda tx: commands.erase_customer(tx, supervisor, customer_id))
    assert again.erased_at == customer.erased_at
    assert len(await office.sent(events_pb2.CustomerErased)) == 2, "services restored from a backup hear of it again"
    # The number belongs to nobody any more: who calls from it is somebody new.
    assert (await office.open(a_request(), app)).customer.customer_id != customer_id


async def test_rec05_what_is_damaged_of_a_customer_hides_no_customer(desk: Desk, register, agent: Principal) -> None:
    customer = await register(agent)
    seen = customer_message(desk.sealer, agent, customer.model_copy(update={"sealed_email": b"?"}))
    assert (seen.name, seen.phone, seen.email) == ("张三丰", "13800138000", "")
    seen = customer_message(desk.sealer, agent, customer.model_copy(update={"wrapped_key": b"?"}))
    assert (seen.customer_id, seen.name, seen.phone, seen.erased) == (str(customer.customer_id), "", "", False)


async def test_another_customers_text_can_not_be_opened(
    office, a_request, app: Principal, supervisor: Principal
) -> None:
    mine = await office.open(a_request(), app)
    theirs = await office.open(a_request(phone="13900000000"), app)
    with pytest.raises(Fault, match="sealed_text_invalid"):
        async with office.database.transaction("unseal") as tx:
            await unseal_texts(
                tx, office.desk.sealer, supervisor, mine.customer.customer_id, [theirs.case.sealed_description]
            )


async def test_rec05_a_cases_texts_are_for_those_who_may_see_the_case(
    office, a_request, app: Principal, supervisor: Principal
) -> None:
    """The customer is registered in Chengdu, and had trouble in Guangzhou, whose supervisor reads the case's texts."""
    abroad = await office.open(a_request(region="cn.sc.cd.wuhou"), app)
    here = await office.open(a_request(kind="inquiry"), app)
    other = await office.open(a_request(phone="13900000000"), app)
    customer_id, sealed = here.customer.customer_id, [here.case.sealed_description]

    async def read(**of_case: str) -> tuple[list[str], bool]:
        async with office.database.transaction("unseal") as tx:
            return await unseal_texts(tx, office.desk.sealer, supervisor, customer_id, sealed, **of_case)

    assert await read(case_id=str(here.case.case_id)) == (["光猫红灯，上不了网"], False)
    for case_id, code in (
        ("", "domain_forbidden"),
        (str(abroad.case.case_id), "domain_forbidden"),
        (str(other.case.case_id), "customer_unknown"),
    ):
        with pytest.raises(Fault, match=code):
            await read(case_id=case_id)


async def test_gwy08_foreign_regions_are_refused(register, agent: Principal) -> None:
    with pytest.raises(Fault, match="domain_forbidden"):
        await register(agent, region="cn.gd.sz")
    with pytest.raises(Fault, match="region_unknown"):
        await register(agent, region="cn.mars")
