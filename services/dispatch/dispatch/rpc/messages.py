"""Engineers, work orders and reservations as the contract writes them. Pure."""

from datetime import UTC
from uuid import UUID

from bihuan.dispatch.v1 import appointments_pb2, engineers_pb2, work_orders_pb2
from servicekit.windows import Window

from dispatch.engineers.engineer import Qualification
from dispatch.engineers.queries import Profile
from dispatch.slots.reservation import Reservation
from dispatch.slots.reservation import State as ReservationState
from dispatch.work_orders.queries import View
from dispatch.work_orders.tables import HistoryRow
from dispatch.work_orders.work_order import State

_STATE = "WORK_ORDER_STATE_"
_NOBODY = UUID(int=0)


def engineer_message(profile: Profile) -> engineers_pb2.Engineer:
    engineer = profile.engineer
    return engineers_pb2.Engineer(
        engineer_id=str(engineer.engineer_id),
        version=engineer.version,
        display_name=engineer.display_name,
        user_id=engineer.user_id,
        territory=engineer.territory,
        qualifications=[_qualification_message(held) for held in profile.qualifications.values()],
        on_shift=engineer.on_shift,
        open_work_orders=engineer.open_work_orders,
        planned_shifts=[
            engineers_pb2.PlannedShift(
                shift_id=str(shift.shift_id), valid_for=Window(shift.starts_at, shift.ends_at).message()
            )
            for shift in profile.shifts
        ],
    )


def qualification_of(message: engineers_pb2.Qualification, engineer_id: UUID = _NOBODY) -> Qualification:
    """What is granted; for an engineer who is only being registered, their id comes later."""
    return Qualification(
        engineer_id=engineer_id,
        skill=message.skill,
        level=message.level,
        valid_until=message.valid_until.ToDatetime(tzinfo=UTC),
    )


def work_order_message(view: View) -> work_orders_pb2.WorkOrder:
    order = view.order
    return work_orders_pb2.WorkOrder(
        work_order_id=str(order.work_order_id),
        work_order_number=order.work_order_number,
        version=order.version,
        state=state_name(order.state),
        case_id=str(order.case_id),
        case_number=order.case_number,
        region=order.region,
        skill=order.skill,
        level=order.level,
        priority=order.priority,
        engineer_id=str(order.engineer_id or ""),
        engineer_name=view.engineer_name,
        assignment_reasons=order.assignment_reasons,
        report=view.report,
        failure=view.failure,
        clocks=view.clocks,
        created_at=order.created_at,
        assigned_at=order.assigned_at,
        accepted_at=order.accepted_at,
        arrived_at=order.arrived_at,
        finished_at=order.finished_at,
        reassigned_times=order.reassigned_times,
        asked_by=order.asked_by,
        appointed_for=None if order.window is None else order.window.message(),
    )


def history_message(row: HistoryRow) -> work_orders_pb2.WorkOrderHistoryEntry:
    return work_orders_pb2.WorkOrderHistoryEntry(
        at=row.at,
        happened=row.happened,
        actor=row.actor,
        state=state_name(State(row.state)),
        details=row.details,
        version=row.version,
    )


def reservation_message(reservation: Reservation, *, for_desk: bool) -> appointments_pb2.Reservation:
    """A reservation; who is planned for it is not for customers to rely on."""
    return appointments_pb2.Reservation(
        reservation_id=str(reservation.reservation_id),
        version=reservation.version,
        state=f"RESERVATION_STATE_{reservation.state.upper()}",
        case_id=str(reservation.case_id),
        valid_for=reservation.window.message(),
        region=reservation.region,
        skill=reservation.skill,
        level=reservation.level,
        held_until=reservation.held_until if reservation.state == ReservationState.HELD else None,
        appointment_id=str(reservation.appointment_id or ""),
        work_order_id=str(reservation.work_order_id or ""),
        engineer_id=str(reservation.engineer_id) if for_desk else "",
    )


def state_name(state: State) -> str:
    """The contract's name of a state."""
    return _STATE + state.upper()


def state_of(value: work_orders_pb2.WorkOrderState) -> State | None:
    """The state of a contract's value; None for WORK_ORDER_STATE_UNSPECIFIED."""
    if value == work_orders_pb2.WORK_ORDER_STATE_UNSPECIFIED:
        return None
    name = work_orders_pb2.WorkOrderState.Name(value)
    return State(name.removeprefix(_STATE).lower())


def _qualification_message(held: Qualification) -> engineers_pb2.Qualification:
    return engineers_pb2.Qualification(
        skill=held.skill, level=held.level, valid_until=held.valid_until, revoked=held.revoked
    )
