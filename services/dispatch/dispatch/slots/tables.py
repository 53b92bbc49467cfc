"""Where reservations are stored."""

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from dispatch.slots.reservation import LIVE, Reservation

_LIVE = text(f"state IN ({', '.join(sorted(repr(state.value) for state in LIVE))})")


class ReservationRow(Reservation, table=True):
    """One reservation."""

    __tablename__ = "reservations"
    __table_args__ = (
        # The last word on selling nothing twice, whatever the code above it does. Looked at when a transaction commits:
        # within it visits may change places.
        ExcludeConstraint(
            ("engineer_id", "="),
            ("window_start", "="),
            name="one_visit_per_engineer_and_slot",
            using="btree",
            where=_LIVE,
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("live_reservations_in_slot", "window_start", postgresql_where=_LIVE),
        Index("live_reservations_of_case", "case_id", postgresql_where=_LIVE),
        Index("reservations_of_work_order", "work_order_id"),
    )


RESERVATIONS = ReservationRow.__table__  # type: ignore[attr-defined]
