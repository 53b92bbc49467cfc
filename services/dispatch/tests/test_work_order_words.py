"""What people write about a work order: sealed for dispatch and for the asker, gone after erasure (REC-05, REC-06)."""

import json
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import work_orders_pb2
from dispatch.words import KEYS
from dispatch.work_orders import queries
from servicekit.customerkeys import CustomerKey, erased_text, is_sealed, open_text, public_key
from servicekit.identity import Principal
from servicekit.sealing import Sealer

DISPATCHER = Principal("dispatcher", frozenset({"dispatcher"}), "cn")
WORDS = "Mrs. Li at the green door"
REPORT = work_orders_pb2.Report(found=WORDS, done=WORDS, parts=[work_orders_pb2.PartUsed(part="modem", quantity=1)])

asker = Sealer(b"a" * 32)


@pytest.fixture
def customer():
    """A customer as the asker knows them."""
    return CustomerKey(uuid4(), asker.new_key())


@pytest.fixture
def asked(customer):
    """What the asker says of them in its command."""
    return {"customer_id": str(customer.customer_id), "sealing_key": public_key(asker, customer)}


async def on_site(depot, **facts):
    work_order_id = await depot.create(**facts)
    await depot.do("accept_work_order", work_order_id)
    await depot.do("arrive_on_site", work_order_id)
    return work_order_id


async def shown(depot, work_order_id):
    async with depot.database.transaction("show") as tx:
        return (await queries.describe(tx, depot.sealer, [await depot.order(work_order_id)]))[0]


async def notes(depot, work_order_id):
    async with depot.database.transaction("history") as tx:
        rows = await queries.get_history(tx, depot.sealer, work_order_id, DISPATCHER)
    return [row.details["note"] for row in rows if "note" in row.details]


async def test_rec_05_a_report_is_sealed_for_dispatch_and_for_the_asker_alone(depot, customer, asked):
    await depot.hire("li")
    work_order_id = await on_site(depot, **asked)
    kept = (await depot.do("complete_work_order", work_order_id, report=REPORT)).report
    (body,) = await depot.events("work_order.completed")
    told = json.loads(body)["report"]
    for text in (kept["found"], kept["done"], told["found"], told["done"]):
        assert is_sealed(text)
    assert told["parts"] == kept["parts"] == [{"part": "modem", "quantity": 1}]
    assert (await shown(depot, work_order_id)).report == REPORT
    assert open_text(asker, customer, told["found"]) == WORDS


async def test_rec_06_after_erasure_a_gap_is_shown_and_nothing_new_is_kept(depot, asked, customer):
    await depot.hire("li")
    await depot.hire("wang")
    work_order_id = await depot.create(**asked)
    await depot.do("reject_work_order", work_order_id, reason=WORDS)
    assert await notes(depot, work_order_id) == [WORDS]
    async with depot.database.transaction("erase") as tx:
        await KEYS.erase(tx, customer.customer_id)
    assert await notes(depot, work_order_id) == [erased_text()]
    await depot.do("accept_work_order", work_order_id)
    failed = await depot.do("fail_work_order", work_order_id, failure=WORDS)
    assert failed.failure, "that there was a reason is kept: the loop check counts on it"
    assert (await shown(depot, work_order_id)).failure == erased_text()
    assert await depot.problems() == []


async def test_work_asked_for_before_customers_were_named_reads_as_it_was_written(depot):
    await depot.hire("li")
    work_order_id = await on_site(depot)
    assert (await depot.do("complete_work_order", work_order_id, report=REPORT)).report["found"] == WORDS
    assert (await shown(depot, work_order_id)).report == REPORT
