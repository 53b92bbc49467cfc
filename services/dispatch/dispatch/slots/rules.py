"""The life cycle of a reservation: every move it may make, and what each move brings with it (DSP-05).

Pure: a rule takes the reservation and what happened, and returns a Step. A move that is not allowed from the state it
is in raises Fault("transition_forbidden").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2
from google.protobuf.message import Message
from servicekit.errors import Fault
from servicekit.windows import Window

from dispatch.slots.reservation import LIVE, Reservation, State


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. A hold's clock runs exactly while it is held; no rule says so separately."""

    after: Reservation
    event: Message


def hold(reservation: Reservation) -> Step:
    """The first version."""
    event = events_pb2.ReservationHeld(
        reservation_id=str(reservation.reservation_id),
        case_id=str(reservation.case_id),
        valid_for=reservation.window.message(),
        held_until=reservation.held_until,
    )
    return Step(reservation, event)


def book(
    reservation: Reservation, *, appointment_id: UUID, work_order_id: UUID, work_order_version: int, replaces: str
) -> Step:
    """An appointment rests on it from now on."""
    _require(reservation, "book", frozenset({State.HELD}))
    after = _changed(reservation, state=State.BOOKED, appointment_id=appointment_id, work_order_id=work_order_id)
    event = events_pb2.ReservationBooked(
        **_ids(after),
        work_order_id=str(work_order_id),
        work_order_version=work_order_version,
        valid_for=after.window.message(),
        replaces=replaces,
    )
    return Step(after, event)


def expire(reservation: Reservation, now: datetime) -> Step:
    """Nobody booked it in time."""
    _require(reservation, "expire", frozenset({State.HELD}))
    event = events_pb2.ReservationExpired(
        reservation_id=str(reservation.reservation_id), case_id=str(reservation.case_id)
    )
    return Step(_changed(reservation, state=State.EXPIRED, ended_at=now), event)


def release(reservation: Reservation, now: datetime, *, reason: str) -> Step:
    """Given back: the slot is free for others."""
    _require(reservation, "release", LIVE)
    event = events_pb2.ReservationReleased(**_ids(reservation), reason=reason)
    return Step(_changed(reservation, state=State.RELEASED, ended_at=now), event)


def replan(reservation: Reservation, *, engineer_id: UUID, because: str) -> Step:
    """Another engineer makes the visit; the customer's time stands."""
    _require(reservation, "replan", LIVE)
    event = events_pb2.ReservationReplanned(**_ids(reservation), because=because)
    return Step(_changed(reservation, engineer_id=engineer_id), event)


def fail(reservation: Reservation, now: datetime, *, because: str, alternatives: Iterable[Window]) -> Step:
    """Nobody is left who could keep it, or the visit came to nothing."""
    _require(reservation, "fail", LIVE)
    event = events_pb2.ReservationFailed(
        **_ids(reservation), because=because, alternatives=[window.message() for window in alternatives]
    )
    return Step(_changed(reservation, state=State.FAILED, ended_at=now), event)


def fulfil(reservation: Reservation, now: datetime) -> Step:
    """The visit took place."""
    _require(reservation, "fulfil", frozenset({State.BOOKED}))
    event = events_pb2.ReservationFulfilled(**_ids(reservation))
    return Step(_changed(reservation, state=State.FULFILLED, ended_at=now), event)


def _require(reservation: Reservation, action: str, allowed: frozenset[State]) -> None:
    if reservation.state not in allowed:
        raise Fault("transition_forbidden", action=action, state=reservation.state.value)


def _changed(reservation: Reservation, **changes: Any) -> Reservation:
    return reservation.model_copy(update={"version": reservation.version + 1, **changes})


def _ids(reservation: Reservation) -> dict[str, Any]:
    return {
        "reservation_id": str(reservation.reservation_id),
        "case_id": str(reservation.case_id),
        "appointment_id": str(reservation.appointment_id or ""),
    }
