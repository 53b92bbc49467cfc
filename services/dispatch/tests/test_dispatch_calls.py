"""Dispatch's contracts over real gRPC: who may call what, and what comes back (DSP-02, DSP-03, GWY-08)."""

from datetime import timedelta

import pytest
from bihuan.dispatch.v1 import engineers_pb2, engineers_pb2_grpc, work_orders_pb2, work_orders_pb2_grpc
from dispatch.rpc.engineers import EngineerServicer
from dispatch.rpc.work_orders import WorkOrderServicer
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server

PEOPLE = {
    "dispatcher": Principal("dispatcher", frozenset({"dispatcher"}), "cn.gd"),
    "supervisor": Principal("supervisor", frozenset({"supervisor"}), "cn"),
    "auditor": Principal("auditor", frozenset({"auditor"}), "cn"),
    "agent": Principal("agent", frozenset({"agent"}), "cn.gd"),
    "li": Principal("li", frozenset({"engineer"}), "cn.gd"),
    "wang": Principal("wang", frozenset({"engineer"}), "cn.gd"),
}
REPORT = work_orders_pb2.Report(
    found="接头进水", done="重新熔接", parts=[work_orders_pb2.PartUsed(part="SC connector", quantity=2)]
)


class Tokens:
    """A token is the name of who it speaks for."""

    async def verify(self, token: str) -> Principal:
        return PEOPLE[token]


async def always() -> bool:
    return True


@pytest.fixture
async def served(depot):
    """Stubs by the caller's name: engineers and work orders."""
    server = Server(
        "127.0.0.1:0",
        [
            (
                engineers_pb2_grpc.add_EngineerServiceServicer_to_server,
                EngineerServicer(depot.database, depot.placement),
            ),
            (
                work_orders_pb2_grpc.add_WorkOrderServiceServicer_to_server,
                WorkOrderServicer(depot.database, depot.placement, depot.sealer),
            ),
        ],
        tokens=Tokens(),
        is_ready=always,
    )
    await server.start()
    channels = {name: Channel(server.address, lambda name=name: name) for name in PEOPLE}
    yield {
        name: (engineers_pb2_grpc.EngineerServiceStub(channel), work_orders_pb2_grpc.WorkOrderServiceStub(channel))
        for name, channel in channels.items()
    }
    for channel in channels.values():
        await channel.close()
    await server.stop(0)


async def code_of(call) -> str:
    with pytest.raises(Fault) as refused:
        await call
    return refused.value.code


async def test_the_story_by_calls(served, depot):
    engineers, _ = served["dispatcher"]
    qualification = engineers_pb2.Qualification(skill="broadband_repair", level="middle")
    qualification.valid_until.FromDatetime(depot.clock.now() + timedelta(days=30))
    registration = engineers_pb2.RegisterEngineerRequest(
        idempotency_key="k1", display_name="GZ-0107", user_id="li", territory="cn.gd", qualifications=[qualification]
    )
    engineer = await engineers.RegisterEngineer(registration)
    assert await engineers.RegisterEngineer(registration) == engineer
    assert engineer.qualifications == [qualification]
    own_engineers, own_orders = served["li"]
    await own_engineers.SetShift(engineers_pb2.SetShiftRequest(engineer_id=engineer.engineer_id, on_shift=True))

    work_order_id = await depot.create()
    (order,) = (await own_orders.ListWorkOrders(work_orders_pb2.ListWorkOrdersRequest())).work_orders
    assert (order.work_order_id, order.engineer_name) == (work_order_id, "GZ-0107")
    assert order.state == work_orders_pb2.WORK_ORDER_STATE_ASSIGNED
    assert [clock.name for clock in order.clocks] == ["work_order_assignment", "work_order_acceptance"]
    step = work_orders_pb2.WorkOrderStepRequest(work_order=order.work_order_number, expected_version=order.version)
    accepted = await own_orders.AcceptWorkOrder(step)
    assert await code_of(own_orders.AcceptWorkOrder(step)) == "stale_version"
    await own_orders.StartTravel(work_orders_pb2.WorkOrderStepRequest(work_order=work_order_id))
    await own_orders.ArriveOnSite(work_orders_pb2.WorkOrderStepRequest(work_order=work_order_id))
    done = await own_orders.CompleteWorkOrder(
        work_orders_pb2.CompleteWorkOrderRequest(work_order=work_order_id, report=REPORT)
    )
    assert done.report == REPORT
    assert done.version == accepted.version + 3
    history = await served["auditor"][1].GetWorkOrderHistory(
        work_orders_pb2.GetWorkOrderHistoryRequest(work_order=work_order_id)
    )
    assert [(entry.happened, entry.actor) for entry in history.entries] == [
        ("work_order_created", "system"),
        ("work_order_assigned", "system"),
        ("work_order_accepted", "li"),
        ("travel_started", "li"),
        ("arrived_on_site", "li"),
        ("work_order_completed", "li"),
    ]


