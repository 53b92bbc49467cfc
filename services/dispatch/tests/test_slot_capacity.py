"""Room in a slot is what can really be dealt out, and is never sold twice (DSP-05)."""

from itertools import permutations
from uuid import UUID

import pytest
from dispatch.slots.capacity import Claim, apply, count_places, find_place
from hypothesis import given, settings
from hypothesis import strategies as st

ENGINEERS = [UUID(int=number) for number in range(1, 5)]
able = st.lists(st.sampled_from(ENGINEERS), unique=True)


def could_be_dealt_out(wishes):
    """Whether everybody could be served at once, by trying every way."""
    return any(
        all(engineer in wish for engineer, wish in zip(dealt, wishes, strict=False))
        for dealt in permutations(ENGINEERS, len(wishes))
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(able, max_size=6))
def test_dsp_05_a_visit_is_taken_exactly_when_all_can_still_be_served(wishes):
    taken, served = {}, []
    for number, wish in enumerate(wishes):
        claim = Claim(UUID(int=100 + number), wish)
        place = find_place(wish, taken)
        possible = len(served) < len(ENGINEERS) and could_be_dealt_out([*served, wish])
        assert (place is not None) == possible
        if place is not None:
            taken = apply(place, claim, taken)
            served.append(wish)
        assert sorted(len(each.others) for each in taken.values()) == sorted(map(len, served))
        assert all(engineer in each.others for engineer, each in taken.items())


@settings(max_examples=100, deadline=None)
@given(st.lists(able, max_size=3), able)
def test_dsp_05_what_is_offered_can_be_had_and_no_more(wishes, wanted):
    taken = {}
    for number, wish in enumerate(wishes):
        place = find_place(wish, taken)
        if place is not None:
            taken = apply(place, Claim(UUID(int=100 + number), wish), taken)
    offered = count_places(wanted, taken)
    for number in range(offered):
        place = find_place(wanted, taken)
        assert place is not None
        taken = apply(place, Claim(UUID(int=200 + number), wanted), taken)
    assert find_place(wanted, taken) is None


actions = st.one_of(
    st.tuples(st.just("take"), able),
    st.tuples(st.just("give back"), st.integers(0, 5)),
    st.tuples(st.just("move"), st.integers(0, 5)),
    st.tuples(st.just("drop out"), st.sampled_from(ENGINEERS)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(actions, max_size=25))
def test_dsp_05_never_more_is_sold_than_there_is_whatever_happens(sequence):
    """Two slots; visits are held, given back or expire, move between the slots, and engineers drop out of both."""
    here, there, away = {}, {}, set()
    for number, (action, what) in enumerate(sequence):
        if action == "take":
            wish = [engineer for engineer in what if engineer not in away]
            if (place := find_place(wish, here)) is not None:
                here = apply(place, Claim(UUID(int=100 + number), wish), here)
        elif action == "drop out":
            away.add(what)
            here, there = drop(what, here), drop(what, there)
        elif here:
            engineer = sorted(here)[what % len(here)]
            claim = here[engineer]
            if action == "give back":
                del here[engineer]
            elif (place := find_place(claim.others, there)) is not None:
                del here[engineer]
                there = apply(place, claim, there)
        for slot in (here, there):
            assert len({claim.reservation_id for claim in slot.values()}) == len(slot)
            assert all(engineer in claim.others and engineer not in away for engineer, claim in slot.items())
            assert could_be_dealt_out([claim.others for claim in slot.values()])
        assert not {claim.reservation_id for claim in here.values()} & {each.reservation_id for each in there.values()}


def drop(engineer, taken):
    """What is left of the plans without this engineer: their visit goes to somebody else, or is given up."""
    left = {
        each: Claim(claim.reservation_id, [other for other in claim.others if other != engineer])
        for each, claim in taken.items()
    }
    lost = left.pop(engineer, None)
    if lost is None or (place := find_place(lost.others, left)) is None:
        return left
    return apply(place, lost, left)


@pytest.mark.parametrize("fixed", [False, True])
def test_a_visit_under_way_does_not_change_hands(fixed):
    first, second = ENGINEERS[:2]
    taken = {first: Claim(UUID(int=100), () if fixed else (first, second))}
    place = find_place([first], taken)
    assert (place is None) == fixed
