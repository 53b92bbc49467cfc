"""The life cycle of an appointment: every move it may make, and what each move brings with it (INT-09).

Pure: a rule takes the appointment and what happened, and returns a Step. A move that is not allowed from the state it
is in raises Fault("transition_forbidden"). What it does to the case is in cases/appointed.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bihuan.common.v1.common_pb2 import TimePeriod
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import events_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from servicekit.errors import Fault
from servicekit.windows import Window

from intake.appointments.appointment import LIVE, Appointment, State

# Clocks of an appointment, by their names in standards/clocks.yaml.
PREPARATION = "appointment_preparation"
REMINDER = "appointment_reminder"
ARRIVAL = "appointment_arrival"

CANCELLED = "appointment_cancelled"


@dataclass(frozen=True)
class Limits:
    """What the standards say about appointments."""

    # To be ready that soon after the booking, and that long before the appointed time.
    preparation: timedelta
    lead: timedelta


@dataclass(frozen=True)
class Step:
    """The outcome of one rule. Clocks are cancelled, met and started, in this order."""

    after: Appointment
    # For the history of the case.
    happened: str
    details: Mapping[str, str] = field(default_factory=dict)
    cancels: tuple[str, ...] = ()
    meets: tuple[str, ...] = ()
    # Each with the moment at which it is due.
    starts: Mapping[str, datetime] = field(default_factory=dict)
    event: Message | None = None
    command: Message | None = None


def request(appointment: Appointment, *, booking: dispatch_events.BookReservation) -> Step:
    """The first version; dispatch is asked for the slot."""
    return Step(
        appointment,
        "appointment_requested",
        {"channel": appointment.channel},
        event=events_pb2.AppointmentRequested(**_ids(appointment), channel=appointment.channel),
        command=booking,
    )


def confirm(appointment: Appointment, now: datetime, *, reservation_id: UUID, slot: Window, limits: Limits) -> Step:
    """The slot is the customer's."""
    _require(appointment, "confirm", frozenset({State.INITIALIZED}))
    after = _in_slot(appointment, reservation_id, slot, state=State.CONFIRMED, confirmed_at=now)
    return Step(
        after,
        "appointment_confirmed",
        _shown(slot),
        starts=_watched(after, slot, now, limits),
        event=events_pb2.AppointmentConfirmed(
            **_ids(after), valid_for=after.period, work_order_id=str(after.work_order_id)
        ),
    )


def refuse(appointment: Appointment, now: datetime, *, reason: str, alternatives: Sequence[TimePeriod]) -> Step:
    """The slot could not be had: the customer is told what can. A move that is refused leaves everything as it was."""
    _require(appointment, "refuse", LIVE)
    told = {"reason": reason, "alternatives": _as_json(alternatives)}
    ids = _ids(appointment)
    if appointment.state == State.CONFIRMED:
        return Step(
            _changed(appointment, moving_to=None, **told),
            "appointment_move_refused",
            {"reason": reason},
            event=events_pb2.AppointmentMoveRefused(**ids, reason=reason, alternatives=alternatives),
        )
    return Step(
        _changed(appointment, state=State.FAILED, ended_at=now, **told),
        "appointment_refused",
        {"reason": reason},
        event=events_pb2.AppointmentRefused(**ids, reason=reason, alternatives=alternatives),
    )


def prepare(appointment: Appointment, now: datetime, *, prepared_by: str) -> Step:
    """Everything for the visit is ready."""
    _require(appointment, "prepare", frozenset({State.CONFIRMED}))
    if appointment.prepared_at is not None:
        raise _forbidden(appointment, "prepare")
    return Step(
        _changed(appointment, prepared_at=now, prepared_by=prepared_by),
        "appointment_prepared",
        {"prepared_by": prepared_by},
        meets=(PREPARATION,),
        event=events_pb2.AppointmentPrepared(**_ids(appointment), prepared_by=prepared_by),
    )


def ask_to_move(appointment: Appointment, *, booking: dispatch_events.BookReservation) -> Step:
    """The customer wants another slot; until dispatch has answered, the present one stands."""
    _require(appointment, "move", frozenset({State.CONFIRMED}))
    if appointment.moving_to is not None:
        raise _forbidden(appointment, "move")
    after = _changed(appointment, moving_to=UUID(booking.reservation_id), reason="", alternatives=[])
    return Step(after, "appointment_move_requested", command=booking)


def move(appointment: Appointment, now: datetime, *, reservation_id: UUID, slot: Window, limits: Limits) -> Step:
    """The other slot is the customer's now. What was made ready stays ready; the reminder goes by the new time."""
    _require(appointment, "move", frozenset({State.CONFIRMED}))
    previously = appointment.period
    after = _in_slot(
        appointment,
        reservation_id,
        slot,
        moving_to=None,
        moved_times=appointment.moved_times + 1,
        reminded_at=None,
    )
    return Step(
        after,
        "appointment_moved",
        _shown(slot),
        cancels=(PREPARATION, REMINDER, ARRIVAL),
        starts=_watched(after, slot, now, limits),
        event=events_pb2.AppointmentMoved(**_ids(after), valid_for=after.period, previously=previously),
    )


