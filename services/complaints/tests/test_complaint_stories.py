"""Whole complaints on a real database: what is stored, asked and told (CMP-01 to CMP-08)."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from bihuan.complaints.v1 import commands_pb2
from complaints import complainants
from complaints.clocks import build_clocks
from complaints.complaints import answering, closing, handling, learning, queries
from complaints.complaints.registering import take_over_case
from complaints.complaints.tables import COMPLAINTS
from servicekit.customerkeys import CustomerKey, erased_text, is_sealed, open_text, public_key
from servicekit.deadlines import DeadlineRunner
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer
from servicekit.testing.waiting import eventually, running
from sqlalchemy import update

HANDLER = Principal("handler", frozenset({"complaint_handler"}), "cn")
LEADER = Principal("leader", frozenset({"supervisor"}), "cn")
AGENT = Principal("agent", frozenset({"agent"}), "cn.gd")


async def test_cmp_01_a_complaint_goes_all_the_way_and_tells_its_record_everything(office):
    closed = await office.closed()
    (event,) = [json.loads(body) for body in await office.sent("complaint.closed")]
    assert event["snapshot"]["improvements"][0]["state"] == "IMPROVEMENT_STATE_STANDARDISED"
    assert event["snapshot"]["cause"]["path"] == ["network", "line_ageing"]
    assert [entry["happened"] for entry in event["history"]][-1] == "complaint_closed"
    assert "反复" not in json.dumps(event["sealed"], ensure_ascii=False)
    async with office.database.transaction("archive") as tx:
        await closing.archive_complaint(tx, closed, record_id=uuid4())
    assert (await office.look(closed)).stage == "archived"
    assert await office.problems() == []


async def test_cmp_01_asked_twice_with_one_key_there_is_one_complaint(office):
    said = {"idempotency_key": "k1", "customer_id": str(uuid4())}
    first, again = [await office.register(**said) for _ in range(2)]
    assert first.complaint_id == again.complaint_id
    with pytest.raises(Fault, match="idempotency_key_reused"):
        await office.register("另一件事", **said)


async def test_cmp_01_a_missed_clock_escalates_once_and_the_complaint_matters_more(office):
    complaint = await office.register()
    office.clock.advance(timedelta(hours=49))
    runner = DeadlineRunner(office.database, office.clock, build_clocks(office.desk.standards))

    async def escalated():
        return len(await office.sent("complaint.escalated")) == 2

    async with running(runner.run()):
        await eventually(escalated)
    assert (await office.look(complaint)).priority == 1
    assert await office.problems() == []


async def test_cmp_04_limits_hold_for_all_grants_of_a_kind_together(office):
    complaint = await office.handling()
    await office.do(handling.grant_remedy, complaint, kind="refund", amount=300)
    await office.refused("remedy_over_limit", handling.grant_remedy, complaint, kind="refund", amount=201)
    await office.refused("remedy_amount_invalid", handling.grant_remedy, complaint, kind="apology", amount=1)
    await office.refused("remedy_unknown", handling.grant_remedy, complaint, kind="ice_cream")
    await office.refused("remedy_over_limit", handling.grant_remedy, complaint, AGENT, kind="repair")
    await office.do(handling.grant_remedy, complaint, LEADER, kind="refund", amount=201)
    assert [remedy.amount for remedy in (await office.shown(complaint)).remedies] == [300, 201]


async def test_cmp_04_attitude_assigns_training_to_whom_it_is_about(office):
    complaint = await office.register("客服态度恶劣")
    confirmed = {"complaint_class": "service_attitude", "severity": "minor", "person_concerned": "agent2"}
    await office.do(handling.classify_complaint, complaint, **confirmed)
    (wanted,) = [json.loads(body) for body in await office.sent("assign_training")]
    assert (wanted["person"], wanted["course_topic"]) == ("agent2", "etiquette")
    another = await office.register()
    await office.do(handling.classify_complaint, another, complaint_class="other", severity="minor")
    assert len(await office.sent("assign_training")) == 1


async def test_cmp_05_the_log_is_sealed_and_gone_with_the_key(office):
    complaint = await office.handling()
    await office.do(handling.add_contact, complaint, channel="hotline", text="客户来电催办", inbound=True)
    shown = await office.shown(complaint)
    assert shown.subject == "宽带反复断网"
    async with office.database.transaction("erase") as tx:
        await complainants.KEYS.erase(tx, complaint.customer_id)
        contacts = await queries.contacts_of(tx, office.desk, complaint)
    assert [(contact.role, contact.text) for contact in contacts] == [("contact", "")]
    assert (await office.shown(complaint)).subject == ""
    with pytest.raises(Fault, match="customer_erased"):
        await office.register(customer_id=str(complaint.customer_id))


async def test_cmp_05_a_customer_answers_only_for_themselves_and_never_with_silence(office):
    complaint = await office.handling()
    await office.do(handling.resolve_complaint, complaint, result="已修复")
    await office.do(answering.feed_back_result, complaint)
    stranger = Principal("c1", frozenset({"customer"}), customer_id=str(uuid4()))
    own = Principal("c2", frozenset({"customer"}), customer_id=str(complaint.customer_id))
    accepted, silent = {"answer": "RESULT_ANSWER_ACCEPTED", "score": 4}, {"answer": "RESULT_ANSWER_NONE"}
    await office.refused("complaint_unknown", answering.answer_result, complaint, stranger, **accepted)
    await office.refused("role_forbidden", answering.answer_result, complaint, own, **silent)
    assert (await office.do(answering.answer_result, complaint, own, **accepted)).satisfaction == 4


async def test_cmp_07_the_third_complaint_with_one_cause_makes_a_hot_spot(office):
    for _ in range(3):
        complaint = await office.handling()
        await office.do(learning.analyse_cause, complaint, cause="line_ageing", whys=["为什么？"])
    (hot,) = [json.loads(body) for body in await office.sent("cause.repeated")]
    assert (hot["cause"], hot["count"], hot["complaint_id"]) == ("line_ageing", 3, str(complaint.complaint_id))
    async with office.database.transaction("causes") as tx:
        (group,) = await queries.group_causes(tx, office.desk, HANDLER, region="cn.gd", language="zh-CN")
    assert (list(group.path), group.complaints, group.hot) == (["网络", "线路老化"], 3, True)


async def test_cmp_08_it_is_not_closed_before_the_improvement_has_proved_itself(office):
    complaint = await office.settled()
    await office.refused("cause_missing", closing.close_complaint, complaint, summary="完")
    await office.do(learning.analyse_cause, complaint, cause="line_ageing", whys=["为什么？"])
    await office.refused("improvement_unfinished", closing.close_complaint, complaint, summary="完")
    await office.improved(complaint)
    assert (await office.do(closing.close_complaint, complaint, summary="完")).stage == "closed"


async def test_int_02_a_case_is_taken_over_once_with_its_clocks_from_its_acceptance(office):
    accepted_at = office.clock.now() - timedelta(hours=3)
    command = commands_pb2.RegisterComplaint(
        complaint_id=str(uuid4()),
        case_id=str(uuid4()),
        case_number="2603-0000-0017",
        customer_id=str(uuid4()),
        channel="app",
        region="cn.gd.gz",
        category="internet_access",
        owner="agent",
        priority=2,
        keywords=[commands_pb2.KeywordMatch(rule="outage_words", word="断网")],
        language="zh-CN",
    )
    command.accepted_at.FromDatetime(accepted_at)
    for _ in range(2):
        async with office.database.transaction("take_over") as tx:
            await take_over_case(tx, office.desk, command)
    assert len(await office.sent("complaint.registered")) == 1
    async with office.database.transaction("show") as tx:
        complaint = await queries.find_visible(tx, HANDLER, command.complaint_id)
    shown = await office.shown(complaint)
    assert (shown.case_id, shown.complaint_class, shown.priority) == (command.case_id, "technical_problem", 2)
    assert {clock.started_at.ToDatetime(accepted_at.tzinfo) for clock in shown.clocks} == {accepted_at}
    async with office.database.transaction("withdraw") as tx:
        assert not await closing.withdraw_with_case(tx, commands_pb2.WithdrawComplaint(complaint_id=str(uuid4())))
        wanted = commands_pb2.WithdrawComplaint(complaint_id=command.complaint_id)
        assert await closing.withdraw_with_case(tx, wanted)
    assert (await office.look(complaint)).outcome == "withdrawn"
    assert UUID(command.complaint_id) == complaint.complaint_id
    assert await office.problems() == []


async def test_rec_05_sealed_texts_are_opened_for_the_region_only(office):
    complaint = await office.register()
    sealed = [complaint.sealed_subject]
    async with office.database.transaction("unseal") as tx:
        opened = await complainants.unseal_texts(tx, office.desk.sealer, LEADER, complaint.customer_id, sealed)
        assert opened == (["宽带反复断网"], False)
        elsewhere = Principal("archivist", frozenset({"archivist"}), "cn.sc")
        with pytest.raises(Fault, match="domain_forbidden"):
            await complainants.unseal_texts(tx, office.desk.sealer, elsewhere, complaint.customer_id, sealed)


async def test_rec_06_what_staff_wrote_is_sealed_wherever_it_stands_and_gone_with_the_key(office):
    complaint = await office.closed()
    (body,) = [json.loads(body) for body in await office.sent("complaint.closed")]
    snapshot = body["snapshot"]
    written = [snapshot["result"], snapshot["summary"], *snapshot["cause"]["whys"]]
    written += [snapshot["improvements"][0][name] for name in ("action", "done", "standardised_note")]
    assert all(is_sealed(text) for text in written)
    shown = await office.shown(complaint)
    assert (shown.result, shown.summary, list(shown.cause.whys)) == ("已修复", "线路老化，已列入巡检。", ["为什么？"])
    async with office.database.transaction("erase") as tx:
        await complainants.KEYS.erase(tx, complaint.customer_id)
        (listed,) = await queries.list_complaints(tx, office.desk, HANDLER, queries.Filters(), before=None, limit=10)
    shown = await office.shown(complaint)
    assert {shown.result, shown.summary, shown.improvements[0].action, listed.result} == {erased_text()}
    assert await office.problems() == []


async def test_rec_05_intake_alone_can_open_the_result_of_what_was_its_case(office):
    intake, customer = Sealer(b"i" * 32), CustomerKey(uuid4(), Sealer(b"i" * 32).new_key())
    complaint = await office.handling()
    async with office.database.transaction("case") as tx:
        facts = {"case_id": uuid4(), "customer_id": customer.customer_id}
        await tx.execute(update(COMPLAINTS).values(case_sealing_key=public_key(intake, customer), **facts))
    await office.do(handling.resolve_complaint, complaint, result="已修复")
    await office.do(answering.feed_back_result, complaint)
    await office.do(answering.answer_result, complaint, answer="RESULT_ANSWER_ACCEPTED", score=5)
    for told in ("result_fed_back", "complaint.settled"):
        (body,) = [json.loads(body) for body in await office.sent(told)]
        assert open_text(intake, customer, body["result"]) == "已修复"
