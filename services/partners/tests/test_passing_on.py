"""What is passed on to whom, and what of it (GWY-05)."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.intake.v1 import events_pb2 as intake
from partners.pruning import build_prunings
from partners.registry import commands
from partners.registry.scope import matches, require_known
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.messaging import NotYet
from servicekit.messaging.sharing import shared_events

PARTNER = "partner-demo"
SELF = Principal(PARTNER, frozenset({"partner"}), "cn")
# Words in names of fields that name people, or hold what people wrote.
PERSONAL = (
    "customer",
    "person",
    "name",
    "phone",
    "owner",
    "handler",
    "engineer",
    "leader",
    "responsible",
    "_by",
    "text",
)


@pytest.mark.parametrize(
    ("pattern", "subject", "covered"),
    [
        ("intake.case.*", "bihuan.intake.case.opened.v1", True),
        ("*.case.opened", "bihuan.intake.case.opened.v1", True),
        ("*.*.*", "bihuan.dispatch.work_order.created.v1", True),
        ("intake.case.closed", "bihuan.intake.case.opened.v1", False),
        ("dispatch.*.*", "bihuan.intake.case.opened.v1", False),
    ],
)
def test_a_pattern_covers_kinds_of_events(pattern: str, subject: str, covered: bool) -> None:
    assert matches([pattern], subject) is covered


def test_a_kind_that_no_event_has_or_that_stays_inside_is_refused() -> None:
    require_known(["intake.clock.missed", "*.case.opened"], "event_types")
    for unknown in ("intake.case.danced", "intake.customer.registered", "training.certificate.*"):
        with pytest.raises(Fault) as refusal:
            require_known([unknown], "event_types")
        assert refusal.value.params == {"event_type": unknown}


def test_no_event_shares_what_names_a_person() -> None:
    shared = [(event.type, field) for event in shared_events() for field in event.fields]
    assert len(shared) > 40
    assert [entry for entry in shared if any(word in entry[1] for word in PERSONAL)] == []


async def test_only_shared_fields_reach_the_feed(desk) -> None:
    await desk.register()
    case_id = await desk.open_case(customer_id="0193a5f0-0000-7000-8000-000000000001", owner="agent-li")
    await desk.create_work_order(case_id)
    opened, assigned = await desk.feed()
    assert set(json.loads(opened.body)) == {"case_id", "case_number", "channel", "region", "priority"}
    assert set(json.loads(assigned.body)) == {"work_order_id", "case_id"}
    assert opened.subject == f"bihuan.feed.{PARTNER}.intake.case.opened.v1"
    headers = json.loads(opened.headers) if isinstance(opened.headers, str) else opened.headers
    assert (headers["ce-type"], headers["source"]) == ("bihuan.intake.v1.CaseOpened", "intake")


@pytest.mark.parametrize(
    ("domain", "region", "seen"),
    [
        ("cn", "cn.bj", True),
        ("cn.gd", "cn.gd.gz.tianhe", True),
        ("cn.gd", "cn.gdx", False),
        ("cn.gd.gz", "cn.bj", False),
    ],
)
async def test_a_partner_sees_its_region_and_below(desk, domain: str, region: str, seen: bool) -> None:
    await desk.register(domain=domain)
    case_id = await desk.open_case(region=region)
    await desk.create_work_order(case_id)
    assert len(await desk.feed()) == (2 if seen else 0)


async def test_an_event_that_comes_before_its_case_waits_for_it_but_not_for_ever(desk) -> None:
    await desk.register(domain="cn.gd")
    with pytest.raises(NotYet):
        await desk.create_work_order(str(uuid4()))
    await desk.create_work_order(str(uuid4()), deliveries_=6)
    assert await desk.feed() == []


async def test_the_same_event_has_one_id_for_a_partner_and_another_for_each_other(desk) -> None:
    await desk.register()
    await desk.register(partner="partner-alarms")
    await desk.endpoint()
    await desk.open_case()
    ((ours,), (other,)) = await desk.feed(), await desk.feed("partner-alarms")
    (delivery,) = await desk.deliveries()
    assert ours.event_id == delivery.event_id != other.event_id
    assert json.loads(delivery.content)["id"] == str(ours.event_id)


async def test_who_is_suspended_ended_or_late_is_told_nothing(desk) -> None:
    await desk.register("intake.case.*", days=2)
    await desk.do(commands.suspend_partner, PARTNER, expected_version=1, principal=SELF)
    await desk.open_case()
    await desk.do(commands.resume_partner, PARTNER, expected_version=2, principal=SELF)
    await desk.refused("stale_version", commands.suspend_partner, PARTNER, expected_version=1, principal=SELF)
    await desk.open_case()
    assert len(await desk.feed()) == 1
    assert await desk.problems() == []
    await desk.pass_time(timedelta(days=2))
    await desk.open_case()
    partner = await desk.partner()
    assert (partner.state, partner.ended_reason) == ("ended", "time_over")
    assert len(await desk.feed()) == 1
    assert await desk.problems() == []
    await desk.refused("transition_forbidden", commands.resume_partner, PARTNER, expected_version=0, principal=SELF)


async def test_registering_again_gives_the_same_and_no_second_password(desk) -> None:
    first, password = await desk.register()
    again, none = await desk.register()
    assert (first, none) == (again, None)
    assert len(password.text) >= 32
    await desk.refused(
        "partner_exists",
        commands.register_partner,
        PARTNER,
        "Another",
        desk.scope(),
        principal=SELF,
        policy=desk.policy,
    )


async def test_a_partner_changes_its_own_password_and_nobody_elses(desk) -> None:
    _, password = await desk.register()
    stranger = Principal("partner-alarms", frozenset({"partner"}), "cn")
    rotate = commands.rotate_feed_password
    await desk.refused("partner_forbidden", rotate, PARTNER, expected_version=0, principal=stranger)
    changed, new = await desk.do(rotate, PARTNER, expected_version=1, principal=SELF)
    assert new.text != password.text
    assert changed.feed_password_hash == new.hashed


async def test_unknown_regions_and_past_ends_are_refused(desk) -> None:
    for scope, code in ((desk.scope(domain="fr"), "region_unknown"), (desk.scope(days=-1), "time_past")):
        await desk.refused(code, commands.register_partner, PARTNER, "Demo", scope, principal=SELF, policy=desk.policy)


async def test_events_without_a_case_are_for_the_whole_country_only(desk) -> None:
    await desk.register()
    await desk.register(partner="partner-alarms", domain="cn.gd")
    await desk.hear(intake.CaseOpened(region=""))
    assert (len(await desk.feed()), len(await desk.feed("partner-alarms"))) == (1, 0)


async def test_regions_of_what_was_opened_long_ago_are_forgotten(desk) -> None:
    await desk.register()
    await desk.open_case()
    desk.clock.advance(timedelta(days=30))
    lately = await desk.open_case()
    prune = build_prunings(desk.policy)["prune_regions"]
    desk.clock.advance(timedelta(days=369))
    assert await desk.do(prune) == 0
    desk.clock.advance(timedelta(days=2))
    assert await desk.do(prune) == 1
    await desk.create_work_order(lately)
    assert len(await desk.feed()) == 2
