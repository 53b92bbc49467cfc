"""What training's certificates do to an engineer's work (DSP-02, TRN-05)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from dispatch.engineers.certificate import Certificate, State, best_of, improves
from dispatch.engineers.certification import end_certificate, take_certificate
from dispatch.engineers.engineer import Qualification
from dispatch.facts import entity_facts
from dispatch.work_orders.work_order import State as OrderState
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RANKS = {"junior": 1, "middle": 2, "senior": 3}


def certificate(depot, *, level="junior", days=30, user_id="li", skill="fiber_splicing") -> Certificate:
    return Certificate(
        certificate_id=uuid4(),
        user_id=user_id,
        skill=skill,
        level=level,
        valid_until=depot.clock.now() + timedelta(days=days),
        state=State.VALID,
    )


async def take(depot, **facts) -> UUID:
    new = certificate(depot, **facts)
    async with depot.database.transaction("take") as tx:
        await take_certificate(tx, new, depot.placement)
    return new.certificate_id


async def end(depot, certificate_id: UUID, state=State.REVOKED) -> None:
    async with depot.database.transaction("end") as tx:
        await end_certificate(tx, certificate_id, state, depot.placement)


async def held(depot, engineer_id: UUID, skill="fiber_splicing") -> Qualification:
    return (await depot.profile(engineer_id)).qualifications[skill]


async def test_waiting_work_goes_to_whoever_is_certified_at_once(depot):
    engineer_id = await depot.hire("li")
    order_id = await depot.create(skill="fiber_splicing")
    assert (await depot.order(order_id)).state == OrderState.WAITING
    await take(depot)
    assert (await depot.order(order_id)).engineer_id == engineer_id
    assert await depot.problems() == []


@pytest.mark.parametrize("state", [State.EXPIRED, State.REVOKED])
async def test_its_end_gives_planned_work_to_somebody_else(depot, state):
    await depot.hire("li")
    certificate_id = await take(depot)
    order_id = await depot.create(skill="fiber_splicing")
    other = await depot.hire("wang", skill="fiber_splicing")
    await end(depot, certificate_id, state)
    order = await depot.order(order_id)
    assert (order.engineer_id, order.reassigned_times) == (other, 1)
    assert await depot.problems() == []


async def test_another_certificate_takes_the_place_of_one_that_ends(depot):
    engineer_id = await depot.hire("li")
    low = await take(depot)
    high = await take(depot, level="senior")
    order_id = await depot.create(skill="fiber_splicing")
    await end(depot, high)
    assert ((await held(depot, engineer_id)).certificate_id, (await depot.order(order_id)).engineer_id) == (
        low,
        engineer_id,
    )
    await end(depot, low)
    assert (await held(depot, engineer_id)).revoked
    assert (await depot.order(order_id)).state == OrderState.WAITING
    assert await depot.problems() == []


async def test_what_somebody_granted_by_hand_does_not_end_with_a_certificate(depot):
    engineer_id = await depot.hire("li")
    certificate_id = await take(depot)
    await depot.grant(engineer_id, "fiber_splicing", "senior")
    await end(depot, certificate_id)
    assert not (await held(depot, engineer_id)).revoked


async def test_certified_before_registered(depot):
    await take(depot, user_id="zhao")
    engineer_id = await depot.hire("zhao")
    assert (await held(depot, engineer_id)).level == "junior"


async def test_an_end_before_the_beginning_is_told(depot):
    with pytest.raises(Fault, match="certificate_unknown"):
        await end(depot, uuid4())


async def test_the_loop_check_hears_of_certificates(depot):
    certificate_id = await take(depot, user_id="nobody")
    async with depot.database.transaction("facts") as tx:
        facts = await entity_facts(tx, "", 10, ladder=depot.ladder)
    assert [(fact.entity, fact.entity_id, fact.state) for fact in facts] == [
        ("known_certificate", str(certificate_id), "valid")
    ]


@given(st.data())
def test_a_certificate_never_lowers_or_shortens_what_is_held(data):
    level, days = data.draw(st.sampled_from(sorted(RANKS))), data.draw(st.integers(1, 9))
    have, have_days = data.draw(st.sampled_from(sorted(RANKS))), data.draw(st.integers(1, 9))
    new = Certificate(
        certificate_id=uuid4(),
        user_id="li",
        skill="s",
        level=level,
        valid_until=NOW + timedelta(days=days),
        state=State.VALID,
    )
    old = Qualification(engineer_id=uuid4(), skill="s", level=have, valid_until=NOW + timedelta(days=have_days))
    if improves(new, old, ranks=RANKS, now=NOW):
        assert (RANKS[level], days) > (RANKS[have], have_days)
    assert improves(new, old.model_copy(update={"revoked": True}), ranks=RANKS, now=NOW)
    assert best_of([new], ranks=RANKS, now=NOW + timedelta(days=days)) is None