def remind(appointment: Appointment, now: datetime) -> Step:
    """Shortly before: customer and engineer are reminded, and the engineer is expected from now on."""
    _require(appointment, "remind", frozenset({State.CONFIRMED}))
    assert appointment.starts_at is not None, "a confirmed appointment has its time"
    return Step(
        _changed(appointment, reminded_at=now),
        "appointment_reminded",
        starts={ARRIVAL: appointment.starts_at},
        event=events_pb2.AppointmentReminded(**_ids(appointment), valid_for=appointment.period),
    )


def arrive(appointment: Appointment) -> Step:
    """The engineer is there; nobody need be reminded or waited for any more."""
    _require(appointment, "arrive", frozenset({State.CONFIRMED}))
    return Step(_changed(appointment), "appointment_kept", cancels=(REMINDER,), meets=(ARRIVAL,))


def cancel(appointment: Appointment, now: datetime, *, unless_on_site: bool = False) -> Step:
    """The customer no longer wants it. Dispatch calls the visit off, and the slot is free again.

    `unless_on_site`: what somebody is on site for already goes on.
    """
    _require(appointment, "cancel", LIVE)
    # What is not confirmed yet is called off once it is.
    command = call_off(appointment, unless_on_site=unless_on_site) if appointment.state == State.CONFIRMED else None
    event = events_pb2.AppointmentCancelled(**_ids(appointment))
    return _ended(appointment, now, State.CANCELLED, event, command=command)


def call_off(appointment: Appointment, *, unless_on_site: bool = False) -> dispatch_events.CancelWorkOrder:
    """The command by which dispatch gives the slot and the visit up."""
    return dispatch_events.CancelWorkOrder(
        work_order_id=str(appointment.work_order_id),
        case_id=str(appointment.case_id),
        reason=CANCELLED,
        unless_on_site=unless_on_site,
    )


def released(appointment: Appointment, now: datetime) -> Step:
    """The case was withdrawn, and its slot with it."""
    _require(appointment, "cancel", LIVE)
    return _ended(appointment, now, State.CANCELLED, events_pb2.AppointmentCancelled(**_ids(appointment)))


def fail(appointment: Appointment, now: datetime, *, reason: str, alternatives: Sequence[TimePeriod]) -> Step:
    """We could not keep it; the customer is told what can be had instead."""
    _require(appointment, "fail", frozenset({State.CONFIRMED}))
    event = events_pb2.AppointmentFailed(**_ids(appointment), reason=reason, alternatives=alternatives)
    return _ended(appointment, now, State.FAILED, event, reason=reason, alternatives=_as_json(alternatives))


def complete(appointment: Appointment, now: datetime) -> Step:
    """The visit took place."""
    _require(appointment, "complete", frozenset({State.CONFIRMED}))
    return _ended(appointment, now, State.COMPLETED, events_pb2.AppointmentCompleted(**_ids(appointment)))


def _ended(
    appointment: Appointment,
    now: datetime,
    state: State,
    event: Message,
    *,
    command: Message | None = None,
    **changes: Any,
) -> Step:
    return Step(
        _changed(appointment, state=state, ended_at=now, moving_to=None, **changes),
        f"appointment_{state}",
        cancels=(PREPARATION, REMINDER, ARRIVAL),
        event=event,
        command=command,
    )


def _in_slot(appointment: Appointment, reservation_id: UUID, slot: Window, **changes: Any) -> Appointment:
    return _changed(
        appointment,
        reservation_id=reservation_id,
        starts_at=slot.start,
        ends_at=slot.end,
        reason="",
        alternatives=[],
        **changes,
    )


def _watched(appointment: Appointment, slot: Window, now: datetime, limits: Limits) -> dict[str, datetime]:
    remind_at = slot.start - limits.lead
    starts = {REMINDER: remind_at}
    if appointment.prepared_at is None:
        starts[PREPARATION] = min(now + limits.preparation, remind_at)
    return starts


def _require(appointment: Appointment, action: str, allowed: frozenset[State]) -> None:
    if appointment.state not in allowed:
        raise _forbidden(appointment, action)


def _forbidden(appointment: Appointment, action: str) -> Fault:
    return Fault("transition_forbidden", action=action, state=appointment.state.value)


def _changed(appointment: Appointment, **changes: Any) -> Appointment:
    return appointment.model_copy(update={"version": appointment.version + 1, **changes})


def _as_json(periods: Sequence[TimePeriod]) -> list[dict[str, Any]]:
    return [MessageToDict(period, preserving_proto_field_name=True) for period in periods]


def _shown(slot: Window) -> dict[str, str]:
    return {"start": slot.start.isoformat(), "end": slot.end.isoformat()}


def _ids(appointment: Appointment) -> dict[str, str]:
    return {"appointment_id": str(appointment.appointment_id), "case_id": str(appointment.case_id)}
