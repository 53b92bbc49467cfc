"""Who gets a work order (DSP-02, DSP-04), for any crew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.policy import Policy
from dispatch.work_orders.assignment import (
    NOBODY_BECAUSE,
    Candidate,
    Choice,
    Need,
    Nobody,
    Obstacle,
    choose,
    obstacle,
)
from hypothesis import given
from hypothesis import strategies as st

from standards import load

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
POLICY = replace(Policy.of(load()), ranks={"junior": 1, "middle": 2, "senior": 3}, capacity=3)
NEED = Need("cn.gd.gz.tianhe", "broadband_repair", "middle")
TERRITORIES = ["cn", "cn.gd", "cn.gd.gz", "cn.gd.gz.tianhe", "cn.gd.gz.tianhe2", "cn.gd.sz", "cn.sc"]


def a_candidate(serial=1, *, skill="broadband_repair", level="middle", valid_for=timedelta(days=1), **facts):
    engineer = Engineer.model_validate(
        {
            "engineer_id": UUID(int=serial),
            "version": 1,
            "display_name": f"engineer {serial}",
            "user_id": f"engineer{serial}",
            "territory": "cn.gd",
            "on_shift": True,
            "registered_at": NOW,
            **facts,
        }
    )
    qualification = Qualification(
        engineer_id=engineer.engineer_id, skill=skill, level=level, valid_until=NOW + valid_for, revoked=False
    )
    return Candidate(engineer, qualification)


@st.composite
def candidates(draw):
    crew = []
    for serial in range(1, draw(st.integers(0, 7)) + 1):
        candidate = a_candidate(
            serial,
            skill=draw(st.sampled_from(["broadband_repair", "broadband_repair", "voice_line"])),
            level=draw(st.sampled_from(list(POLICY.ranks))),
            valid_for=timedelta(seconds=draw(st.sampled_from([-1, 0, 1, 3600]))),
            territory=draw(st.sampled_from(TERRITORIES)),
            on_shift=draw(st.booleans()),
            open_work_orders=draw(st.integers(0, 4)),
            last_assigned_at=draw(st.sampled_from([None, NOW - timedelta(hours=2), NOW - timedelta(hours=1)])),
        )
        candidate.qualification.revoked = draw(st.sampled_from([False, False, True]))
        crew.append(Candidate(candidate.engineer, draw(st.sampled_from([candidate.qualification] * 3 + [None]))))
    return crew


@given(candidates(), st.frozensets(st.integers(1, 7).map(lambda serial: UUID(int=serial))), st.booleans())
def test_dsp_02_nobody_unqualified_off_shift_outside_or_overloaded_is_ever_chosen(crew, declined, ask_again):
    chosen = choose(NEED, crew, POLICY, NOW, declined=declined, ask_again=ask_again)
    if isinstance(chosen, Nobody):
        return
    engineer = chosen.engineer
    qualification = next(one.qualification for one in crew if one.engineer == engineer)
    assert qualification is not None
    assert not qualification.revoked
    assert qualification.skill == NEED.skill
    assert qualification.valid_until > NOW
    assert POLICY.ranks[qualification.level] >= POLICY.ranks[NEED.level]
    assert engineer.on_shift
    assert NEED.region == engineer.territory or NEED.region.startswith(engineer.territory + ".")
    assert engineer.open_work_orders < POLICY.capacity


@given(candidates())
def test_dsp_04_nobody_suitable_is_better_than_the_chosen_one(crew):
    chosen = choose(NEED, crew, POLICY, NOW)
    suitable = [one.engineer for one in crew if obstacle(NEED, one, POLICY, NOW) is None]
    if not suitable:
        assert isinstance(chosen, Nobody)
        return
    assert isinstance(chosen, Choice)
    assert chosen.reasons

    def goodness(engineer):
        waited = NOW - engineer.last_assigned_at if engineer.last_assigned_at else timedelta.max
        return (len(engineer.territory), -engineer.open_work_orders, waited)

    assert goodness(chosen.engineer) == max(map(goodness, suitable))


@given(candidates(), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_crew(crew, random):
    shuffled = random.sample(crew, len(crew))
    first, second = (choose(NEED, some, POLICY, NOW) for some in (crew, shuffled))
    assert first == second


@given(candidates())
def test_nobody_says_why_and_accounts_for_everyone(crew):
    chosen = choose(NEED, crew, POLICY, NOW)
    if isinstance(chosen, Nobody):
        assert chosen.reason in NOBODY_BECAUSE.values()
        assert sum(chosen.counts.values()) == len(crew)


@given(candidates(), st.frozensets(st.integers(1, 7).map(lambda serial: UUID(int=serial))))
def test_who_declined_gets_it_again_only_when_nobody_else_can(crew, declined):
    suitable = {one.engineer.engineer_id for one in crew if obstacle(NEED, one, POLICY, NOW) is None}
    chosen = choose(NEED, crew, POLICY, NOW, declined=declined)
    assert isinstance(chosen, Choice) == bool(suitable - declined)
    if isinstance(chosen, Choice):
        assert chosen.engineer.engineer_id not in declined
    again = choose(NEED, crew, POLICY, NOW, declined=declined, ask_again=True)
    assert isinstance(again, Choice) == bool(suitable)
    if isinstance(again, Choice) and again.engineer.engineer_id in declined:
        assert suitable <= declined


@pytest.mark.parametrize(
    ("others", "reasons"),
    [
        ([], ("only_candidate",)),
        ([{"territory": "cn"}], ("nearest_territory",)),
        ([{"open_work_orders": 2}], ("least_loaded",)),
        ([{"last_assigned_at": NOW}], ("longest_without_work",)),
        ([{}], ("first_by_id",)),
        ([{"territory": "cn"}, {"open_work_orders": 2}], ("nearest_territory", "least_loaded")),
    ],
)
def test_reasons_are_what_set_the_chosen_one_apart(others, reasons):
    crew = [a_candidate(1), *(a_candidate(serial, **facts) for serial, facts in enumerate(others, 2))]
    assert choose(NEED, crew, POLICY, NOW) == Choice(crew[0].engineer, reasons)


@pytest.mark.parametrize(
    ("facts", "found", "reason"),
    [
        ({"level": "junior"}, Obstacle.NOT_QUALIFIED, "no_qualified_engineer"),
        ({"valid_for": timedelta()}, Obstacle.NOT_QUALIFIED, "no_qualified_engineer"),
        ({"on_shift": False}, Obstacle.OFF_SHIFT, "none_on_shift"),
        ({"territory": "cn.gd.gz.tianhe2"}, Obstacle.OUTSIDE_TERRITORY, "none_in_territory"),
        ({"open_work_orders": 3}, Obstacle.AT_CAPACITY, "all_at_capacity"),
    ],
)
def test_each_obstacle_has_its_reason(facts, found, reason):
    assert choose(NEED, [a_candidate(**facts)], POLICY, NOW) == Nobody(reason, {found: 1})


def test_without_any_engineer_nobody_is_qualified():
    assert choose(NEED, [], POLICY, NOW) == Nobody("no_qualified_engineer", {})
