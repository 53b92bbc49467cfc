"""How many visits one slot can take: who does which of them, and whether there is room for one more (DSP-05). Pure.

Each engineer can make one visit in a slot, and can do only some of them. Room for one more may need others to change
hands; the customers' times stand all the same. The shortest chain is taken, so as few plans as possible change.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.ids import uuid7


@dataclass(frozen=True, slots=True)
class Claim:
    """A visit that is planned in the slot, and the engineers who could make it instead; none when it is fixed."""

    reservation_id: UUID
    others: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Room for a visit: who makes it, and which planned visits change hands for it.

    In the order of `moves`, everybody is free when their turn comes.
    """

    engineer_id: UUID
    moves: tuple[tuple[UUID, UUID], ...] = ()


def find_place(able: Iterable[UUID], taken: Mapping[UUID, Claim]) -> Place | None:
    """Room for a visit that each of `able` could make, the best first; `taken` says what engineers have already.

    None when there is none, however the planned visits are dealt out.
    """
    # Whom each engineer would hand their present visit on from: None for those who could make the new one.
    came_from: dict[UUID, UUID | None] = dict.fromkeys(able)
    waiting = deque(came_from)
    while waiting:
        engineer_id = waiting.popleft()
        claim = taken.get(engineer_id)
        if claim is None:
            return _place(engineer_id, came_from, taken)
        for other in claim.others:
            if other not in came_from:
                came_from[other] = engineer_id
                waiting.append(other)
    return None


def count_places(able: Sequence[UUID], taken: Mapping[UUID, Claim]) -> int:
    """How many more visits of this kind there is room for."""
    free = [engineer_id for engineer_id in able if engineer_id not in taken]
    # Whoever is free takes one at once; chains are looked for only where somebody has to make room.
    planned, count = dict(taken) | {engineer_id: Claim(uuid7()) for engineer_id in free}, len(free)
    while (place := find_place(able, planned)) is not None:
        planned = apply(place, Claim(uuid7()), planned)
        count += 1
    return count


def apply(place: Place, claim: Claim, taken: Mapping[UUID, Claim]) -> dict[UUID, Claim]:
    """What everybody has once the visit has its place."""
    planned = dict(taken)
    holders = {each.reservation_id: engineer_id for engineer_id, each in taken.items()}
    for reservation_id, to in place.moves:
        planned[to] = planned.pop(holders[reservation_id])
    planned[place.engineer_id] = claim
    return planned


def _place(free: UUID, came_from: Mapping[UUID, UUID | None], taken: Mapping[UUID, Claim]) -> Place:
    moves = []
    to, giver = free, came_from[free]
    while giver is not None:
        moves.append((taken[giver].reservation_id, to))
        to, giver = giver, came_from[giver]
    return Place(to, tuple(moves))
