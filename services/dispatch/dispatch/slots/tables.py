"""Where reservations are stored."""

from sqlalchemy import Index, text

from dispatch.slots.reservation import LIVE, Reservation

_LIVE = text(f"state IN ({', '.join(sorted(repr(state.value) for state in LIVE))})")


class ReservationRow(Reservation, table=True):
    """One reservation."""

    __tablename__ = "reservations"
    __table_args__ = (
        # The last word on selling nothing twice, whatever the code above it does.
        Index("one_visit_per_engineer_and_slot", "engineer_id", "window_start", unique=True, postgresql_where=_LIVE),
        Index("live_reservations_in_slot", "window_start", postgresql_where=_LIVE),
        Index("live_reservations_of_case", "case_id", postgresql_where=_LIVE),
        Index("reservations_of_work_order", "work_order_id"),
    )


RESERVATIONS = ReservationRow.__table__  # type: ignore[attr-defined]