async def test_override_reject_and_fail_by_calls(served, depot):
    await depot.hire("li", territory="cn.gd.gz")
    other = await depot.hire("wang")
    work_order_id = await depot.create()
    _, orders = served["dispatcher"]
    assigned = await orders.AssignWorkOrder(
        work_orders_pb2.AssignWorkOrderRequest(
            work_order=work_order_id, engineer_id=str(other), reason="knows the house"
        )
    )
    assert (assigned.engineer_name, assigned.reassigned_times) == ("No. wang", 1)
    _, own_orders = served["wang"]
    rejected = await own_orders.RejectWorkOrder(
        work_orders_pb2.RejectWorkOrderRequest(work_order=work_order_id, reason="ill")
    )
    assert rejected.engineer_name == "No. li"
    _, own_orders = served["li"]
    await own_orders.AcceptWorkOrder(work_orders_pb2.WorkOrderStepRequest(work_order=work_order_id))
    failed = await own_orders.FailWorkOrder(
        work_orders_pb2.FailWorkOrderRequest(work_order=work_order_id, failure="nobody at home")
    )
    assert (failed.state, failed.failure) == (work_orders_pb2.WORK_ORDER_STATE_FAILED, "nobody at home")


async def test_dsp_02_an_expired_qualification_is_told_and_the_work_order_is_somebody_elses(served, depot):
    await depot.hire("li", territory="cn.gd.gz", days=1)
    await depot.hire("wang")
    work_order_id = await depot.create()
    depot.clock.advance(timedelta(days=1))
    step = work_orders_pb2.WorkOrderStepRequest(work_order=work_order_id)
    assert await code_of(served["li"][1].AcceptWorkOrder(step)) == "engineer_not_qualified"
    assert (await served["wang"][1].AcceptWorkOrder(step)).engineer_name == "No. wang"


async def test_engineers_read_only_what_is_their_own(served, depot):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    engineers, orders = served["wang"]
    assert (
        await code_of(orders.GetWorkOrder(work_orders_pb2.GetWorkOrderRequest(work_order=work_order_id))) == "not_yours"
    )
    assert (
        await code_of(engineers.GetEngineer(engineers_pb2.GetEngineerRequest(engineer_id=str(engineer_id))))
        == "not_yours"
    )
    assert not (await orders.ListWorkOrders(work_orders_pb2.ListWorkOrdersRequest())).work_orders
    assert (
        await served["agent"][1].GetWorkOrder(work_orders_pb2.GetWorkOrderRequest(work_order=work_order_id))
    ).version


async def test_lists_are_filtered_and_paged(served, depot):
    engineer_id = await depot.hire("li")
    created = [await depot.create(region=region) for region in ("cn.gd.gz", "cn.gd.sz", "cn.sc.cd", "cn.gd.gz")]
    _, orders = served["dispatcher"]
    listed, token = [], ""
    while True:
        page = await orders.ListWorkOrders(work_orders_pb2.ListWorkOrdersRequest(page_size=2, page_token=token))
        listed += [order.work_order_id for order in page.work_orders]
        token = page.next_page_token
        if not token:
            break
    assert sorted(listed, reverse=True) == listed
    assert set(listed) == {created[0], created[1], created[3]}
    filters = (
        ({"region": "cn.gd.sz"}, 1),
        ({"engineer_id": str(engineer_id)}, 3),
        ({"state": work_orders_pb2.WORK_ORDER_STATE_WAITING}, 0),
        ({"case_id": str(engineer_id)}, 0),
    )
    for facts, count in filters:
        page = await orders.ListWorkOrders(work_orders_pb2.ListWorkOrdersRequest(**facts))
        assert len(page.work_orders) == count
    everybody = await served["supervisor"][0].ListEngineers(engineers_pb2.ListEngineersRequest())
    assert [engineer.open_work_orders for engineer in everybody.engineers] == [3]
    wrong = work_orders_pb2.ListWorkOrdersRequest(page_token="nonsense")
    assert await code_of(orders.ListWorkOrders(wrong)) == "page_token_invalid"


async def test_qualifications_are_granted_and_revoked_by_supervisors_only(served, depot):
    engineer_id = str(await depot.hire("li"))
    grant = engineers_pb2.GrantQualificationRequest(engineer_id=engineer_id)
    grant.qualification.skill, grant.qualification.level = "voice_line", "junior"
    grant.qualification.valid_until.FromDatetime(depot.clock.now() + timedelta(days=1))
    assert await code_of(served["dispatcher"][0].GrantQualification(grant)) == "role_forbidden"
    engineers, _ = served["supervisor"]
    granted = await engineers.GrantQualification(grant)
    assert [held.skill for held in granted.qualifications] == ["broadband_repair", "voice_line"]
    revoke = engineers_pb2.RevokeQualificationRequest(engineer_id=engineer_id, skill="voice_line", reason="audit")
    assert [held.revoked for held in (await engineers.RevokeQualification(revoke)).qualifications] == [False, True]
    grant.qualification.revoked = True
    assert await code_of(engineers.GrantQualification(grant)) == "grant_contradictory"
    grant.qualification.revoked, grant.qualification.skill = False, "juggling"
    assert await code_of(engineers.GrantQualification(grant)) == "skill_unknown"
